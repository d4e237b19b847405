from datetime import UTC, datetime

import pytest

from modicum.calls import UserError
from modicum.governance.keys import KeyEvent
from modicum.ledger.events import EventFile


def test_events_come_back_in_order_and_only_their_owner_may_read_the_file(tmp_path):
    events = EventFile(tmp_path / "events.sqlite")
    told = [KeyEvent(what="issued", key_id=name, at=datetime(2026, 1, 1, tzinfo=UTC), by="a") for name in "ab"]
    for event in told:
        events.append("key", event)

    assert events.read("key", KeyEvent) == told
    assert events.last() == 2
    assert (tmp_path / "events.sqlite").stat().st_mode & 0o077 == 0
    events.close()


def test_another_process_sees_at_once_that_there_is_a_new_event(tmp_path):
    one, other = EventFile(tmp_path / "events.sqlite"), EventFile(tmp_path / "events.sqlite")
    before = other.stamp

    one.append("key", {})

    assert other.stamp != before
    assert other.stamp == one.stamp
    one.close()
    other.close()


def test_an_event_that_cannot_be_read_is_a_users_error(tmp_path):
    events = EventFile(tmp_path / "events.sqlite")
    events.append("key", {"what": "stolen"})

    with pytest.raises(UserError, match="cannot be read"):
        events.read("key", KeyEvent)
    events.close()


def test_a_folder_that_cannot_be_made_is_a_users_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UserError, match="cannot be used"):
        EventFile(tmp_path / "file" / "events.sqlite")
