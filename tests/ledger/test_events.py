import resource
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from ledger.faults import garbage, left_open
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


@contextmanager
def disk_that_refuses():
    """No file may grow past its first byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_event_that_is_not_on_the_disk_is_a_users_error_and_is_not_there(tmp_path):
    events = EventFile(tmp_path / "events.sqlite")
    stamp = events.stamp

    with disk_that_refuses(), pytest.raises(UserError, match=r"cannot be written .*nothing was changed"):
        events.append("key", {})

    assert (events.last(), events.stamp) == (0, stamp)
    events.append("key", {})
    assert events.last() == 1
    events.close()


def test_a_file_that_cannot_be_made_on_a_full_disk_is_a_users_error(tmp_path):
    with disk_that_refuses(), pytest.raises(UserError, match="cannot be used"):
        EventFile(tmp_path / "events.sqlite")


def test_the_stamp_has_its_place_on_the_disk_before_it_is_written_in_memory(tmp_path):
    EventFile(tmp_path / "events.sqlite").close()

    assert (tmp_path / "events.stamp").stat().st_blocks > 0


def test_a_file_that_was_deleted_or_replaced_says_so_and_takes_no_event(tmp_path):
    events = EventFile(tmp_path / "events.sqlite")
    assert events.gone == ""
    (tmp_path / "events.sqlite").rename(tmp_path / "away")

    with pytest.raises(UserError, match="was deleted"):
        events.append("key", {})

    EventFile(tmp_path / "events.sqlite").close()
    assert "was deleted, moved or replaced" in events.gone
    events.close()


@pytest.mark.parametrize("broken", ["events.sqlite", "events.stamp"])
def test_a_file_of_events_that_cannot_be_used_is_not_left_open(tmp_path, monkeypatch, broken):
    if broken == "events.sqlite":
        garbage(tmp_path, "random").rename(tmp_path / broken)
    else:
        (tmp_path / broken).mkdir()

    def open_it():
        with pytest.raises(UserError, match="cannot be used"):
            EventFile(tmp_path / "events.sqlite")

    assert left_open(monkeypatch, open_it) == 0


def test_events_that_are_garbage_are_a_users_error(tmp_path):
    events = EventFile(tmp_path / "events.sqlite")
    other = sqlite3.connect(tmp_path / "events.sqlite")
    other.execute("DROP TABLE events")
    other.close()

    with pytest.raises(UserError, match="cannot be read"):
        events.read("key", KeyEvent)
    events.close()
    (tmp_path / "events.sqlite").write_bytes(b"garbage " * 1000)
    with pytest.raises(UserError, match="cannot be used"):
        EventFile(tmp_path / "events.sqlite")
