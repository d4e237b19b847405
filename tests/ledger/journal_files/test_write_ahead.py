import sqlite3
import subprocess
import sys
import threading

import pytest

from modicum.ledger.journal_files import write_ahead
from modicum.ledger.journal_files.write_ahead import FRAME_BYTES, LEAST_BYTES, WriteAheadLog


@pytest.fixture
def base(tmp_path):
    connection = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE records (body BLOB)")
    yield connection
    connection.close()


@pytest.fixture
def log(tmp_path, base):
    return WriteAheadLog(tmp_path / "a.sqlite", threading.Lock())


def size(base_folder):
    return (base_folder / "a.sqlite-wal").stat().st_size


def insert(base, log, count, size_bytes=600):
    for _ in range(count):
        base.execute("INSERT INTO records VALUES (zeroblob(?))", (size_bytes,))
        log.add(size_bytes)


def count_in(place):
    reader = sqlite3.connect(place)
    (found,) = reader.execute("SELECT count(*) FROM records").fetchone()
    reader.close()
    return found


def test_commits_write_over_zeros_and_the_log_grows_no_more(tmp_path, base, log):
    log.keep_room()
    before = size(tmp_path)
    insert(base, log, 40)

    assert LEAST_BYTES <= before == size(tmp_path)
    assert count_in(tmp_path / "a.sqlite") == 40


def test_a_log_that_fills_fast_is_lengthened_ahead_and_never_beyond_its_whole(tmp_path, base, log, monkeypatch):
    insert(base, log, 200)
    log.keep_room()
    ahead = size(tmp_path)
    monkeypatch.setattr(write_ahead, "WHOLE_BYTES", ahead)
    insert(base, log, 200)
    log.keep_room()

    assert ahead > 2 * 200 * 4120
    assert size(tmp_path) == ahead


def test_frames_before_zeros_are_whole_for_whoever_opens_the_file_after_a_kill(tmp_path, base, log):
    insert(base, log, 3)
    log.keep_room()
    insert(base, log, 3)
    for name in ("a.sqlite", "a.sqlite-wal"):  # as they are on the disk when the process ends
        (tmp_path / f"killed-{name}").write_bytes((tmp_path / name).read_bytes())

    assert count_in(tmp_path / "killed-a.sqlite") == 6


def test_what_is_moved_leaves_the_log_to_be_written_over(tmp_path, base, log, monkeypatch):
    monkeypatch.setattr(write_ahead, "MOVED_FROM_BYTES", 100_000)
    insert(base, log, 20)
    log.move()
    before = size(tmp_path)
    insert(base, log, 20)

    assert size(tmp_path) == before
    assert count_in(tmp_path / "a.sqlite") == 40


def test_little_is_left_in_the_log(tmp_path, base, log):
    insert(base, log, 20)
    log.move()
    insert(base, log, 20)

    assert size(tmp_path) > 40 * FRAME_BYTES


def test_a_log_that_somebody_reads_is_moved_later(tmp_path, base, log, monkeypatch):
    monkeypatch.setattr(write_ahead, "MOVED_FROM_BYTES", 100_000)
    reader = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM records").fetchone()
    insert(base, log, 20)
    log.move()
    insert(base, log, 20)
    grown = size(tmp_path)
    reader.execute("COMMIT")
    log.move()
    reader.close()
    insert(base, log, 20)

    assert size(tmp_path) == grown > 40 * FRAME_BYTES


CHECKPOINT_LOCK = 121
"""Its byte in the -shm file, as SQLite's file format names it."""
HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+b") as shared:
    fcntl.lockf(shared, fcntl.LOCK_EX, 1, int(sys.argv[2]))
    print(flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SQLite locks otherwise there")
def test_a_log_that_another_process_moves_at_that_moment_is_moved_later(tmp_path, base, log, monkeypatch):
    monkeypatch.setattr(write_ahead, "MOVED_FROM_BYTES", 100_000)
    insert(base, log, 20)
    before = size(tmp_path)
    command = [sys.executable, "-SE", "-c", HOLD, str(tmp_path / "a.sqlite-shm"), str(CHECKPOINT_LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        log.move()
        other.stdin.close()
    log.move()
    insert(base, log, 20)

    assert size(tmp_path) == before


def test_a_log_that_fills_while_it_is_moved_is_emptied_while_commits_wait(tmp_path, base, log, monkeypatch):
    monkeypatch.setattr(write_ahead, "MOVED_FROM_BYTES", 100_000)
    monkeypatch.setattr(write_ahead, "FULL_BYTES", 200_000)
    move, waited = WriteAheadLog._move, []

    def slow(self, connection):
        waited.append(log._writing.locked())
        move(self, connection)
        if not waited[-1]:
            insert(base, log, 20)

    monkeypatch.setattr(WriteAheadLog, "_move", slow)
    insert(base, log, 60)
    log.move()
    before = size(tmp_path)
    insert(base, log, 60)

    assert waited == [False, True]
    assert size(tmp_path) == before


def test_a_journal_that_has_gone_is_not_made_again(tmp_path):
    (tmp_path / "journal").mkdir()
    log = WriteAheadLog(tmp_path / "journal" / "gone.sqlite", threading.Lock())
    log.keep_room()
    log.move()

    assert list((tmp_path / "journal").iterdir()) == []
