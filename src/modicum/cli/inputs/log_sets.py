"""Logs that are named together, and the ledger in the cache folder that holds what was read of them.

Logs are read once: the next verb over the same ones finds them unchanged and asks that ledger. Where some grew, only
these are read again; where anything else changed, all of them are.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import Call, Problem, UserError
from modicum.cli.inputs.log_reading import no_calls_in, read_logs, show_finding
from modicum.importers.file_marks import FileMark, has_only_grown, mark_file
from modicum.importers.folders import log_files
from modicum.library import resources
from modicum.library.file_permissions import make_private
from modicum.library.paths import check_paths_exist
from modicum.settings import cache_folder

if TYPE_CHECKING:
    from modicum.ledger.store import Appended, Store
    from modicum.metering.prices import PriceBook

WORTH_SAVING_BYTES = 4 * 1024 * 1024
"""Smaller logs are read in less time than a ledger file takes to be made."""
MOST_SETS = 12
"""Sets of logs whose ledgers stay in the cache folder, those that were used last."""
SAVED_NAME, LEDGER_NAME, LOCK_NAME = "files.msgpack", "ledger.duckdb", "lock"
ONE_BY_ONE = frozenset({"claude-code"})
"""Sources whose files can be read again each alone: what is in one does not depend on what stands in others."""
READ_BESIDE = frozenset({"cline", "codex", "copilot-cli", "droid", "kimi", "opencode"})
"""Sources whose readers open files beside the one that they read: marks say enough only of whole folders."""


class _Saved(msgspec.Struct):
    """What a ledger in the cache folder was made of."""

    marks: dict[str, FileMark]
    problems: list[Problem]
    sources: list[str]


@dataclass(frozen=True)
class LogSet:
    files: tuple[Path, ...]
    marks: dict[str, FileMark]
    """By path; empty where a file cannot be marked, so that all are read."""
    problems: tuple[Problem, ...]
    """Of the folders."""
    source: str | None
    folder: Path | None
    """In the cache folder, for what was read; None: not worth it."""
    are_folders: bool
    watches_text: bool

    @property
    def state(self) -> str:
        """The same as long as every file is."""
        return _digest(msgspec.msgpack.encode(sorted(self.marks.items())))


def find_log_set(
    paths: Sequence[Path], source: str | None, prices: "PriceBook", *, watches_text: bool = True
) -> LogSet:
    """The log files in these paths, as they are now. `watches_text`: as in `Reading`.

    Raises:
        UserError: a path does not exist, or there is no such source.
    """
    from modicum.importers import format_named

    check_paths_exist(paths)
    if source:
        format_named(source)
    files: list[Path] = []
    problems: list[Problem] = []
    with show_finding() as on_count:
        for path in paths:
            for found in log_files(path):
                if isinstance(found, Problem):
                    problems.append(found)
                else:
                    files.append(found)
                    on_count(len(files))
    marks = {str(path): mark for path in files if (mark := mark_file(path)) is not None}
    if len(marks) < len(set(files)):
        marks = {}
    is_worth_it = sum(mark.size for mark in marks.values()) >= WORTH_SAVING_BYTES
    names = [str(path.absolute()) for path in paths]
    parts = [
        *names,
        source or "",
        "text" * watches_text,
        prices.version,
        program_version(),
        _digest(resources.lend_digest_key()),
    ]
    folder = cache_folder() / "logs" / _digest("\n".join(parts).encode("utf-8", "surrogateescape"))
    is_dir = all(path.is_dir() for path in paths)
    is_worth_it = is_worth_it and resources.has_digest_key()  # else nobody could find it again
    return LogSet(tuple(files), marks, tuple(problems), source, folder if is_worth_it else None, is_dir, watches_text)


@contextmanager
def open_log_set(logs: LogSet, prices: "PriceBook", problems: list[Problem]) -> "Iterator[Store]":
    """A ledger that holds just these logs; what is written into it is gone afterwards. Problems go to the list.

    Raises:
        UserError: there is no call in them.
    """
    problems += logs.problems
    if logs.folder is not None and (saved := _bring_up_to_date(logs, logs.folder, prices)) is not None:
        problems += saved.problems
        if not saved.sources:
            raise no_calls_in(problems)
        with _open_copy(logs.folder / LEDGER_NAME) as store:
            yield store
        return
    calls = _start_reading(logs.files, logs, problems)
    with resources.open_ledger(":memory:") as store:
        if not _book(store, calls, prices).booked:
            raise no_calls_in(problems)
        yield store


def _bring_up_to_date(logs: LogSet, folder: Path, prices: "PriceBook") -> _Saved | None:
    """The ledger of these logs, in the cache folder, with all that is in them now; None: it cannot be had there."""
    from modicum.ledger.file_lock import FileLock

    if (saved := _read_saved(folder)) is not None and saved.marks == logs.marks:
        return saved
    try:
        make_private(cache_folder())
        lock = FileLock(folder / LOCK_NAME)
    except UserError:
        return None
    try:
        if not lock.acquire():  # another verb reads the same logs at this moment
            return None
        saved = _read_saved(folder)
        changed = None if saved is None else changed_files(logs.files, saved.marks, logs.marks, saved.sources)
        if saved is None or changed is None:
            changed, saved = logs.files, _Saved({}, [], [])
            (folder / LEDGER_NAME).unlink(missing_ok=True)
        (folder / SAVED_NAME).unlink(missing_ok=True)  # until all is in the ledger
        return _update(folder, changed, saved, logs, prices)
    except (UserError, OSError):
        return None  # the cache folder cannot be written, or is full: the logs can still be read
    finally:
        lock.release()


def changed_files(
    files: Sequence[Path], before: dict[str, FileMark], now: dict[str, FileMark], sources: Iterable[str]
) -> tuple[Path, ...] | None:
    """The files that joined or grew since their marks were `before`, if nothing else changed and each can be read
    alone; None: read all. `sources`: of the calls in them.
    """
    if not before.keys() <= now.keys():
        return None
    changed = []
    for path in files:
        was, mark = before.get(str(path)), now[str(path)]
        if was == mark:
            continue
        if was is not None and not has_only_grown(path, was, mark):
            return None
        changed.append(path)
    return None if changed and not ONE_BY_ONE.issuperset(sources) else tuple(changed)


def _update(folder: Path, changed: Sequence[Path], saved: _Saved, logs: LogSet, prices: "PriceBook") -> _Saved | None:
    names = set(map(str, changed))
    problems = [problem for problem in saved.problems if problem.path not in names]
    calls = None if saved.marks else _start_reading(changed, logs, problems)
    with resources.open_ledger(str(folder / LEDGER_NAME), creates=True) as store:
        _book(store, calls or _start_reading(changed, logs, problems, store), prices)
        sources = [row["source"] for row in store.ask("holdings")]
    fresh = _Saved(logs.marks, problems, sources)
    if logs.are_folders or READ_BESIDE.isdisjoint(sources):
        (folder / SAVED_NAME).write_bytes(msgspec.msgpack.encode(fresh))
        _forget_others(folder.parent)
    return fresh


def _start_reading(
    files: Sequence[Path], logs: LogSet, problems: list[Problem], store: "Store | None" = None
) -> "Iterable[Call]":
    """The calls in these files. For an empty ledger it begins at once: before that is opened, since processes that read
    start faster while there is no DuckDB in this one.
    """
    from modicum.library.call_booking import make_reading

    reading = make_reading(anatomy=True, watches_text=logs.watches_text)
    if store is not None:
        return read_logs(files, reading, logs.source, problems, booked_in=store.conversations_of)
    calls = read_logs(files, reading, logs.source, problems)
    first = next(calls, None)
    return () if first is None else chain((first,), calls)


def _book(store: "Store", calls: "Iterable[Call]", prices: "PriceBook") -> "Appended":
    from modicum.library.call_booking import book_calls

    booked = book_calls(calls, store, prices)
    prices.save()
    return booked


@contextmanager
def _open_copy(ledger: Path) -> "Iterator[Store]":
    """The ledger, to ask and to write into, without changing what lies in the cache folder."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="modicum-") as folder:
        copy = Path(folder) / LEDGER_NAME
        shutil.copyfile(ledger, copy)
        with resources.open_ledger(str(copy)) as store:
            yield store


def _read_saved(folder: Path) -> _Saved | None:
    try:
        return msgspec.msgpack.decode((folder / SAVED_NAME).read_bytes(), type=_Saved)
    except (OSError, msgspec.DecodeError):
        return None


def _forget_others(folder: Path) -> None:
    """Leaves the sets that were used last; what cannot be removed stays."""
    with suppress(OSError):
        sets = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
        for old in sets[MOST_SETS:]:
            shutil.rmtree(old, ignore_errors=True)


@cache
def program_version() -> str:
    """Of this very program: its files, which change with an upgrade and while somebody works on it, and whether it can
    read code: with that an import sees more.
    """
    import modicum
    from modicum.calls.extras import is_installed

    root = Path(modicum.__file__).parent
    facts = sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in root.rglob("*.py"))
    return _digest(msgspec.msgpack.encode((facts, is_installed("tree_sitter"))))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
