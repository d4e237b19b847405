"""The ledger in a DuckDB file, where it differs from the other engine."""

import subprocess
import sys
import textwrap
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import msgspec
import pytest

from ledger.samples import FULL, START, entry
from modicum.calls import Outcome, UserError
from modicum.ledger.embedded import DuckDBStore
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

pytestmark = pytest.mark.usefixtures("made_ledgers")


def test_a_file_held_by_another_process_is_one_line_that_says_by_whom(tmp_path):
    path = tmp_path / "ledger.duckdb"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
            from modicum.ledger.opening import open_store
            store = open_store({str(path)!r})
            print("open", flush=True)
            input()
            """),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(UserError, match=rf"held by process {holder.pid}") as refused:
            open_store(str(path))
        assert "\n" not in str(refused.value)
    finally:
        holder.communicate("\n")


def test_a_process_killed_while_it_makes_the_ledger_leaves_none_that_never_opens(tmp_path, monkeypatch):
    path = tmp_path / "ledger.duckdb"

    def killed(place, **_):
        Path(place).write_bytes(bytes(4096))  # as much of a file as there was time for
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("duckdb.connect", killed)
        with pytest.raises(SystemExit):
            open_store(str(path))

    open_store(str(path)).close()
    assert [file.name for file in tmp_path.glob("ledger*")] == ["ledger.duckdb"]

    path.write_bytes(b"")
    with pytest.raises(UserError, match="is empty: its making was cut short; delete the file and run the command"):
        open_store(str(path))


def test_a_file_system_without_links_has_a_ledger_too(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refused)

    open_store(str(tmp_path / "ledger.duckdb")).close()

    assert [file.name for file in tmp_path.glob("ledger*")] == ["ledger.duckdb"]


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello " * 10_000)

    with pytest.raises(UserError, match="no ledger that can be read"):
        open_store(str(path))


def test_a_ledger_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "ledger.duckdb"
    DuckDBStore(path).close()
    with duckdb.connect(path) as base:
        base.execute("INSERT INTO schema_versions VALUES (900, now())")

    with pytest.raises(UserError, match=r"ledger.duckdb was written by a newer modicum \(schema 900\)"):
        DuckDBStore(path)


def test_a_batch_that_fails_is_not_booked_in_part():
    store = DuckDBStore(":memory:")
    absurd = msgspec.structs.replace(FULL.call, call_id="c2", turn=2**70)

    with pytest.raises(OverflowError):
        store.append([entry("c1"), msgspec.structs.replace(FULL, call=absurd)])
    assert list(store.entries()) == []
    assert store.append([entry("c1")]).new == 1
    store.close()


def test_money_is_exact_to_ten_places_and_times_of_any_zone_are_the_same_moment():
    store = DuckDBStore(":memory:")
    there = timezone(timedelta(hours=9))
    store.append([entry(usd="12345678.0123456789", started=START.astimezone(there))])
    value = Outcome(outcome_id="o", task="", name="", value=3, time=START.astimezone(there))
    half = msgspec.structs.replace(value, outcome_id="p", value=0.5)
    store.append_records(OUTCOMES, [value, half])

    (stored,) = next(store.entries())
    assert (stored.cost.usd, stored.call.started.tzinfo) == (Decimal("12345678.0123456789"), UTC)
    assert [(o.value, o.time) for o in store.records(OUTCOMES)] == [(3.0, START), (0.5, START)]
    store.close()


def test_a_file_is_read_by_many_that_do_not_write(tmp_path):
    path = tmp_path / "ledger.duckdb"
    DuckDBStore(path).close()
    one, other = DuckDBStore(path, read_only=True), DuckDBStore(path, read_only=True)

    assert one.records(OUTCOMES) == other.records(OUTCOMES) == []
    one.close()
    other.close()
