import asyncio
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from ledger.faults import garbage, remove
from modicum.calls import UserError
from modicum.ledger import positions
from modicum.ledger.journal import SHIPPED, Journal, NotDurable, Record, written_ns
from modicum.ledger.journal_files.write_ahead import WriteAheadLog


def numbers_in(folder):
    base = sqlite3.connect(folder / "gateway.sqlite")
    rows = base.execute("SELECT number FROM records ORDER BY seq").fetchall()
    base.close()
    return [number for (number,) in rows]


def record(number):
    return Record(number, "call", b"body")


@contextmanager
def disk_that_refuses():
    """No file may grow past its first byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_finished_record_is_in_the_file_before_finish_returns(tmp_path):
    async def one():
        journal = Journal(tmp_path)
        await journal.finish(journal.begin(b"begun"), record("a"))
        found = numbers_in(tmp_path), journal.calls_under_way
        journal.close()
        return found

    assert asyncio.run(one()) == (["a"], 0)


def test_records_of_many_calls_share_commits(tmp_path):
    async def many():
        journal = Journal(tmp_path)
        slots = [journal.begin(b"begun") for _ in range(50)]
        await asyncio.gather(*(journal.finish(slot, record(f"{slot}")) for slot in slots))
        commits = journal.commits
        journal.close()
        return commits

    assert asyncio.run(many()) < 25
    assert len(numbers_in(tmp_path)) == 50


def test_what_a_killed_process_had_under_way_is_left_and_recovered_once(tmp_path):
    async def killed():
        journal = Journal(tmp_path)
        journal.begin(b"one")
        await journal.finish(journal.begin(b"two"), record("two"))
        journal._lock.release()  # as the kernel does; nothing else is closed

    async def next_process():
        journal = Journal(tmp_path)
        found = journal.left_under_way(), journal.finished_numbers()
        await journal.recover([record("one")])
        left = journal.left_under_way()
        journal.close()
        return *found, left

    asyncio.run(killed())

    assert asyncio.run(next_process()) == ([b"one"], {"two"}, [])
    assert numbers_in(tmp_path) == ["two", "one"]


def test_a_disk_that_refuses_is_told_and_the_record_is_written_when_it_relents(tmp_path):
    async def refused():
        journal = Journal(tmp_path, patience_s=0.1)
        await journal.append(record("before"))
        with disk_that_refuses(), pytest.raises(NotDurable):
            await journal.finish(journal.begin(b"begun"), record("during"))
        unwell = journal.healthy
        await journal.append(record("after"))
        well = journal.healthy, journal.calls_under_way
        journal.close()
        return unwell, *well

    assert asyncio.run(refused()) == (False, True, 0)
    assert numbers_in(tmp_path) == ["before", "during", "after"]


def test_two_gateways_cannot_share_a_journal(tmp_path):
    async def two():
        journal = Journal(tmp_path)
        try:
            with pytest.raises(UserError, match="another gateway"):
                Journal(tmp_path)
        finally:
            journal.close()

    asyncio.run(two())


def test_a_record_that_nobody_waits_for_is_written_before_the_end(tmp_path):
    async def added():
        journal = Journal(tmp_path)
        journal.add(record("late"))
        journal.close()

    asyncio.run(added())

    assert numbers_in(tmp_path) == ["late"]


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - another thread's doing
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("what", ["folder", "gateway.sqlite", "gateway.underway", "gateway.sqlite-wal"])
def test_a_journal_that_is_deleted_while_it_is_open_takes_no_record_for_durable(tmp_path, what):
    folder = tmp_path / "journal"

    async def deleted():
        journal = Journal(folder, patience_s=0.1)
        await journal.append(record("before"))
        if what == "folder":
            shutil.rmtree(folder)
        else:
            (folder / what).unlink()
        with pytest.raises(NotDurable, match=r"was deleted, moved or replaced .* restart 'modicum up'"):
            await journal.append(record("during"))
        reason = journal.reason
        journal.close()
        return reason

    reason = asyncio.run(deleted())

    assert str(folder / ("gateway.sqlite" if what == "folder" else what)) in reason


def test_a_journal_that_is_moved_away_says_so_by_itself_and_goes_on_when_it_is_back(tmp_path, monkeypatch):
    monkeypatch.setattr("modicum.ledger.journal.FLUSH_EVERY_S", 0.01)
    folder = tmp_path / "journal"

    async def moved():
        journal = Journal(folder, patience_s=0.1)
        folder.rename(tmp_path / "elsewhere")
        await until(lambda: not journal.healthy)
        reason = journal.reason
        with pytest.raises(NotDurable):
            await journal.append(record("during"))
        (tmp_path / "elsewhere").rename(folder)
        await until(lambda: journal.healthy)
        await journal.append(record("after"))
        journal.close()
        return reason

    assert "was deleted, moved or replaced" in asyncio.run(moved())
    assert numbers_in(folder) == ["during", "after"]


@pytest.mark.parametrize("durable", ["disk", "process"])
def test_what_was_written_while_the_journal_was_elsewhere_is_not_written_again_when_it_is_back(tmp_path, durable):
    folder = tmp_path / "journal"

    async def moved():
        journal = Journal(folder, patience_s=0.1, durable=durable)
        await journal.append(record("before"))
        folder.rename(tmp_path / "elsewhere")
        for number in ("one", ""):  # at once: nobody has noticed yet
            with pytest.raises(NotDurable):
                await journal.append(record(number))
        (tmp_path / "elsewhere").rename(folder)
        await journal.append(record("after"))
        journal.close()

    asyncio.run(moved())
    numbers = numbers_in(folder)

    assert len(numbers) == 4
    assert [number for number in numbers if "-" not in number] == ["before", "one", "after"]


@pytest.mark.parametrize("name", ["a folder", "random", "of another program"])
def test_a_garbage_journal_makes_way_and_stays_for_whoever_looks_at_it(tmp_path, name):
    path = garbage(tmp_path, name)

    async def started():
        journal = Journal(tmp_path, name)
        await journal.append(record("a"))
        journal.close()
        return journal.set_aside

    assert asyncio.run(started()) == [tmp_path / f"{name}.sqlite.broken"]
    base = sqlite3.connect(path)
    assert base.execute("SELECT number FROM records").fetchall() == [("a",)]
    base.close()


def test_a_journal_that_breaks_while_it_runs_makes_way_and_no_record_is_lost(tmp_path):
    async def broken():
        journal = Journal(tmp_path, patience_s=5.0)
        for number in range(200):
            journal.add(Record(f"{number}", "call", b"x" * 2000))
        await journal.append(record("before"))
        base = sqlite3.connect(tmp_path / "gateway.sqlite")
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.close()
        with (tmp_path / "gateway.sqlite").open("r+b") as file:  # in place: it stays the same file
            file.write(b"garbage!" * 8192)
        await journal.append(record("after"))
        healthy = journal.healthy
        journal.close()
        return healthy, journal.set_aside

    assert asyncio.run(broken()) == (True, [tmp_path / "gateway.sqlite.broken"])
    assert numbers_in(tmp_path)[-1] == "after"


def test_each_journal_has_an_identity_that_stays_and_is_no_others(tmp_path):
    def identity():
        asyncio.run(opened())
        base = sqlite3.connect(tmp_path / "gateway.sqlite")
        (row,) = base.execute("SELECT id FROM journal").fetchall()
        base.close()
        return row[0]

    async def opened():
        Journal(tmp_path).close()

    first, again = identity(), identity()
    remove(tmp_path / "gateway.sqlite")

    assert first == again
    assert identity() != first


def test_records_without_a_number_get_one_that_says_when_and_are_never_alike(tmp_path):
    async def added():
        journal = Journal(tmp_path)
        await asyncio.gather(*(journal.append(Record("", "outcome", b"same")) for _ in range(20)))
        journal.close()

    before = time.time_ns()
    asyncio.run(added())

    numbers = numbers_in(tmp_path)
    assert len(set(numbers)) == 20
    assert all(before <= written_ns(number) <= time.time_ns() for number in numbers)
    assert [written_ns(number) for number in ("", "no number", "-")] == [0, 0, 0]


KILLED_AFTER_FINISH = """
import asyncio, os, signal, sys
from pathlib import Path
from modicum.ledger.journal import Journal, Record

async def one():
    journal = Journal(Path(sys.argv[1]), durable="process")
    await journal.finish(journal.begin(b"begun"), Record("a", "call", b"body"))
    journal.begin(b"under way")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(one())
"""


def test_what_is_durable_for_the_process_survives_its_kill(tmp_path):
    ended = subprocess.run([sys.executable, "-c", KILLED_AFTER_FINISH, str(tmp_path)], timeout=30, check=False)

    async def reopened():
        journal = Journal(tmp_path)
        found = journal.left_under_way(), journal.finished_numbers()
        journal.close()
        return found

    assert ended.returncode == -signal.SIGKILL
    assert asyncio.run(reopened()) == ([b"under way"], {"a"})


@pytest.mark.parametrize(("durable", "synchronous"), [("disk", 2), ("process", 1)])
def test_a_commit_waits_for_the_disk_unless_the_weaker_promise_is_chosen(tmp_path, durable, synchronous):
    (tmp_path / "gateway.sqlite").write_bytes(b"no database" * 1000)

    async def level():
        journal = Journal(tmp_path, durable=durable)  # the file is broken: another one is begun
        found = journal._base.execute("PRAGMA synchronous").fetchone()[0], len(journal.set_aside)
        journal.close()
        return found

    assert asyncio.run(level()) == (synchronous, 1)


def test_records_that_come_slowly_are_written_at_once_where_nothing_waits_for_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(WriteAheadLog, "keep_room", lambda _: None)  # it would hold the file for a moment

    async def commits(journal, fast_per_s):
        monkeypatch.setattr("modicum.ledger.journal.FAST_PER_S", fast_per_s)
        before = journal.commits
        slots = [journal.begin(b"begun") for _ in range(20)]
        await asyncio.gather(*(journal.finish(slot, record(f"{slot}")) for slot in slots))
        return journal.commits - before, journal.calls_under_way

    async def both():
        journal = Journal(tmp_path, durable="process")
        slow, (fast, under_way) = await commits(journal, 1e9), await commits(journal, 0.0)
        journal.close()
        return slow, fast < 10, under_way

    assert asyncio.run(both()) == ((20, 0), True, 0)
    assert len(numbers_in(tmp_path)) == 40


def test_what_cannot_be_written_at_once_waits_for_the_disk_as_all_does(tmp_path):
    async def refused():
        journal = Journal(tmp_path, patience_s=0.1, durable="process")
        await journal.append(record("before"))
        with disk_that_refuses(), pytest.raises(NotDurable):
            await journal.finish(journal.begin(b"begun"), record("during"))
        unwell = journal.healthy
        await journal.append(record("after"))
        journal.close()
        return unwell, journal.healthy

    assert asyncio.run(refused()) == (False, True)
    assert numbers_in(tmp_path) == ["before", "during", "after"]


def test_a_record_that_was_forgotten_gives_its_place_to_no_other(tmp_path):
    async def some(*numbers):
        journal = Journal(tmp_path, kept=0)
        for number in numbers:
            await journal.append(record(number))
        base = sqlite3.connect(tmp_path / "gateway.sqlite")
        positions.write(journal.path, SHIPPED, positions.at(base, positions.last(base)))
        base.close()
        journal._prune()
        journal.close()

    asyncio.run(some("a", "b"))
    asyncio.run(some("c"))

    base = sqlite3.connect(tmp_path / "gateway.sqlite")
    assert base.execute("SELECT seq, number FROM records").fetchall() == [(3, "c")]
    assert positions.last(base) == 3
    base.close()


def test_a_journal_of_a_former_version_counts_on(tmp_path):
    base = sqlite3.connect(tmp_path / "gateway.sqlite")
    base.execute(
        "CREATE TABLE records (seq INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL, kind TEXT NOT NULL, "
        "body BLOB NOT NULL)"
    )
    base.execute("INSERT INTO records VALUES (7, 'old', 'call', x'00')")
    base.commit()
    base.close()

    async def one():
        journal = Journal(tmp_path)
        await journal.append(record("new"))
        journal.close()

    asyncio.run(one())

    base = sqlite3.connect(tmp_path / "gateway.sqlite")
    assert base.execute("SELECT seq, number FROM records").fetchall() == [(7, "old"), (8, "new")]
    assert positions.last(base) == 8
    base.close()
