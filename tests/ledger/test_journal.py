import asyncio
import resource
import sqlite3
from contextlib import contextmanager

import pytest

from modicum.calls import UserError
from modicum.ledger.journal import Journal, NotDurable, Record


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
        await journal.recovered([record("one")])
        left = journal.left_under_way()
        journal.close()
        return *found, left

    asyncio.run(killed())

    assert asyncio.run(next_process()) == ([b"one"], {"two"}, [])
    assert numbers_in(tmp_path) == ["two", "one"]


def test_a_disk_that_refuses_is_told_and_the_record_is_written_when_it_relents(tmp_path):
    async def refused():
        journal = Journal(tmp_path, patience_s=0.1)
        await journal.added(record("before"))
        with disk_that_refuses(), pytest.raises(NotDurable):
            await journal.finish(journal.begin(b"begun"), record("during"))
        unwell = journal.healthy
        await journal.added(record("after"))
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
