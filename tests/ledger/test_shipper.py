import asyncio
import os
import sqlite3
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ledger.faults import GARBAGE, Backup, garbage, remove
from modicum.calls import Call, CallStatus, Outcome, Owner, SegmentKind, Usage
from modicum.context.conversations import ContextPart
from modicum.ledger import positions
from modicum.ledger.journal import Journal, Record
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.ledger.shipper import Shipper
from modicum.metering.prices import PriceBook

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOW = datetime.now(UTC)


def call(number, **more):
    told = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "started": NOON, "usage": Usage(1000, 0)}
    return Call(revision=1 << 62, **{"call_id": f"gateway:{number}"} | told | more)


def context(*digests):
    return [ContextPart(SegmentKind.USER, "", digest.encode(), b"", is_error=False, tokens=10) for digest in digests]


def write(folder, *records, name="gateway"):
    async def all_of_them():
        journal = Journal(folder, name)
        for number, kind, noun, *context in records:
            body = noun if isinstance(noun, bytes) else msgspec.msgpack.encode(noun)
            await journal.append(Record(number, kind, body, *map(msgspec.msgpack.encode, context)))
        journal.close()

    asyncio.run(all_of_them())


@pytest.fixture
def store():
    store = open_store(":memory:")
    yield store
    store.close()


@pytest.fixture
def shipper(tmp_path, store):
    shipper = Shipper(tmp_path, store, PriceBook())
    yield shipper
    shipper.close()


def booked(store):
    return [entry for batch in store.entries() for entry in batch]


def test_calls_arrive_priced_and_once_however_often_they_are_shipped(tmp_path, store, shipper):
    write(tmp_path, ("1", "call", call("1")), ("2", "call", call("2")))

    assert len(shipper.ship().entries) == 2
    (tmp_path / "gateway.shipped").unlink()  # the process ended before it noted how far it had come
    assert len(shipper.ship().entries) == 2

    assert [(entry.call.call_id, entry.cost.usd > 0) for entry in booked(store)] == [
        ("gateway:1", True),
        ("gateway:2", True),
    ]


def test_it_goes_on_where_it_ended(tmp_path, store, shipper):
    write(tmp_path, ("1", "call", call("1")))
    shipper.ship()
    write(tmp_path, ("2", "call", call("2")))

    assert [entry.call.call_id for entry in shipper.ship().entries] == ["gateway:2"]
    assert positions.read(tmp_path / "gateway.sqlite", "shipped").record == 2


def anatomies(store):
    """Conversation, turn, kept and added of each call, in order of time."""
    calls = sorted((entry.call for entry in booked(store)), key=lambda call: call.started)
    return [(c.conversation, c.turn, c.anatomy.kept_segments, len(c.anatomy.added)) for c in calls]


def test_a_late_context_joins_its_call(tmp_path, store, shipper):
    write(tmp_path, ("1", "call", call("1")))
    shipper.ship()
    write(tmp_path, ("1", "context", context("a")))
    shipper.ship()

    (entry,) = booked(store)
    assert entry.call.anatomy.added[0].tokens == 10
    assert (entry.call.conversation, entry.call.task) == ("1", "1")


def in_context(number, second, *digests, **more):
    begun = call(number, started=NOW + timedelta(seconds=second), owner=Owner(key="ann"), **more)
    return number, "call", begun, context(*digests)


def test_a_conversation_may_go_through_several_processes(tmp_path, store, shipper):
    write(tmp_path, in_context("1", 1, "a", "b"), in_context("3", 3, *"abcdef"))
    write(tmp_path, in_context("2", 2, *"abcd"), name="gateway-2")

    shipper.ship()

    assert anatomies(store) == [("1", 0, 0, 2), ("1", 1, 2, 2), ("1", 2, 4, 2)]


def test_a_conversation_is_known_after_a_restart(tmp_path, store, shipper):
    write(tmp_path, in_context("1", 1, "a", "b", "x"), in_context("2", 2, *"abcd"))
    shipper.ship()
    write(tmp_path, in_context("3", 3, *"abcdef"))

    other = Shipper(tmp_path, store, PriceBook())
    other.ship()
    other.close()

    assert anatomies(store)[1:] == [("1", 1, 2, 2), ("1", 2, 4, 2)]


def test_what_is_shipped_again_is_placed_as_it_was(tmp_path, store, shipper):
    write(tmp_path, in_context("1", 1, "a", "b"), in_context("2", 2, *"abcd"))
    shipper.ship()
    before = anatomies(store)
    (tmp_path / "gateway.shipped").unlink()  # the process ended before it noted how far it had come
    write(tmp_path, in_context("3", 3, *"abcdef"))

    other = Shipper(tmp_path, store, PriceBook())
    other.ship()
    other.close()

    assert anatomies(store)[:2] == before
    assert anatomies(store)[2][2:] == (4, 2)


def test_a_journal_of_a_version_without_contexts_is_read_and_written_on(tmp_path, store, shipper):
    base = sqlite3.connect(tmp_path / "gateway.sqlite")
    base.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT, kind TEXT, body BLOB)")
    body = msgspec.msgpack.encode(call("0"))
    base.execute("INSERT INTO records (number, kind, body) VALUES ('0', 'call', ?)", (body,))
    base.commit()
    base.close()

    shipper.ship()
    write(tmp_path, in_context("1", 1, "a"))
    shipper.ship()

    assert [entry.call.anatomy is None for entry in booked(store)] == [True, False]


def test_an_id_that_a_provider_gives_twice_names_one_call(tmp_path, store, shipper):
    native = "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx"
    write(tmp_path, ("1", "call", call("1", call_id=native)), ("2", "call", call("2", call_id=native)))
    later = call("3", call_id=native, started=NOON + timedelta(seconds=1))
    write(tmp_path, ("3", "call", later), name="gateway-2")

    shipper.ship()
    for journal in tmp_path.glob("*.shipped"):
        journal.unlink()
    shipper.ship()

    assert sorted(entry.call.call_id for entry in booked(store)) == [native, "gateway:2", "gateway:3"]


def test_outcomes_are_shipped(tmp_path, store, shipper):
    write(tmp_path, ("", "outcome", Outcome(outcome_id="o", task="PR-1", name="merged", value=1.0, time=NOON)))

    assert shipper.ship().records == {"outcomes": 1}
    assert store.records(OUTCOMES)[0].task == "PR-1"


def test_a_record_that_cannot_be_read_is_told_and_blocks_nothing(tmp_path, store, shipper):
    write(tmp_path, ("1", "call", b"\xc1"), ("2", "call", call("2")))

    moved = shipper.ship()

    assert [str(problem).rpartition(": ")[2] for problem in moved.problems] == ["record 1 (call) cannot be read"]
    assert len(booked(store)) == 1


def test_a_ledger_that_fails_loses_nothing(tmp_path, store, monkeypatch):
    write(tmp_path, ("1", "call", call("1")))
    away = open_store(":memory:")
    broken = Shipper(tmp_path, away, PriceBook())
    away.close()
    with pytest.raises(Exception, match=r"(?i)clos"):
        broken.ship()
    broken.close()

    whole = Shipper(tmp_path, store, PriceBook())
    assert len(whole.ship().entries) == 1
    whole.close()


def test_the_journal_forgets_what_was_shipped_but_for_the_newest(tmp_path, shipper, monkeypatch):
    monkeypatch.setattr("modicum.ledger.journal.KEPT_RECORDS", 2)
    write(tmp_path, *((f"{number}", "call", call(f"{number}")) for number in range(5)))
    shipper.ship()

    async def prune():
        journal = Journal(tmp_path)
        journal._prune()
        journal.close()

    asyncio.run(prune())

    base = sqlite3.connect(tmp_path / "gateway.sqlite")
    assert base.execute("SELECT number FROM records").fetchall() == [("3",), ("4",)]
    base.close()


def numbered(*numbers):
    return [(f"{number}", "call", call(f"{number}")) for number in numbers]


@pytest.mark.parametrize("restarted", [True, False])
def test_calls_after_a_journal_was_restored_from_a_backup_are_all_shipped(tmp_path, store, restarted):
    shipper = Shipper(tmp_path, store, PriceBook())
    write(tmp_path, *numbered(*range(100)))
    shipper.ship()
    backup = Backup(tmp_path / "gateway.sqlite")
    write(tmp_path, *numbered(*range(100, 160)))
    shipper.ship()

    backup.restore()
    write(tmp_path, *numbered(*range(1000, 1060)))  # the same numbers of records as before, and other calls
    if restarted:
        shipper.close()
        shipper = Shipper(tmp_path, store, PriceBook())
    moved = shipper.ship()

    assert len(booked(store)) == 220
    assert "was set back" in str(moved.problems[0])
    write(tmp_path, *numbered(2000))
    again = shipper.ship()
    assert (again.problems, len(again.entries)) == ([], 1)
    shipper.close()


def test_calls_of_a_journal_that_was_deleted_and_made_anew_are_all_shipped(tmp_path, store, shipper):
    write(tmp_path, *numbered(*range(100)))
    shipper.ship()
    remove(tmp_path / "gateway.sqlite")

    write(tmp_path, *numbered(*range(200, 260)))
    moved = shipper.ship()

    assert len(booked(store)) == 160
    assert "another one than before" in str(moved.problems[0])


def test_more_than_one_round_of_records_in_doubt_is_shipped_in_full(tmp_path, store, shipper, monkeypatch):
    monkeypatch.setattr("modicum.ledger.shipper.BATCH", 10)
    write(tmp_path, *numbered(*range(30)))
    while shipper.ship().more:
        pass
    backup = Backup(tmp_path / "gateway.sqlite")
    write(tmp_path, *numbered(*range(30, 40)))
    while shipper.ship().more:
        pass
    backup.restore()
    write(tmp_path, *numbered(*range(100, 120)))

    told = []
    while (moved := shipper.ship()).more:
        told += moved.problems

    assert len(booked(store)) == 60
    assert len(told) == 1


def test_a_set_back_journal_forgets_nothing_that_was_not_shipped(tmp_path, store, shipper):
    write(tmp_path, *numbered(*range(5)))
    backup = Backup(tmp_path / "gateway.sqlite")
    write(tmp_path, *numbered(*range(5, 50)))
    shipper.ship()
    backup.restore()

    async def pruned():
        journal = Journal(tmp_path, kept=1)
        await journal.append(Record("new", "call", msgspec.msgpack.encode(call("new"))))
        journal._prune()
        journal.close()

    asyncio.run(pruned())
    shipper.ship()

    assert len(booked(store)) == 51


def outcome(value, task="PR-1"):
    sent = Outcome(outcome_id="gateway:o", task=task, name="merged", value=value, time=NOON)
    return "", "outcome", sent


def test_an_old_outcome_that_comes_again_does_not_overwrite_a_newer_one(tmp_path, store, shipper):
    write(tmp_path, outcome(0.0))
    shipper.ship()
    backup = Backup(tmp_path / "gateway.sqlite")
    write(tmp_path, outcome(1.0))
    shipper.ship()
    backup.restore()

    assert shipper.ship().records == {"outcomes": 1}
    assert store.records(OUTCOMES)[0].value == 1.0

    write(tmp_path, outcome(0.5))
    backup.restore()
    write(tmp_path, outcome(0.25))
    shipper.ship()
    assert store.records(OUTCOMES)[0].value == 0.25


def test_a_late_context_of_a_journal_in_doubt_joins_its_call_once(tmp_path, store, shipper):
    write(tmp_path, ("1", "call", call("1", started=NOW)))
    shipper.ship()
    backup = Backup(tmp_path / "gateway.sqlite")
    write(tmp_path, ("1", "context", context("a", "b")), in_context("2", 2, *"abc"))
    shipper.ship()
    before = anatomies(store)
    backup.restore()
    write(tmp_path, ("1", "context", context("a", "b")), in_context("3", 3, *"abcd"))

    other = Shipper(tmp_path, store, PriceBook())
    other.ship()
    other.close()

    assert anatomies(store)[:2] == before
    assert [entry.call.call_id for entry in booked(store)] == ["gateway:1", "gateway:2", "gateway:3"]
    assert anatomies(store)[2][2] >= 2


def test_a_call_that_comes_back_as_unknown_is_not_booked_beside_its_end(tmp_path, store, shipper):
    native = "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx"
    begun = {"started": NOW, "owner": Owner(key="ann")}
    write(tmp_path, ("1", "call", call("1", call_id=native, **begun)))
    shipper.ship()
    remove(tmp_path / "gateway.sqlite")  # and the file of calls under way is of before the call ended
    lost = call("2", status=CallStatus.UNKNOWN, started=NOW + timedelta(seconds=1), owner=Owner(key="ann"))
    write(tmp_path, ("1", "call", call("1", status=CallStatus.UNKNOWN, **begun)), ("2", "call", lost))

    shipper.ship()

    assert sorted(entry.call.call_id for entry in booked(store)) == [native, "gateway:2"]


@pytest.mark.parametrize("name", GARBAGE)
def test_a_garbage_journal_is_named_once_and_stops_no_other(tmp_path, store, shipper, name):
    path = garbage(tmp_path, name)
    write(tmp_path, *numbered(1, 2))
    write(tmp_path, *numbered(3), name="zzz")

    told = [str(problem) for _ in range(4) for problem in shipper.ship().problems]

    assert {"gateway:1", "gateway:2", "gateway:3"} <= {entry.call.call_id for entry in booked(store)}
    (said,) = told
    assert said.startswith(f"{path}: the journal cannot be read (")
    assert f"mv '{path}' '{path}.broken'" in said


def test_a_journal_that_was_put_right_is_shipped_and_that_is_said(tmp_path, store, shipper):
    write(tmp_path, *numbered(1))
    journal = tmp_path / "gateway.sqlite"
    good = journal.read_bytes()
    journal.write_bytes(bytes(range(256)) * 64)
    shipper.ship()

    journal.write_bytes(good)

    assert [str(problem) for problem in shipper.ship().problems] == [f"{journal}: the journal can be read again"]
    assert len(booked(store)) == 1


@pytest.fixture
def nobodys_folder():
    """A folder of a user who may not read everything."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.geteuid() == 0
        if root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        yield Path(folder)
        if root:
            os.seteuid(0)


def test_a_journal_without_permission_is_named_and_stops_no_other(nobodys_folder, store):
    write(nobodys_folder, *numbered(1), name="a")
    write(nobodys_folder, *numbered(2))
    (nobodys_folder / "a.sqlite").chmod(0)
    shipper = Shipper(nobodys_folder, store, PriceBook())

    assert "cannot be read" in str(shipper.ship().problems[0])
    assert [entry.call.call_id for entry in booked(store)] == ["gateway:2"]
    (nobodys_folder / "a.sqlite").chmod(0o600)
    shipper.ship()
    shipper.close()
    assert len(booked(store)) == 2


def test_what_can_be_read_of_a_broken_journal_is_shipped(tmp_path, store, shipper):
    write(tmp_path, *[(f"{number}", "call", call(f"{number}", tags={"x": "y" * 3000})) for number in range(50)])
    journal = tmp_path / "gateway.sqlite"
    data = journal.read_bytes()
    journal.write_bytes(data[: len(data) // 2] + b"\xff" * (len(data) - len(data) // 2))

    moved = shipper.ship()

    assert "cannot be read" in str(moved.problems[-1])
    assert len(booked(store)) > 5


def test_a_record_of_a_wrong_kind_of_value_is_told_and_blocks_nothing(tmp_path, store, shipper):
    write(tmp_path, *numbered(1))
    base = sqlite3.connect(tmp_path / "gateway.sqlite")
    base.execute("INSERT INTO records (number, kind, body) VALUES (7, 'call', 3.5)")
    base.commit()
    base.close()
    write(tmp_path, *numbered(2))

    assert "record 2 (call) cannot be read" in str(shipper.ship().problems[0])
    assert len(booked(store)) == 2


@pytest.mark.parametrize("folder", [True, False])
def test_a_garbage_file_of_ids_is_set_aside_and_calls_go_on(tmp_path, store, folder):
    if folder:
        (tmp_path / "identities.db").mkdir()
    else:
        (tmp_path / "identities.db").write_bytes(bytes(range(256)) * 64)
    write(tmp_path, *numbered(1))

    shipper = Shipper(tmp_path, store, PriceBook())
    moved = shipper.ship()
    shipper.close()

    assert "is now identities.db.broken" in str(moved.problems[0])
    assert len(booked(store)) == 1
