"""Which log files a ledger holds already, so that `modicum import` reads only what joined or grew since.

It lies in the cache folder, a file for each ledger. It is not trusted once the ledger holds less than it did then
(calls were forgotten, the file was deleted) or the program is another one: then all files are read.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import Problem
from modicum.cli.inputs.log_sets import changed_files, program_version
from modicum.importers.file_marks import FileMark, mark_file
from modicum.importers.folders import log_files
from modicum.library.file_permissions import make_private
from modicum.settings import cache_folder

if TYPE_CHECKING:
    from modicum.ledger.store import Store

MOST_SETS = 64
"""Sets of logs of one ledger, those that were imported last."""


class ImportedSet(msgspec.Struct):
    """Logs that were named together, as they were when the ledger got them."""

    marks: dict[str, FileMark]
    problems: list[Problem]
    sources: list[str]


class _Imports(msgspec.Struct):
    program: str
    calls_by_source: dict[str, int]
    """What the ledger held after the last import."""
    sets: dict[str, ImportedSet]


@dataclass(frozen=True)
class ToImport:
    """Files to read now, of the logs that were named."""

    files: tuple[Path, ...]
    files_unchanged: int
    problems: tuple[Problem, ...]
    """Of folders, and of files that are not read again."""
    marks: dict[str, FileMark]
    """Of all files. Empty where one has none: then nothing is remembered."""
    sources: tuple[str, ...]
    """Of the files that are not read again."""


class ImportedLogs:
    """What the ledger holds of these logs.

    Args:
        store: the ledger.
        named: what else an import rests on: the paths, the source, whether with anatomy.
    """

    def __init__(self, store: "Store", named: Sequence[object]) -> None:
        self._store = store
        self._file = cache_folder() / "imports" / f"{_digest(store.place)}.msgpack"
        self._set = _digest(repr(tuple(named)))

    def choose(self, paths: Sequence[Path], *, again: bool = False) -> ToImport:
        """The files in these paths that are not in the ledger as they are now; `again`: all."""
        files: list[Path] = []
        problems: list[Problem] = []
        for path in paths:
            for found in log_files(path):
                if isinstance(found, Problem):
                    problems.append(found)
                else:
                    files.append(found)
        marks = {str(path): mark for path in files if (mark := mark_file(path)) is not None}
        if len(marks) < len(set(files)):
            marks = {}
        before = None if again or not marks else self._read().sets.get(self._set)
        changed = None if before is None else changed_files(files, before.marks, marks, before.sources)
        if before is None or changed is None:
            return ToImport(tuple(files), 0, tuple(problems), marks, ())
        names = set(map(str, changed))
        known = [problem for problem in before.problems if problem.path not in names]
        return ToImport(changed, len(marks) - len(changed), (*problems, *known), marks, tuple(before.sources))

    def remember(self, imported: ToImport, problems: Sequence[Problem], sources: set[str]) -> None:
        """All of them are in the ledger now. A cache folder that cannot be written costs time, nothing else."""
        if not imported.marks:
            return
        of_files = [problem for problem in problems if problem.path in imported.marks]
        sets = self._read().sets
        sets.pop(self._set, None)  # the last one stands at the end
        sets[self._set] = ImportedSet(imported.marks, of_files, sorted({*sources, *imported.sources}))
        newest = dict(list(sets.items())[-MOST_SETS:])
        imports = _Imports(program_version(), self._calls_by_source(), newest)
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            make_private(cache_folder())
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(msgspec.msgpack.encode(imports))
            fresh.replace(self._file)

    def _read(self) -> _Imports:
        nothing = _Imports(program_version(), {}, {})
        try:
            known = msgspec.msgpack.decode(self._file.read_bytes(), type=_Imports)
        except (OSError, msgspec.DecodeError):
            return nothing
        if known.program != program_version():
            return nothing
        now = self._calls_by_source()
        is_all_there = all(now.get(source, 0) >= calls for source, calls in known.calls_by_source.items())
        return known if is_all_there else nothing

    def _calls_by_source(self) -> dict[str, int]:
        return {row["source"]: int(row["calls"]) for row in self._store.ask("holdings")}


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
