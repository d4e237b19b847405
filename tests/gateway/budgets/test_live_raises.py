from datetime import UTC, datetime, timedelta

import pytest

from gateway.budgets.budget_rig import with_budgets
from modicum.gateway.budgets.live_raises import LiveRaises
from modicum.governance.budget_raises import RaiseEvent, raised
from modicum.ledger.events import EventFile
from modicum.settings import BudgetSettings
from modicum.settings.governance.budgets import budgets_of


def event_until(until, limit=3, of=()):
    (budget,) = budgets_of([BudgetSettings(name="all", per="day", limit_calls=1, key="*")], "")
    return raised(budget, limit, of, datetime.now(UTC), until, "bob", "ann", "why not")


@pytest.fixture
def events(tmp_path):
    events = EventFile(tmp_path / "events.sqlite")
    yield events
    events.close()


def test_what_is_approved_holds_at_the_next_call_and_no_longer_than_that(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 1, "key": "*"}) as rig:
        events = EventFile(rig.folder / "events.sqlite")
        first = [rig.chat().status_code for _ in range(2)]
        event = event_until(datetime.now(UTC) + timedelta(hours=1))
        events.append("budget", event)
        then = [rig.chat().status_code for _ in range(3)]
        events.append("budget", event_until(datetime.now(UTC) + timedelta(hours=1), 9, ("somebody else",)))
        of_another = rig.chat()
        ended = RaiseEvent(what="ended", raise_id=event.raise_id, budget="all", at=datetime.now(UTC), by="bob")
        events.append("budget", ended)
        lowered = rig.chat().json()["error"]["message"]
        events.close()

    assert first == [200, 402]
    assert then == [200, 200, 402]
    assert of_another.status_code == 402
    assert "(1 call per day) has 0 calls left" in lowered  # lowered below what is spent: nothing negative


def test_events_that_cannot_be_read_leave_what_was(events, capfd):
    events.append("budget", event_until(datetime.now(UTC) + timedelta(hours=1)))
    live = LiveRaises(events)
    before = live()
    events.append("budget", {"what": "no such thing"})

    assert live() is before
    assert live() is before
    assert capfd.readouterr().err.count("budget_raises_kept") == 1
