import json
import os
from pathlib import Path

import pytest

from modicum.cli.inputs import log_sets
from modicum.cli.inputs.log_sets import MOST_SETS, find_log_set, open_log_set
from modicum.metering.prices import PriceBook


@pytest.fixture(autouse=True)
def _saving_small_logs(monkeypatch):
    monkeypatch.setattr(log_sets, "WORTH_SAVING_BYTES", 1)


@pytest.fixture
def reads(monkeypatch):
    """The files that were read, read by read."""
    lists = []
    original = log_sets.read_logs

    def read(files, *words, **named):
        lists.append(sorted(Path(file).name for file in files))
        return original(files, *words, **named)

    monkeypatch.setattr(log_sets, "read_logs", read)
    return lists


def bill_of(*paths, source=None):
    problems = []
    prices = PriceBook()
    with open_log_set(find_log_set(paths, source, prices), prices, problems) as store:
        return store.ask("holdings"), [str(one) for one in problems]


def append_call(path, name):
    """The last reply of a session, once more under another id."""
    row = next(
        row
        for row in map(json.loads, reversed(path.read_text().splitlines()))
        if (row.get("message") or {}).get("usage")
    )
    row["uuid"], row["requestId"], row["message"]["id"] = name, f"req_{name}", f"msg_{name}_00000000000000000000"
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def test_unchanged_logs_are_read_once_and_bring_the_same_problems(transcripts, reads):
    (transcripts / "odd.jsonl").write_text("no log\n")
    first = bill_of(transcripts)

    assert bill_of(transcripts) == first
    assert len(reads) == 1
    assert any("odd.jsonl" in problem for problem in first[1])


def test_a_log_that_grew_is_read_alone_and_the_others_are_not(transcripts, reads):
    before = bill_of(transcripts)[0][0]["calls"]
    append_call(transcripts / "session.jsonl", "fresh")

    assert bill_of(transcripts)[0][0]["calls"] == before + 1
    assert reads[1] == ["session.jsonl"]


def test_a_log_that_joined_is_read_alone(transcripts, reads):
    text = (transcripts / "rewind.jsonl").read_text()
    (transcripts / "rewind.jsonl").unlink()
    bill_of(transcripts)
    (transcripts / "rewind.jsonl").write_text(text)

    joined = bill_of(transcripts)
    assert reads[1] == ["rewind.jsonl"]
    assert joined[0][0]["calls"] == bill_of(transcripts, source="claude-code")[0][0]["calls"]


@pytest.mark.parametrize("change", ["written anew", "gone"])
def test_after_any_other_change_all_are_read(transcripts, reads, change):
    bill_of(transcripts)
    path = transcripts / "session.jsonl"
    rows = path.read_text().splitlines(keepends=True)
    if change == "gone":
        path.unlink()
    else:
        path.write_text("".join(rows[1:]))

    bill_of(transcripts)
    assert reads[1] == sorted(one.name for one in transcripts.iterdir())


def test_what_one_verb_writes_into_the_ledger_no_other_finds(transcripts):
    from modicum.insights.scoping.time_span import NEVER
    from modicum.ledger.store import Purge

    prices = PriceBook()
    with open_log_set(find_log_set([transcripts], None, prices), prices, []) as store:
        assert store.purge(Purge(before=NEVER)) > 0

    assert bill_of(transcripts)[0][0]["calls"] > 0


def test_a_cache_folder_that_cannot_be_written_leaves_the_logs_readable(transcripts, home, reads):
    (home / "xdg_cache_home").write_text("a file in its place")

    assert bill_of(transcripts)[0]
    assert bill_of(transcripts)[0]
    assert len(reads) == 2


def test_a_torn_ledger_in_the_cache_is_made_anew(transcripts, home, reads):
    bill_of(transcripts)
    (ledger,) = (home / "xdg_cache_home").rglob("ledger.duckdb")
    ledger.with_name("files.msgpack").write_bytes(b"torn")
    ledger.write_bytes(b"torn")

    assert bill_of(transcripts)[0]
    assert len(reads) == 2


def test_files_in_the_cache_are_for_their_user_alone(modicum, transcripts, home):
    modicum("anatomy", transcripts)

    paths = list((home / "xdg_cache_home" / "modicum").rglob("*"))
    assert paths
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths)


def test_only_the_sets_that_were_used_last_stay(tmp_path, transcripts):
    folder = tmp_path / "logs"
    for number in range(MOST_SETS + 2):
        (folder / str(number)).mkdir(parents=True)
        os.utime(folder / str(number), (number, number))

    log_sets._forget_others(folder)

    assert sorted(int(one.name) for one in folder.iterdir()) == list(range(2, MOST_SETS + 2))
