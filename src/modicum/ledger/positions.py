"""How far a reader of a journal has come: a number in a file beside the journal, written when the work is done."""

import os
from pathlib import Path


def read(journal: Path, reader: str) -> int | None:
    """The last record that the reader is done with; None: it has not begun."""
    try:
        return int(journal.with_suffix(f".{reader}").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def write(journal: Path, reader: str, position: int) -> None:
    """Returns when it is on the disk."""
    fresh = journal.with_suffix(f".{reader}.new")
    with fresh.open("w", encoding="ascii") as stream:
        stream.write(str(position))
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(journal.with_suffix(f".{reader}"))


def forget(journal: Path, reader: str) -> None:
    journal.with_suffix(f".{reader}").unlink(missing_ok=True)
