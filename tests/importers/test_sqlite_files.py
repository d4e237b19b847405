"""A folder in which nothing may be written: where tests run as root, the reader becomes nobody."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from modicum.importers import sqlite_files
from modicum.importers.sqlite_files import has_tables, opened

COUNT = """
import os, sys
from pathlib import Path
from modicum.importers.sqlite_files import opened
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with opened(Path(sys.argv[1])) as (database, lacks):
    print(database.execute("SELECT count(*) FROM t").fetchone()[0])
    print(lacks)
"""


@pytest.fixture
def public():
    """A folder that everybody may enter; those above pytest's own may be closed to nobody."""
    with tempfile.TemporaryDirectory(prefix="modicum-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def shut(public):
    """A folder with a database of three rows, five more in its write-ahead log, and nothing that may be written."""
    folder = public / "shut"
    folder.mkdir()
    source = public / "source.db"
    writer = sqlite3.connect(source)
    with writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (a)")
        writer.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(3)])
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with writer:
        writer.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(5)])
    for ending in ("", "-wal"):
        shutil.copy(f"{source}{ending}", folder / f"a.db{ending}")
        (folder / f"a.db{ending}").chmod(0o444)
    writer.close()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


@pytest.fixture
def room(public):
    """A folder for temporary files that everybody may write in."""
    folder = public / "room"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def read_as_nobody(room, folder):
    words = [sys.executable, "-c", COUNT, folder / "a.db"]
    environment = {**os.environ, "TMPDIR": str(room)}
    ended = subprocess.run(words, check=False, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stderr
    rows, lacks = ended.stdout.split("\n")[:2]
    return int(rows), lacks


def test_the_log_of_a_database_is_applied_where_nothing_may_be_written(shut, room):
    assert read_as_nobody(room, shut) == (8, "")
    assert sorted(file.name for file in shut.iterdir()) == ["a.db", "a.db-wal"]
    assert list(room.iterdir()) == []


def test_a_log_that_cannot_be_read_is_said(shut, room):
    (shut / "a.db-wal").chmod(0)

    rows, lacks = read_as_nobody(room, shut)

    assert rows == 3
    assert lacks.startswith("rows that stand only in a.db-wal are not counted (Permission denied")
    assert "copy the database with its -wal" in lacks


def test_a_database_without_a_log_is_read_in_place(shut, room):
    shut.chmod(0o755)
    (shut / "a.db-wal").unlink()
    shut.chmod(0o555)

    assert read_as_nobody(room, shut) == (3, "")


def test_what_is_no_database_has_no_tables(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\x00 and nothing else")

    assert not has_tables(path, {"t": {"a"}})
    with pytest.raises(sqlite3.Error), opened(path):
        pass


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_that_is_being_written_to_is_read_as_it_was_before(tmp_path, monkeypatch, mode):
    monkeypatch.setattr(sqlite_files, "LOCK_WAIT_S", 0.01)
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute(f"PRAGMA journal_mode={mode}")
        writer.execute("CREATE TABLE t (a)")
        writer.execute("INSERT INTO t VALUES (1)")
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("INSERT INTO t VALUES (2)")

        with opened(path) as (database, lacks):
            assert (database.execute("SELECT a FROM t").fetchall(), lacks) == ([(1,)], "")
        writer.execute("COMMIT")

    with opened(path) as (database, _):
        assert database.execute("SELECT count(*) FROM t").fetchone() == (2,)
