"""The write-ahead log of a journal, kept as long as commits need it, beside the thread that commits.

A sync of a log that grows takes longer than one that writes over what is there: a file system gives the file new blocks
and writes down that it did. On a quiet ext4 a commit of one record took 0.47 ms (p50) and 13 ms (p99) with a growing
log, 0.28 and 4 ms with one of full size. So the log is lengthened with zeros before its end is reached: SQLite reads a
log up to its first frame that does not fit, and zeros do not.

And what is in the log is moved into its file from here, on a connection of its own. SQLite does so within a commit, for
which a call then waits tens of milliseconds.
"""

import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

MOVED_FROM_BYTES = 2 * 1024 * 1024
"""So much of a log, then its pages are moved. Few at a time, since whatever writes to the same disk meanwhile waits."""
FULL_BYTES = 8 * 1024 * 1024
"""So much, and commits wait while the rest is moved: else the log could grow for ever."""
WHOLE_BYTES = FULL_BYTES + 4 * 1024 * 1024
"""What the log is lengthened to at most."""
LEAST_BYTES = 512 * 1024
AHEAD = 4
"""Times what is used: a log that fills fast is long before it is full, and one that is hardly used stays short."""
PIECE_BYTES = 256 * 1024
"""That it is lengthened by at a time, each with a sync of its own: a commit's sync waits for all that is unwritten."""
FRAME_BYTES = 4096 + 24
COMMIT_BYTES = 3 * FRAME_BYTES
"""What a commit of one small record takes of a log: the pages of its table and of its numbers, a head each."""


class WriteAheadLog:
    """The log of one journal. `add` is called by who commits, `keep_room` and `move` by another thread.

    Args:
        path: the journal's file.
        writing: held by whoever writes into the log.
    """

    def __init__(self, path: Path, writing: threading.Lock) -> None:
        self._path, self.path = path, path.with_name(f"{path.name}-wal")
        self._writing = writing
        self._commits = self._used_bytes = 0
        """Bytes as far as they are known; an estimate since they were last moved."""

    def add(self, size_bytes: int) -> None:
        """A commit with records of so many bytes was written."""
        self._commits += 1
        self._used_bytes += COMMIT_BYTES + size_bytes

    def keep_room(self) -> None:
        """Lengthens the log if it is short. A full disk is no trouble here: the log then grows with its commits, if it
        can.
        """
        needed_bytes = min(max(AHEAD * self._used_bytes, LEAST_BYTES), WHOLE_BYTES)
        with suppress(OSError):
            handle = os.open(self.path, os.O_RDWR)
            try:
                while self._lengthened(handle, needed_bytes):
                    os.fsync(handle)
            finally:
                os.close(handle)

    def _lengthened(self, handle: int, needed_bytes: int) -> bool:
        with self._writing:  # or zeros would be written over a frame
            size = os.fstat(handle).st_size
            if size >= needed_bytes:
                return False
            os.pwrite(handle, bytes(PIECE_BYTES), size)
            return True

    def move(self) -> None:
        """Moves what is in the log into the file, if it is much, while commits go on. The next commit begins the log
        anew if none came meanwhile and nobody reads it at this moment.
        """
        if self._used_bytes < MOVED_FROM_BYTES:
            return
        with suppress(sqlite3.Error), closing(self._open()) as base:
            self._move(base)
            if self._used_bytes >= FULL_BYTES:
                with self._writing:
                    self._move(base)

    def _move(self, base: sqlite3.Connection) -> None:
        commits = self._commits
        _, pages, moved = base.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages < 0:  # another process moves it at this moment: nobody says how much there is
            return
        is_begun_anew = pages == moved and commits == self._commits
        self._used_bytes = 0 if is_begun_anew else pages * FRAME_BYTES

    def _open(self) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode=rw"  # never a new file in the place of one that has gone
        return sqlite3.connect(address, uri=True, isolation_level=None, timeout=0.0)
