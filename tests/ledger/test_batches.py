import sqlite3
from datetime import UTC, datetime

import pytest

from ledger.faults import garbage, left_open
from modicum.calls import Basis, Call, Usage, UserError
from modicum.ledger import batches
from modicum.ledger.batches import BatchFile, BegunBatch

CALL = Call(
    call_id="gateway:1",
    source="gateway",
    provider="openai",
    model="path:/v1/batches",
    started=datetime(2026, 11, 30, tzinfo=UTC),
    usage=Usage(),
    usage_basis=Basis.UNKNOWN,
)
BATCH = BegunBatch("batch_1", "1", "openai", CALL)


def test_a_batch_and_its_files_are_there_after_a_restart(tmp_path):
    file = BatchFile(tmp_path / "batches.sqlite")
    file.add(BATCH)
    file.add(BATCH._replace(number="2"))
    file.add_file("file-1", "batch_1")
    file.close()

    again = BatchFile(tmp_path / "batches.sqlite")
    assert again.find("batch_1") == BATCH
    assert (again.batch_of("file-1"), again.batch_of("file-2"), again.find("batch_2")) == ("batch_1", "", None)
    again.close()


def test_a_batch_that_nobody_reads_is_forgotten_in_the_end(tmp_path, monkeypatch):
    file = BatchFile(tmp_path / "batches.sqlite")
    file.add(BATCH)
    file.close()
    monkeypatch.setattr(batches, "KEPT_S", -60.0)

    again = BatchFile(tmp_path / "batches.sqlite")
    assert again.find("batch_1") is None
    again.close()


def test_a_file_that_is_none_is_named(tmp_path):
    (tmp_path / "batches.sqlite").write_bytes(b"no database" * 100)

    with pytest.raises(UserError, match=r"batches\.sqlite"):
        BatchFile(tmp_path / "batches.sqlite")


def test_a_file_that_is_none_is_not_left_open(tmp_path, monkeypatch):
    path = garbage(tmp_path, "random")

    def open_it():
        with pytest.raises(UserError):
            BatchFile(path)

    assert left_open(monkeypatch, open_it) == 0


def test_what_cannot_be_written_is_said(tmp_path):
    file = BatchFile(tmp_path / "batches.sqlite")
    file.close()

    with pytest.raises(sqlite3.Error):
        file.add(BATCH)
