from datetime import UTC, datetime

import pytest

from ledger.samples import entry
from modicum.calls import Owner, UserError
from modicum.governance.keys import KeyEvent, Keys, issue
from modicum.insights.retention.erasure import erase_owner
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DONE = {"at": NOW, "by": "ann", "digest_key": b"k" * 32}


@pytest.fixture
def store():
    opened = open_store(":memory:")
    opened.append([entry("c1", owner=Owner(user="ada")), entry("c2", owner=Owner(user="bob")), entry("c3")])
    yield opened
    opened.close()


@pytest.fixture
def events(tmp_path):
    file = EventFile(tmp_path / "events.sqlite")
    for name, user in (("one", "ada"), ("two", "ada"), ("three", "bob")):
        file.append("key", issue(Owner(user=user, key=name), (), NOW, "root", b"k" * 32)[1])
    yield file
    file.close()


def test_calls_go_keys_end_and_the_log_does_not_say_who_it_was(store, events):
    gone = erase_owner(store, events, "user", "ada", **DONE)

    assert (gone.calls, gone.keys) == (1, 2)
    assert [one.call.call_id for page in store.entries() for one in page] == ["c2", "c3"]
    assert [key.owner.key for key in Keys(events.read("key", KeyEvent)).in_force()] == ["three"]
    (line,) = [one for one in store.records(AUDIT_EVENTS) if one.kind == "erasure"]
    assert (line.by, line.subject, line.details) == ("ann", f"user {gone.digest}", {"calls": "1", "keys": "2"})
    assert "ada" not in repr(line)


@pytest.mark.parametrize("name", ["ad'; DROP TABLE entries; --", "%", "*", "ADA"])
def test_only_the_very_name_is_erased(store, events, name):
    assert erase_owner(store, events, "user", name, **DONE)[:2] == (0, 0)


@pytest.mark.parametrize(("part", "name"), [("user", ""), ("model", "x")])
def test_nobody_is_nobody(store, events, part, name):
    with pytest.raises(UserError):
        erase_owner(store, events, part, name, **DONE)
