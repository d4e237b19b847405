"""How far a reader of a journal has come, in a file beside the journal, written when the work is done.

The number alone would be wrong for a journal that was set back: restored from a backup, made anew, replaced. Its later
records would come under numbers that the reader is done with, and would never be read. So a position also
says which journal it is of and what its last record was like. Where that does not fit, the reader begins at the first
record: calls, spans and outcomes are known by their ids, so nothing is booked twice.
"""

import hashlib
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

_NONE = "-"


class Position(NamedTuple):
    record: int
    """The last record that the reader is done with."""
    journal: str = ""
    """The identity of the journal; empty: a former version wrote the position, or the journal."""
    mark: str = ""
    """A digest of that record; empty: it was not there any more, or there is none."""
    again_to: int = 0
    """Up to here the records may have been read once before, in doubt."""


def read(journal: Path, reader: str) -> Position | None:
    """The position as it was written; None: the reader has not begun."""
    try:
        words = journal.with_suffix(f".{reader}").read_text(encoding="ascii").split()
        if len(words) == 1:  # a former version wrote it
            return Position(int(words[0]))
        record, name, mark, again_to = words
        return Position(int(record), name, "" if mark == _NONE else mark, int(again_to))
    except (OSError, ValueError):
        return None


def write(journal: Path, reader: str, position: Position) -> None:
    """Returns when it is on the disk."""
    fresh = journal.with_suffix(f".{reader}.new")
    record, name, mark, again_to = position
    with fresh.open("w", encoding="ascii") as stream:
        stream.write(f"{record} {name} {mark or _NONE} {again_to}" if name else f"{record}")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(journal.with_suffix(f".{reader}"))


def forget(journal: Path, reader: str) -> None:
    journal.with_suffix(f".{reader}").unlink(missing_ok=True)


def at(base: sqlite3.Connection, record: int, again_to: int = 0) -> Position:
    """The position behind a record of an open journal."""
    return Position(record, _identity(base), _mark(base, record), again_to if again_to > record else 0)


def resume(base: sqlite3.Connection, journal: Path, reader: str) -> tuple[Position | None, str]:
    """Where the reader goes on, and why it begins at the first record again if it had been further.

    What is decided here is written at once, so that the doubt is said once and outlives the process.
    """
    position = read(journal, reader)
    if position is None:
        return None, ""
    doubt = _doubt(base, position)
    if doubt:
        position = at(base, 0, again_to=last(base))
    elif position.journal or not _identity(base):
        return position, ""
    else:  # a former version wrote it
        position = at(base, position.record)
    write(journal, reader, position)
    return position, doubt


def last_confirmed(base: sqlite3.Connection, journal: Path, reader: str) -> int:
    """The last record of this very journal that the reader is done with; 0: none, or that is in doubt."""
    position = read(journal, reader)
    return 0 if position is None or _doubt(base, position) else position.record


class ReaderProgress(NamedTuple):
    """How far a reader is in all journals of a folder."""

    records: int
    """There ever were."""
    behind: int
    """That the reader is not done with."""


def progress(journals: Path, reader: str) -> ReaderProgress:
    """How far a reader is. A journal that cannot be read counts with no record: who reads it says so."""
    records = behind = 0
    for path in journals.glob("*.sqlite"):
        position = read(path, reader)
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            newest = last(base)
            records += newest
            behind += max(newest - (0 if position is None else position.record), 0)
    return ReaderProgress(records, behind)


def ends(journals: Path) -> dict[Path, int]:
    """The last record of each of a folder's journals, as they stand now."""
    records: dict[Path, int] = {}
    for path in journals.glob("*.sqlite"):
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            records[path] = last(base)
    return records


def has_reached(records: dict[Path, int], reader: str) -> bool:
    """Whether the reader is done with each journal up to that record."""
    return all((position := read(path, reader)) is not None and position.record >= end for path, end in records.items())


def _doubt(base: sqlite3.Connection, position: Position) -> str:
    """Why a position is not one of this journal as it is now; empty if it is."""
    if position.journal and position.journal != _identity(base):
        return "the journal is another one than before (deleted and made anew, or replaced)"
    if last(base) < position.record:
        return f"the journal was set back: it ends before record {position.record}, which was read"
    if not position.mark:
        return ""
    mark = _mark(base, position.record)
    if mark and mark != position.mark:
        return f"the journal was set back: its record {position.record} is another one than was read"
    # Only a beginning is ever forgotten.
    if not mark and base.execute("SELECT 1 FROM records WHERE seq < ? LIMIT 1", (position.record,)).fetchone():
        return f"the journal was changed: its record {position.record}, which was read, is missing"
    return ""


def _identity(base: sqlite3.Connection) -> str:
    """Empty: a former version made the journal."""
    if not _has(base, "journal"):
        return ""
    row = base.execute("SELECT id FROM journal LIMIT 1").fetchone()
    return str(row[0]) if row else ""


def last(base: sqlite3.Connection) -> int:
    """The newest record there ever was, forgotten or not."""
    counted = "SELECT seq FROM sqlite_sequence WHERE name = 'records'"
    row = base.execute(counted if _has(base, "sqlite_sequence") else "SELECT max(seq) FROM records").fetchone()
    return int(row[0] or 0) if row else 0


def _has(base: sqlite3.Connection, table: str) -> bool:
    return base.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def _mark(base: sqlite3.Connection, record: int) -> str:
    row = base.execute("SELECT number, kind, body FROM records WHERE seq = ?", (record,)).fetchone()
    if row is None:
        return ""
    digest = hashlib.blake2b(digest_size=8)
    for part in row:
        digest.update(part if isinstance(part, bytes) else str(part).encode("utf-8", "replace"))
        digest.update(b"\0")
    return digest.hexdigest()
