import asyncio

import pytest

from modicum.calls import UserError
from modicum.gateway.budgets.one_process import budgeting_of, check_budget_workers
from modicum.metering.prices import PriceBook
from modicum.settings import BudgetSettings, Settings

BUDGET = BudgetSettings(name="a", per="day", limit_usd=5.0)


def test_budgets_are_kept_by_one_process_alone():
    check_budget_workers(Settings(budget=(BUDGET,)), 1)
    check_budget_workers(Settings(), 4)
    with pytest.raises(UserError, match=r"4 workers would each count for themselves.*set gateway.workers to 1"):
        check_budget_workers(Settings(budget=(BUDGET,)), 4)


def test_it_begins_without_any(tmp_path):
    budgeting = budgeting_of(tmp_path, PriceBook, None, lambda _: None)
    asyncio.run(budgeting.close())

    assert not budgeting.is_active
