import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from modicum.calls import Call, Outcome, Owner, SegmentKind, Usage
from modicum.ledger.conversations import ContextPart
from modicum.ledger.journal import Journal, Record, shipped_position
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
            await journal.added(Record(number, kind, body, *map(msgspec.msgpack.encode, context)))
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
    assert shipped_position(tmp_path / "gateway.sqlite") == 2


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
