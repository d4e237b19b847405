"""The journals of a folder, open for reading. One that cannot be read is named, and the others are read nonetheless."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from modicum.calls import Problem
from modicum.calls.containment import undo_if_failed
from modicum.ledger import positions
from modicum.ledger.on_disk import file_at

_COLUMNS = frozenset({"seq", "number", "kind", "body"})
_NOT_YET = "it has no table of records"
"""So is a journal that a gateway is making at this moment: believed when it is still so the next time."""

Use = Callable[[Path, sqlite3.Connection], None]


class NotReadable(Exception):  # noqa: N818 - a state of a file, not a bug
    """A file that is no journal, or no longer one."""


class _Open(NamedTuple):
    base: sqlite3.Connection
    file: tuple[int, int]


class _Fault(NamedTuple):
    reason: str
    times: int


class Journals:
    """Used by one thread. A journal that was replaced is opened anew, one that cannot be read is tried again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, _Open] = {}
        self._faults: dict[Path, _Fault] = {}

    def each(self, use: Use) -> list[Problem]:
        """Hands over each journal, in order of name.

        Returns:
            What went wrong, each fault once while it lasts; and its end.
        """
        problems = []
        paths = sorted(self._folder.glob("*.sqlite"))
        for gone in self._open.keys() - set(paths):
            self._close(gone)
        for path in paths:
            try:
                use(path, self._connection(path))
            except (sqlite3.Error, OSError, NotReadable) as error:
                self._close(path)
                if self._is_new(path, str(error)):
                    problems.append(Problem(str(path), advice(path, str(error))))
            else:
                fault = self._faults.pop(path, None)
                if fault is not None and fault.times >= _believed_after(fault.reason):
                    problems.append(Problem(str(path), "the journal can be read again"))
        return problems

    def close(self) -> None:
        for path in list(self._open):
            self._close(path)

    def _is_new(self, path: Path, reason: str) -> bool:
        before = self._faults.get(path)
        times = before.times + 1 if before is not None and before.reason == reason else 1
        self._faults[path] = _Fault(reason, times)
        return times == _believed_after(reason)

    def _connection(self, path: Path) -> sqlite3.Connection:
        file = file_at(path)
        known = self._open.get(path)
        if known is not None and known.file == file:
            return known.base
        self._close(path)
        base = _open_file(path)
        self._open[path] = _Open(base, file)
        return base

    def _close(self, path: Path) -> None:
        known = self._open.pop(path, None)
        if known is not None:
            with suppress(sqlite3.Error):
                known.base.close()


class Checked(NamedTuple):
    """What a look at a folder of journals found."""

    journals: int
    """That can be read."""
    waiting: int
    """Records that the ledger does not have yet."""
    problems: list[Problem]
    set_aside: list[Path]
    """Files that were broken, and are read by nobody."""


def check_journals(folder: Path) -> Checked:
    """Looks at each journal of a folder, all of what is in it included, and at what was set aside there."""
    journals = waiting = 0
    problems = []
    for path in sorted(folder.glob("*.sqlite")):
        try:
            with opened_journal(path) as base:
                _check_whole(base)
                waiting += positions.last(base) - positions.last_confirmed(base, path, "shipped")
        except (sqlite3.Error, OSError, NotReadable) as error:
            problems.append(Problem(str(path), advice(path, str(error))))
        else:
            journals += 1
    aside = [path for path in folder.glob("*.broken*") if not path.name.endswith(("-wal", "-shm"))]
    return Checked(journals, waiting, problems, sorted(aside))


def advice(path: Path, reason: str) -> str:
    """What is wrong with a journal, and what to do."""
    return (
        f"the journal cannot be read ({reason}): what only it holds is not in the ledger. Put it right or bring it "
        f"back from a backup; to do without it: mv '{path}' '{path}.broken'. The other journals go on"
    )


@contextmanager
def opened_journal(path: Path) -> Iterator[sqlite3.Connection]:
    """A journal open for reading, once.

    Raises:
        NotReadable: it is no journal.
        sqlite3.Error: it is broken.
        OSError: it is not there.
    """
    path.stat()
    base = _open_file(path)
    try:
        yield base
    finally:
        base.close()


def _open_file(path: Path) -> sqlite3.Connection:
    if path.is_dir():
        raise NotReadable("it is a folder")
    base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=5.0)
    with undo_if_failed(base.close):
        _check_columns(base)
    return base


def _check_columns(base: sqlite3.Connection) -> None:
    columns = {row[1] for row in base.execute("PRAGMA table_info(records)")}
    if not columns:
        raise NotReadable(f"{_NOT_YET}; it is empty, or no journal")
    if lacking := _COLUMNS - columns:
        raise NotReadable(f"its records have no {', '.join(sorted(lacking))}: it is no journal of modicum")


def _check_whole(base: sqlite3.Connection) -> None:
    (verdict,) = base.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise NotReadable(str(verdict).splitlines()[-1])


def _believed_after(reason: str) -> int:
    return 2 if reason.startswith(_NOT_YET) else 1
