from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ledger.samples import entry
from modicum.calls import Outcome
from modicum.governance.budget_windows import BudgetWindow, Period
from modicum.governance.outcome_budgets import OutcomeBudget
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.ledger_process.watching import outcome_alerts
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.ledger_process.watching.outcome_alerts import OutcomeAlerts
from modicum.ledger_process.watching.watch import LedgerWatch
from modicum.settings import OutcomeSettings, Settings

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
    alerts = OutcomeAlerts(lines.append)
    alerts.check(store, [BUDGET])
    assert lines == []

    book(store, 0, 40, 4, passed=4)
    alerts.check(store, [BUDGET])
    alerts.check(store, [BUDGET])
    assert len(lines) == 1
    assert lines[0].startswith("outcome budget crossed: $2.00 for one resolved")

    book(store, 100, 2_000, 0.01, passed=1)
    alerts.check(store, [BUDGET])
    assert lines[1:] == ["outcome budget kept again: $2.00 for one resolved"]


def test_the_ledger_is_left_alone_in_between(store):
    lines = []
    alerts = OutcomeAlerts(lines.append)
    alerts.check(store, [BUDGET])
    book(store, 0, 40, 4, passed=4)
    alerts.check(store, [BUDGET])

    assert lines == []


def test_the_watch_of_the_ledger_process_logs_what_the_settings_limit(store, tmp_path):
    lines = []
    settings = LiveSettings(Settings(outcome=(OutcomeSettings(name="resolved", limit_usd=2.0, per="ever"),)))
    watch = LedgerWatch(tmp_path, settings, SimpleNamespace(reason=""), lines.append)
    book(store, 0, 40, 4, passed=4)
    watch.observe(store, [])

    assert [line.partition(":")[0] for line in lines] == ["outcome budget crossed"]
