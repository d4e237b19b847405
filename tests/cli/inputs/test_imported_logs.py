import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modicum.cli.inputs import imported_logs
from modicum.cli.inputs.imported_logs import ImportedLogs
from modicum.importers.read_logs import read_calls
from modicum.ledger.booking import book_all
from modicum.ledger.store import Purge
from modicum.library.resources import open_ledger
from modicum.metering.prices import PriceBook


@pytest.fixture
def store(tmp_path):
    with open_ledger(str(tmp_path / "ledger.duckdb"), creates=True) as opened:
        yield opened


@pytest.fixture
def logs(transcripts, tmp_path):
    return shutil.copytree(transcripts, tmp_path / "logs")


def chosen(store, logs, **options):
    """Names of the files that an import would read; it is done, too."""
    from modicum.cli.import_logs import make_reading

    known = ImportedLogs(store, [str(logs)])
    to_import = known.choose([logs], **options)
    found = list(read_calls(to_import.files, make_reading(anatomy=False)))
    calls = [one for one in found if hasattr(one, "call_id")]
    store.append(list(book_all(calls, PriceBook())))
    known.remember(to_import, [one for one in found if not hasattr(one, "call_id")], {call.source for call in calls})
    return sorted(path.name for path in to_import.files), [str(problem) for problem in to_import.problems]


def every_name(logs):
    return sorted(path.name for path in Path(logs).rglob("*.jsonl"))


def test_what_did_not_change_is_not_read_again_and_its_problems_stay(store, logs):
    (logs / "odd.jsonl").write_text("no log\n")
    assert chosen(store, logs)[0] == every_name(logs)

    files, problems = chosen(store, logs)

    assert files == []
    assert any("odd.jsonl" in problem for problem in problems)
    assert chosen(store, logs, again=True)[0] == every_name(logs)


def test_only_files_that_joined_or_grew_are_read(store, logs):
    chosen(store, logs)
    with (logs / "session.jsonl").open("a") as file:
        file.write("\n")
    shutil.copy(logs / "session.jsonl", logs / "fresh.jsonl")

    assert chosen(store, logs)[0] == ["fresh.jsonl", "session.jsonl"]


def test_a_file_that_was_written_anew_has_all_read_again(store, logs):
    chosen(store, logs)
    (logs / "session.jsonl").write_text("{}\n")

    assert chosen(store, logs)[0] == every_name(logs)


def test_a_ledger_that_forgot_calls_gets_them_again(store, logs):
    chosen(store, logs)
    store.purge(Purge(before=datetime(2100, 1, 1, tzinfo=UTC)))

    assert chosen(store, logs)[0] == every_name(logs)


def test_another_version_of_the_program_reads_all(store, logs, monkeypatch):
    chosen(store, logs)
    monkeypatch.setattr(imported_logs, "program_version", lambda: "another")

    assert chosen(store, logs)[0] == every_name(logs)


def test_another_ledger_and_other_logs_are_no_import_of_these(store, logs, tmp_path):
    chosen(store, logs)

    with open_ledger(str(tmp_path / "other.duckdb"), creates=True) as other:
        assert chosen(other, logs)[0] == every_name(logs)
    assert ImportedLogs(store, [str(logs), "without anatomy"]).choose([logs]).files_unchanged == 0


def test_a_file_of_marks_that_nobody_can_read_costs_time_and_nothing_else(store, logs):
    chosen(store, logs)
    for file in (imported_logs.cache_folder() / "imports").iterdir():
        file.write_bytes(b"\xc1")

    assert chosen(store, logs)[0] == every_name(logs)
