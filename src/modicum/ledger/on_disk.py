"""Files that we hold open, as they are on the disk: still there under their name, and whole.

What is written into a file that was deleted or moved is lost with the process, and nothing fails. A SQLite file that is
broken is set aside, whole, so that something new can begin and somebody may look at it.
"""

import sqlite3
from itertools import count
from pathlib import Path

_PARTS = ("", "-wal", "-shm")


def file_at(path: Path) -> tuple[int, int]:
    """Which file has this name now; (0, 0): none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def explain_replaced_file(what: str, path: Path) -> str:
    """In words, that a file which is open is no longer under its name, and what to do."""
    return (
        f"{what} {path} was deleted, moved or replaced while it is open: bring it back as it was, or restart "
        "'modicum up', which goes on with what is there"
    )


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the file is at fault, for good: it is no database, or no whole one. A disk that refuses is not."""
    return _code(error) in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def is_foreign(error: sqlite3.Error) -> bool:
    """Whether, when a file is opened, a statement of ours does not fit its tables: it is somebody else's database."""
    return _code(error) == sqlite3.SQLITE_ERROR


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def set_aside(path: Path) -> Path:
    """Renames the file and what belongs to it; returns its new name, which no reader of journals looks at."""
    numbers = ("broken" if number == 1 else f"broken-{number}" for number in count(1))
    moved = next(to for number in numbers if not (to := path.with_name(f"{path.name}.{number}")).exists())
    for part in _PARTS:
        here = path.with_name(path.name + part)
        if here.exists():
            here.rename(moved.with_name(moved.name + part))
    return moved
