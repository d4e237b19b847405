"""The files of one folder that a process holds open: whether they are still there under their names.

Asked with each commit, and so of the kernel once where it can be: no name comes into a folder, leaves it or changes
its file without the folder's own time of change. Only where that has moved is each file looked for.
"""

from pathlib import Path
from time import time_ns

from modicum.ledger.on_disk import explain_replaced_file, file_at

SETTLED_NS = 100_000_000
"""A folder's time of change is believed when it is so old: file systems count it in steps of some milliseconds, and a
second change within one step would not show."""

_Stamp = tuple[int, int, int]
_UNSETTLED: _Stamp = (0, 0, 0)


class HeldFiles:
    """Used by one thread at a time.

    Args:
        what: they are, as messages have it: `the journal`.
        folder: in which all of them lie.
    """

    def __init__(self, what: str, folder: Path) -> None:
        self._what, self._folder = what, folder
        self._files: dict[Path, tuple[int, int]] = {}
        self._stamp = _UNSETTLED
        """The folder as it was when all files were in their places; unsettled: they are looked for one by one."""

    def hold(self, *paths: Path) -> None:
        """These are open from now on, those of them that are there."""
        self._stamp = _UNSETTLED
        for path in paths:
            if (file := file_at(path)) != (0, 0):
                self._files[path] = file

    def drop(self, *paths: Path) -> None:
        """These are open no more."""
        for path in paths:
            self._files.pop(path, None)

    def __contains__(self, path: Path) -> bool:
        return path in self._files

    def replaced(self, *, believes_folder: bool = True) -> str:
        """Why what is written would be lost with the files that we hold open; empty if they are where they were.

        Args:
            believes_folder: False: each file is looked for. Now and then, since some file systems keep no time of
                change for folders.
        """
        stamp = self._stamp_now()  # before the files: what happens to them meanwhile shows the next time
        if believes_folder and stamp == self._stamp != _UNSETTLED:
            return ""
        self._stamp = _UNSETTLED
        for path, file in self._files.items():
            if file_at(path) != file:
                return explain_replaced_file(self._what, path)
        if time_ns() - stamp[2] > SETTLED_NS:
            self._stamp = stamp
        return ""

    def _stamp_now(self) -> _Stamp:
        try:
            found = self._folder.stat()
        except OSError:
            return _UNSETTLED
        return found.st_dev, found.st_ino, found.st_ctime_ns
