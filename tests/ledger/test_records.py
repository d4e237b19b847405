"""The nouns of the ledger beside entries, on both engines; and that a new one is a struct and a row."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ledger.samples import EVER, START, window
from ledger.samples import entry as sample_entry
from ledger_process.rig import LedgerProcess, until
from modicum.calls import Anatomy, AuditEvent, Outcome, Owner, Segment, SegmentKind, Shortening
from modicum.ledger.copying import copy_ledger
from modicum.ledger.journal import Journal, Record
from modicum.ledger.opening import open_store
from modicum.ledger.record_table import Column, ColumnKind, RecordTable, Repeats
from modicum.ledger.records import AUDIT_EVENTS, ENERGY_WINDOWS, OUTCOMES, RECORDS, SHORTENINGS, shortenings_of
from modicum.ledger.store import Appended, Purge, Store
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import find


def test_an_outcome_told_again_is_replaced(store):
    told = Outcome(outcome_id="o1", task="t", name="resolved", value=0.0, time=START)
    store.append_records(OUTCOMES, [told])
    store.append_records(OUTCOMES, [msgspec.structs.replace(told, value=1.0)])
    long_ago = [msgspec.structs.replace(told, value=0.5)] * 2
    assert store.append_records(OUTCOMES, long_ago, [2, 1]) == Appended(unchanged=2)

    assert [o.value for o in store.records(OUTCOMES)] == [1.0]


def test_an_outcome_comes_back_as_it_was_booked(store):
    later = Outcome(outcome_id="a", task="it's", name="lines", value=12.5, time=START + timedelta(1), source="ci")
    first = Outcome(outcome_id="b", task="", name="resolved", value=0.0, time=START + timedelta(microseconds=1))

    assert store.append_records(OUTCOMES, [later, first, later]) == Appended(new=2, unchanged=1)
    assert store.append_records(OUTCOMES, [first]) == Appended(replaced=1)
    assert store.records(OUTCOMES) == [first, later]


def test_a_window_of_energy_comes_back_as_it_was_booked(store):
    later = window(started=START.timestamp() + 60, cached_tokens=7.0, steps=None, counted=False, provider="")
    store.append_records(ENERGY_WINDOWS, [later, window()])

    assert store.records(ENERGY_WINDOWS, **EVER) == [window(), later]
    assert store.records(ENERGY_WINDOWS, START + timedelta(seconds=30), START + timedelta(hours=1)) == [later]


def test_a_window_of_energy_is_booked_once_in_whatever_batch_it_comes(store):
    other = window(started=START.timestamp() + 9)

    assert store.append_records(ENERGY_WINDOWS, [window(), window()]) == Appended(new=1, unchanged=1)
    assert store.append_records(ENERGY_WINDOWS, [window(), other]) == Appended(new=1, unchanged=1)
    assert store.append_records(ENERGY_WINDOWS, []) == Appended()
    assert store.records(ENERGY_WINDOWS, **EVER) == [window(), other]


def test_windows_of_energy_are_forgotten_by_age(store):
    later = window(started=START.timestamp() + 60)
    store.append_records(ENERGY_WINDOWS, [window(), later])

    assert store.purge(Purge(before=START + timedelta(seconds=30))) == 0
    assert store.purge_records(START + timedelta(seconds=30)) == {"energy_windows": 1, "shortenings": 0}
    assert store.records(ENERGY_WINDOWS, **EVER) == [later]


def test_windows_are_told_by_their_servers(store):
    store.append_records(
        ENERGY_WINDOWS, [window(), window(started=START.timestamp() + 60), window(servers=("http://b:8000",))]
    )

    one, other = store.ask("energy_holdings")
    assert [row["windows"] for row in (one, other)] == [2, 1]
    assert one["joules"] == 2 * window().joules
    assert one["last_started"] - one["first_started"] == timedelta(seconds=60) - timedelta(microseconds=123456)


def test_the_longer_record_of_a_window_stands(store):
    store.append_records(ENERGY_WINDOWS, [window(seconds=2.0, joules=400.0)])

    assert store.append_records(ENERGY_WINDOWS, [window()]) == Appended(replaced=1)
    assert store.append_records(ENERGY_WINDOWS, [window(seconds=2.0, joules=400.0)]) == Appended(unchanged=1)
    assert store.records(ENERGY_WINDOWS, **EVER) == [window()]


def test_a_decision_is_in_the_audit_log_once(store):
    made = AuditEvent(
        event_id="a",
        at=START,
        by="ann",
        kind="key",
        what="issued",
        subject="7f",
        owner=Owner("platform", "app", "user", "ci"),
        details={"models": "gpt-*"},
    )
    gone = AuditEvent(event_id="b", at=START + timedelta(1), by="bob", kind="key", what="revoked", subject="7f")

    assert store.append_records(AUDIT_EVENTS, [gone, made, made]) == Appended(new=2, unchanged=1)
    assert store.append_records(AUDIT_EVENTS, [made, gone]) == Appended(unchanged=2)
    assert store.append_records(AUDIT_EVENTS, []) == Appended()

    assert store.records(AUDIT_EVENTS) == [made, gone]


class Toy(msgspec.Struct, frozen=True, kw_only=True):
    toy_id: str
    revision: int = 0
    at: datetime = START
    maker: str = ""
    usd: Decimal = Decimal(0)
    weight: float | None = None
    is_soft: bool = False


TOYS: RecordTable[Toy] = RecordTable(
    name="toys",
    label="toys",
    noun=Toy,
    columns=(
        Column("toy_id", ColumnKind.TEXT, lambda t: t.toy_id),
        Column("revision", ColumnKind.WHOLE, lambda t: t.revision),
        Column("made_at", ColumnKind.TIME, lambda t: t.at),
        Column("maker", ColumnKind.NAME, lambda t: t.maker),
        Column("usd", ColumnKind.MONEY, lambda t: t.usd),
        Column("weight", ColumnKind.NUMBER, lambda t: t.weight, nullable=True),
        Column("is_soft", ColumnKind.FLAG, lambda t: t.is_soft),
    ),
    from_row=lambda row: Toy(
        toy_id=row["toy_id"],
        revision=row["revision"],
        at=row["made_at"],
        maker=row["maker"],
        usd=row["usd"],
        weight=row["weight"],
        is_soft=row["is_soft"],
    ),
    identity="toy_id",
    time="made_at",
    repeats=Repeats.GREATEST_REVISION_STANDS,
    purged_by_age=True,
    journal_kind="toy",
)
BEAR = Toy(toy_id="bear", maker="it's; DROP TABLE toys", usd=Decimal("12.0000000001"), weight=0.5, is_soft=True)
CAR = Toy(toy_id="car", at=START + timedelta(days=1, microseconds=1), usd=Decimal(3), weight=2.0)
KITE = Toy(toy_id="kite", at=CAR.at)


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.setitem(RECORDS, TOYS.name, TOYS)


@contextmanager
def opened(door: str, place: str, folder) -> Iterator[Store]:
    """A ledger by either door: its engine, or the process that holds it."""
    if door == "engine":
        store: Store = open_store(place)
        yield store
        store.close()
    else:
        with LedgerProcess(folder, place=place):
            yield LedgerProcessStore(find(folder))


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("door", ["engine", "ledger process"])
def test_a_new_noun_is_a_struct_and_a_row(door, place, tmp_path):
    with opened(door, place, tmp_path) as store:
        assert store.append_records(TOYS, [KITE, CAR, BEAR, BEAR]) == Appended(new=3, unchanged=1)
        assert store.records(TOYS) == [BEAR, CAR, KITE]
        heavy = msgspec.structs.replace(BEAR, revision=1, weight=0.75)
        assert store.append_records(TOYS, [heavy, CAR]) == Appended(replaced=1, unchanged=1)
        assert store.append_records(TOYS, [BEAR]) == Appended(unchanged=1)
        assert store.records(TOYS, START, CAR.at) == [heavy]
        assert store.records(TOYS, CAR.at) == [CAR, KITE]
        assert store.records(TOYS, after=heavy, most=1) == [CAR]
        assert store.records(TOYS, after=CAR, most=1) == [KITE]
        assert store.records(TOYS, after=KITE, most=1) == []

        other = open_store(":memory:")
        copied = copy_ledger(store, other, batch=1)
        assert (copied.records["toys"], other.records(TOYS)) == (Appended(new=3), [heavy, CAR, KITE])
        other.close()

        assert store.purge_records(CAR.at) == {"energy_windows": 0, "shortenings": 0, "toys": 1}
        assert store.records(TOYS) == [CAR, KITE]


@pytest.mark.usefixtures("toys")
def test_a_new_noun_comes_through_a_gateways_journal(tmp_path):
    async def write():
        journal = Journal(tmp_path / "journal")
        await journal.append(Record("1", "toy", msgspec.msgpack.encode(BEAR)))
        journal.close()

    with LedgerProcess(tmp_path):
        asyncio.run(write())
        store = LedgerProcessStore(find(tmp_path))
        assert until(lambda: store.records(TOYS)) == [BEAR]


@pytest.mark.usefixtures("toys")
def test_verbs_copy_and_forget_a_new_noun(modicum, place, tmp_path):
    store = open_store(place)
    store.append_records(TOYS, [BEAR, CAR])
    store.close()
    there = tmp_path / "there.duckdb"

    assert modicum("ledger", "copy", place, there, "--json").json["toys"] == 2
    purged = modicum("ledger", "purge", "--ledger", there, "--before", "2026-02-04", "--yes", "--json").json
    assert (purged["toys_purged"], purged["windows_purged"]) == (1, 0)
    again = modicum("ledger", "copy", place, there)
    assert again.out.endswith(
        "0 windows of energy, 0 events of the audit log, 0 hypothetical edits of tool results, 1 toys\n"
    )


@pytest.mark.usefixtures("toys")
def test_of_a_record_whose_time_was_mended_no_older_revision_comes_back_when_it_is_forgotten(store):
    store.append_records(TOYS, [CAR])
    store.append_records(TOYS, [msgspec.structs.replace(CAR, revision=1, at=START), KITE])

    assert store.purge_records(CAR.at) == {"energy_windows": 0, "shortenings": 0, "toys": 1}
    assert store.records(TOYS) == [KITE]


def test_what_the_ledger_had_of_a_noun_stays_when_the_noun_gets_a_column(monkeypatch, place):
    monkeypatch.setitem(RECORDS, TOYS.name, TOYS)
    store = open_store(place)
    store.append_records(TOYS, [BEAR])
    store.close()
    wheels = Column("wheels", ColumnKind.NUMBER, lambda _: 4, default=0.5)
    colour = Column("colour", ColumnKind.NAME, lambda _: None, nullable=True)
    monkeypatch.setitem(
        RECORDS,
        TOYS.name,
        msgspec.structs.replace(TOYS, columns=(*TOYS.columns, wheels, colour), from_row=lambda row: row),
    )
    for _ in range(2):
        store = open_store(place)
        store.append_records(RECORDS["toys"], [CAR])
        found = store.records(RECORDS["toys"])
        store.close()

        assert [(row["toy_id"], row["wheels"], row["colour"]) for row in found] == [
            ("bear", 0.5, None), ("car", 4.0, None)
        ]  # fmt: skip


def test_many_at_once_are_settled_as_one_by_one(store):
    many = [Outcome(outcome_id=f"o{n}", task="t", name="n", value=n, time=START) for n in range(5_000)]
    store.append_records(OUTCOMES, many[:3_000])

    assert store.append_records(OUTCOMES, many) == Appended(new=2_000, replaced=3_000)
    assert len(store.records(OUTCOMES)) == 5_000


def test_what_rules_would_have_sent_goes_with_its_call(store):
    shorter = (Shortening("content.cut", 0.25), Shortening("all", 0.2))
    result = Segment(SegmentKind.TOOL_RESULT, 100, b"digest-of-sixteen", shortenings=shorter)
    entry = sample_entry("c1", anatomy=Anatomy(0, 0, (result, result)))
    rows = shortenings_of([entry])
    store.append([entry])

    assert store.append_records(SHORTENINGS, rows) == Appended(new=2)
    assert {(row.rules, row.share) for row in store.records(SHORTENINGS)} == {("content.cut", 0.25), ("all", 0.2)}
    assert store.ask_columns("history_shortenings", **EVER)["rules"].tolist() == ["all", "content.cut"]
    store.purge(Purge(before=EVER["until"]))
    assert store.records(SHORTENINGS) == []
