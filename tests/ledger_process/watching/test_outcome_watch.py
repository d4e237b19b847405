from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ledger.samples import entry
from modicum.calls import Outcome
from modicum.governance.alerts import AlertKind, AlertRules, conditions
from modicum.governance.budget_windows import BudgetWindow, Period
from modicum.governance.outcome_budgets import OutcomeBudget
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.ledger_process.watching import outcome_watch
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.ledger_process.watching.outcome_watch import OutcomeWatch
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


def test_what_costs_too_much_is_above_until_it_no_longer_does(store, monkeypatch):
    monkeypatch.setattr(outcome_watch, "EVERY_S", 0.0)
    watch = OutcomeWatch()
    watch.check(store, [BUDGET])
    assert watch.above == []

    book(store, 0, 40, 4, passed=4)
    watch.check(store, [BUDGET])
    (above,) = watch.above
    assert (above.outcome, above.limit_usd) == ("resolved", 2.0)

    book(store, 100, 2_000, 0.01, passed=1)
    watch.check(store, [BUDGET])
    assert watch.above == []


def test_the_ledger_is_left_alone_in_between(store):
    watch = OutcomeWatch()
    watch.check(store, [BUDGET])
    book(store, 0, 40, 4, passed=4)
    watch.check(store, [BUDGET])
    assert watch.above == []

    watch.check(store, [])
    assert watch.above == ()


def test_the_ledger_process_alerts_of_what_the_settings_limit(store, tmp_path):
    settings = LiveSettings(Settings(outcome=(OutcomeSettings(name="resolved", limit_usd=2.0, per="ever"),)))
    watch = LedgerWatch(tmp_path, settings, SimpleNamespace(reason="", log=print, events=None))
    book(store, 0, 40, 4, passed=4)
    watch.observe(store, [])
    (alert,) = conditions(watch.situation(datetime.now(UTC)), AlertRules())

    assert alert.kind is AlertKind.OUTCOME_COST
    assert alert.text.startswith("one resolved costs more than its $2.00: ")
