"""Budgets are asked for often enough to be true, and no more than the ledger can bear."""

import pytest

from ledger.samples import entry
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import NANO, Budget, LimitUnit
from modicum.ledger.opening import open_store
from modicum.ledger_process.watching.budget_watch import EVERY_S, BudgetWatch

BUDGET = Budget(name="b", unit=LimitUnit.USD, limit=10 * NANO, window=parse_window("ever", "UTC"))


@pytest.fixture
def store():
    opened = open_store(":memory:")
    opened.append([entry("a", "2", source="gateway")])
    yield opened
    opened.close()


def test_rows_are_asked_for_again_when_it_is_time_or_other_budgets_hold(store, tmp_path):
    now = [0.0]
    watch = BudgetWatch(tmp_path, lambda: now[0])
    watch.refresh(store, [BUDGET])
    assert [row.spent for row in watch.rows] == [2 * NANO]

    store.append([entry("b", "3", source="gateway")])
    watch.refresh(store, [BUDGET])
    assert watch.rows[0].spent == 2 * NANO
    now[0] = EVERY_S
    watch.refresh(store, [BUDGET])
    assert watch.rows[0].spent == 5 * NANO

    watch.refresh(store, [])
    assert watch.rows == ()


def test_a_slow_ledger_is_asked_less_often(store, tmp_path):
    ticks = iter([0.0, 10.0, 100.0, 199.0, 210.0, 211.0])  # began, ended; the first question takes ten seconds
    watch = BudgetWatch(tmp_path, lambda: next(ticks))
    watch.refresh(store, [BUDGET])
    store.append([entry("b", "3", source="gateway")])

    watch.refresh(store, [BUDGET])
    assert watch.rows[0].spent == 2 * NANO
    watch.refresh(store, [BUDGET])
    assert watch.rows[0].spent == 2 * NANO
    watch.refresh(store, [BUDGET])
    assert watch.rows[0].spent == 5 * NANO
