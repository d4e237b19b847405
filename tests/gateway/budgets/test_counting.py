import asyncio

import pytest

from modicum.calls import UserError
from modicum.gateway.budgets.counting import budgeting_of, check_budget_workers
from modicum.metering.prices import PriceBook
from modicum.settings import BudgetSettings, Settings, StateSettings
from state.server import running_server

BUDGET = BudgetSettings(name="a", per="day", limit_usd=5.0)
SHARED = StateSettings(redis="redis://127.0.0.1:1/0")


def test_several_processes_keep_budgets_only_together():
    check_budget_workers(Settings(budget=(BUDGET,)), 1)
    check_budget_workers(Settings(), 4)
    check_budget_workers(Settings(budget=(BUDGET,), state=SHARED), 4)
    with pytest.raises(UserError, match=r"4 workers would each count for themselves.*redis://.*gateway.workers to 1"):
        check_budget_workers(Settings(budget=(BUDGET,)), 4)


def begin(tmp_path, settings):
    async def begin_and_end():
        journal = tmp_path / "journal" / "gateway.sqlite"
        budgeting = await budgeting_of(settings, journal, PriceBook, None, lambda _: None)
        await budgeting.close()
        return budgeting

    return asyncio.run(begin_and_end())


@pytest.mark.parametrize("state", [StateSettings(), SHARED])
def test_it_begins_without_any(tmp_path, state):
    assert not begin(tmp_path, Settings(state=state)).is_active


def test_foreign_data_keeps_a_gateway_with_budgets_from_starting_and_no_other(tmp_path):
    with running_server() as server:
        server.client.set("{modicum}", "theirs")
        state = StateSettings(redis=server.url)
        begin(tmp_path, Settings(state=state))
        with pytest.raises(UserError, match=r"set state\.prefix"):
            begin(tmp_path, Settings(state=state, budget=(BUDGET,)))
