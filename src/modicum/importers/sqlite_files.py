"""SQLite databases of other programs: read with their write-ahead log, also where nothing may be written."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from modicum.calls.outside.regular_file import open_regular

DAMAGED = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged database raises; Python decodes the names in a schema strictly, whatever the text factory."""
SIDES = ("-wal", "-journal")
"""What may hold rows, or take some back, beside the database itself."""
MOST_COPIES = 3
LOCK_WAIT_S = 2.0
"""For a program that is writing right now; after that a copy is read, as it stood before."""


class OpenedDatabase(NamedTuple):
    connection: sqlite3.Connection
    lacks: str
    """What could not be read of it; empty where nothing."""


@contextmanager
def opened(path: Path) -> Iterator[OpenedDatabase]:
    """A database, opened for reading; it may be in use.

    SQLite applies a write-ahead log only where it may write beside the database, or where its user's program left it
    an index. Elsewhere (a backup, a mounted folder) a copy of both is opened.

    Raises:
        sqlite3.Error: it is no database. `UnicodeDecodeError`: it is damaged.
    """
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        connection = _connect(uri)
    except sqlite3.OperationalError as error:
        with _opened_elsewhere(path, uri, str(error)) as found:
            yield found
        return
    try:
        yield OpenedDatabase(connection, "")
    finally:
        connection.close()


def has_tables(path: Path, tables: dict[str, set[str]]) -> bool:
    """Whether a database has these tables with these columns."""
    try:
        with opened(path) as found:
            return all(columns <= columns_of(found.connection, table) for table, columns in tables.items())
    except DAMAGED:
        return False


def columns_of(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[0] for row in database.execute("SELECT name FROM pragma_table_info(?)", (table,))}


@contextmanager
def _opened_elsewhere(path: Path, uri: str, why: str) -> Iterator[OpenedDatabase]:
    sides = [side for side in (path.with_name(path.name + ending) for ending in SIDES) if _bytes_of(side)]
    lacks = ""
    with tempfile.TemporaryDirectory(prefix="modicum-") as folder:
        source = uri + "&immutable=1"
        if sides:
            try:
                source = f"file:{quote(str(_copied([path, *sides], Path(folder))))}?mode=rw"
            except OSError as error:
                lacks = (
                    f"rows that stand only in {', '.join(side.name for side in sides)} are not counted "
                    f"({error.strerror or error}; opened in place: {why}); copy the database with its -wal to a folder "
                    "of your own, and name the copy"
                )
        connection = _connect(source)
        try:
            yield OpenedDatabase(connection, lacks)
        finally:
            connection.close()


def _copied(files: list[Path], folder: Path) -> Path:
    """The database in a folder of ours, with what lies beside it: all as they stood at one moment.

    Raises:
        OSError: one cannot be read, there is no room, or they change all the time.
    """
    for _ in range(MOST_COPIES):
        before = [_state(file) for file in files]
        if sum(size for _, size in before) > shutil.disk_usage(folder).free:
            raise OSError("no room for a copy in the folder of temporary files")
        for file in files:
            with open_regular(file) as stream, (folder / file.name).open("wb") as copy:
                shutil.copyfileobj(stream, copy)
        if before == [_state(file) for file in files]:
            return folder / files[0].name
    raise OSError("it is being written to all the time")


def _state(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


def _bytes_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _connect(uri: str) -> sqlite3.Connection:
    database = sqlite3.connect(uri, uri=True, timeout=LOCK_WAIT_S)
    try:
        database.text_factory = lambda raw: raw.decode("utf-8", "replace")
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except DAMAGED:
        database.close()
        raise
    return database
