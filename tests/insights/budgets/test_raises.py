from datetime import UTC, datetime

import pytest

from modicum.calls import UserError
from modicum.governance.budget_raises import RaiseEvent
from modicum.insights.budgets.raises import EVENTS, read_raises
from modicum.ledger.events import EventFile


def test_raises_are_read_without_what_else_people_decided(tmp_path):
    assert read_raises(tmp_path) == []
    event = RaiseEvent(what="ended", raise_id="a", budget="b", at=datetime(2026, 11, 1, tzinfo=UTC), by="ann")
    events = EventFile(tmp_path / EVENTS)
    events.append("key", {"any": "thing"})
    events.append("budget", event)
    assert read_raises(tmp_path) == [event]
    events.append("budget", {"what": "no such thing"})
    events.close()

    with pytest.raises(UserError, match="holds an event that cannot be read"):
        read_raises(tmp_path)
