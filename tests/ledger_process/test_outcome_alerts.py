from datetime import UTC, datetime

import pytest

from ledger.samples import entry
from modicum.calls import Outcome
from modicum.governance.budget_windows import BudgetWindow, Period
from modicum.governance.outcome_budgets import OutcomeBudget
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.ledger_process import outcome_alerts
from modicum.ledger_process.outcome_alerts import OutcomeAlerts

BUDGET = OutcomeBudget(outcome="resolved", limit_usd=2.0, window=BudgetWindow(Period.EVER), by="team")


@pytest.fixture
def store(tmp_path):
    opened = open_store(str(tmp_path / "ledger.duckdb"))
    yield opened
    opened.close()


def book(store, first, count, cost, *, passed):
    now = datetime.now(UTC)
    names = [f"t{number}" for number in range(first, first + count)]
    store.append([entry(name, f"{cost}", task=name, started=now) for name in names])
    store.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=f"o{name}", task=name, name="resolved", value=float(n % passed == 0), time=now)
            for n, name in enumerate(names)
        ],
    )


def test_a_line_when_outcomes_cost_too_much_and_one_when_no_longer(store, monkeypatch):
    monkeypatch.setattr(outcome_alerts, "EVERY_S", 0.0)
    lines = []
    alerts = OutcomeAlerts([BUDGET], lines.append)
    alerts.check(store)
    assert lines == []

    book(store, 0, 40, 4, passed=4)
    alerts.check(store)
    alerts.check(store)
    assert len(lines) == 1
    assert lines[0].startswith("outcome budget crossed: $2.00 for one resolved")

    book(store, 100, 2_000, 0.01, passed=1)
    alerts.check(store)
    assert lines[1:] == ["outcome budget kept again: $2.00 for one resolved"]


def test_the_ledger_is_left_alone_in_between(store):
    lines = []
    alerts = OutcomeAlerts([BUDGET], lines.append)
    alerts.check(store)
    book(store, 0, 40, 4, passed=4)
    alerts.check(store)

    assert lines == []
