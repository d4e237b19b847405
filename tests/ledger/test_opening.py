"""Ledgers are opened wherever they are, and however old they are."""

import gzip
import shutil
from pathlib import Path

import msgspec
import pytest

from ledger.samples import entry
from modicum.calls import AuditEvent, EnergyWindow, Entry, Outcome, UserError
from modicum.calls.anatomy import BookedShortening
from modicum.ledger.copying import copy_ledger
from modicum.ledger.opening import open_store
from modicum.ledger.records import RECORDS
from modicum.ledger.store import Appended

FIXTURES = Path(__file__).parent / "fixtures"
WRITTEN_BEFORE = sorted(path.name.removesuffix(".duckdb.gz") for path in FIXTURES.glob("*.duckdb.gz"))
"""Ledgers of former versions, each beside what the version that wrote it read from it (`fixtures/README.md`)."""


class Contents(msgspec.Struct):
    entries: list[Entry]
    outcomes: list[Outcome] = []
    energy_windows: list[EnergyWindow] = []
    audit_events: list[AuditEvent] = []
    shortenings: list[BookedShortening] = []


@pytest.fixture(params=WRITTEN_BEFORE)
def written_before(request, tmp_path):
    """The ledger's file, and what it holds."""
    path = tmp_path / "written_before.duckdb"
    with gzip.open(FIXTURES / f"{request.param}.duckdb.gz") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    contents = msgspec.json.decode((FIXTURES / f"{request.param}.json").read_bytes(), type=Contents)
    for name, table in RECORDS.items():  # a version may read them in another order
        getattr(contents, name).sort(key=table.place_of)
    return path, contents


def contents_of(store):
    records = {name: store.records(table) for name, table in RECORDS.items()}
    return Contents([one for batch in store.entries() for one in batch], **records)


def test_a_ledger_written_before_reads_the_same_and_takes_more(written_before):
    path, contents = written_before
    store = open_store(str(path))

    assert contents_of(store) == contents
    assert store.append(contents.entries) == Appended(unchanged=len(contents.entries))
    assert store.append([entry("of this version")]) == Appended(new=1)
    for name, table in RECORDS.items():
        assert store.append_records(table, getattr(contents, name)).new == 0
    store.close()


def test_a_ledger_written_before_can_be_copied_onto_the_other_engine(written_before, tmp_path):
    path, contents = written_before
    one, other = open_store(str(path)), open_store(f"chdb://{tmp_path}/chdb")
    copy_ledger(one, other)

    assert contents_of(other) == contents
    one.close()
    other.close()


def test_a_ledger_is_opened_again_as_it_was(store, place):
    store.append([entry()])
    store.close()
    again = open_store(place)

    assert again.append([entry()]) == Appended(unchanged=1)
    again.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [("mysql://x", "is no ledger"), ("clickhouse://127.0.0.1:1/none", "does not answer")],
)
def test_a_place_that_is_no_ledger_is_refused(url, reason):
    with pytest.raises(UserError, match=reason):
        open_store(url)
