"""SQLite databases of agents whose tables hold a row per call or per session; opened for reading only."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from modicum.calls import Call, Problem
from modicum.importers.agents.opencode import SQLITE
from modicum.importers.agents.row_calls import Row, row_calls
from modicum.importers.format import Found
from modicum.importers.sqlite_files import DAMAGED, columns_of, has_tables, opened


def has_columns(path: Path, head: bytes, tables: dict[str, set[str]]) -> bool:
    """Whether the file is a database with these tables, and these columns in them."""
    return head.startswith(SQLITE) and has_tables(path, tables)


def rows_of(database: sqlite3.Connection, table: str) -> Iterator[Row]:
    """Every row with all its columns, also those that a later version of the agent added; nothing without the table.

    `table` is a name in our code, never text from outside.
    """
    if not columns_of(database, table):
        return
    cursor = database.execute(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608 - names in our code
    names = [column[0] for column in cursor.description]
    for values in cursor:
        yield dict(zip(names, values, strict=True))


def database_calls(path: Path, name: str, read: Callable[[sqlite3.Connection], Found]) -> Found:
    """What `read` finds; damage is a problem, and what stood before it is given."""
    try:
        with opened(path) as (database, lacks):
            if lacks:
                yield Problem(str(path), lacks)
            yield from read(database)
    except DAMAGED as error:
        reason = "a name in its schema is no text" if isinstance(error, UnicodeDecodeError) else str(error)
        yield Problem(str(path), f"cannot be read as a database of {name}: {reason}")


def table_calls(
    path: Path, database: sqlite3.Connection, table: str, calls_of: Callable[[Row], Iterator[Call]]
) -> Found:
    """The calls of each row of a table."""
    yield from row_calls(path, ((None, row) for row in rows_of(database, table)), calls_of)
