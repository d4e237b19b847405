"""Batches that are under way at a provider, for hours or days: who asked for them, until their results come.

A small SQLite file beside the journals, shared by all workers, so that a restart forgets no batch.
"""

import sqlite3
import threading
from pathlib import Path
from time import time
from typing import NamedTuple

import msgspec

from modicum.calls import Call, UserError
from modicum.calls.call import decode_call
from modicum.calls.containment import undo_if_failed

KEPT_S = 120 * 86_400.0
"""Providers keep results for a month; a batch whose results nobody reads is forgotten after four."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    batch TEXT PRIMARY KEY, number TEXT NOT NULL, upstream TEXT NOT NULL, at REAL NOT NULL, call BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS files (file TEXT PRIMARY KEY, batch TEXT NOT NULL, at REAL NOT NULL)
"""
_encode = msgspec.msgpack.Encoder().encode


class BegunBatch(NamedTuple):
    """A batch that was asked for here."""

    batch_id: str
    number: str
    """Of the call that asked for it."""
    upstream: str
    call: Call
    """Its record."""


class BatchFile:
    """The batches of one data folder. May be used from any thread; each method returns when it is on the disk.

    Raises:
        UserError: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            with undo_if_failed(self._base.close):
                path.chmod(0o600)
                self._base.execute("PRAGMA journal_mode = WAL")
                self._base.execute("PRAGMA synchronous = FULL")
                self._base.executescript(_SCHEMA)
                for table in ("batches", "files"):
                    self._base.execute(f"DELETE FROM {table} WHERE at < ?", (time() - KEPT_S,))
        except (OSError, sqlite3.Error) as error:
            raise UserError(
                f"the file of batches {path} cannot be used: {error}; if it is broken, move it away: batches that are "
                "under way are then booked under the names of those who read their results"
            ) from None

    def add(self, batch: BegunBatch) -> None:
        """Remembers a batch. Of one that is there already the first word stands.

        Raises:
            sqlite3.Error: it is not on the disk.
        """
        row = batch.batch_id, batch.number, batch.upstream, time(), _encode(batch.call)
        with self._lock:
            self._base.execute("INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?, ?)", row)

    def add_file(self, file_id: str, batch_id: str) -> None:
        """Remembers which batch a file of results is of.

        Raises:
            sqlite3.Error: it is not on the disk.
        """
        with self._lock:
            self._base.execute("INSERT OR IGNORE INTO files VALUES (?, ?, ?)", (file_id, batch_id, time()))

    def find(self, batch_id: str) -> BegunBatch | None:
        """The batch of that id; None: it was not asked for here."""
        with self._lock:
            row = self._base.execute(
                "SELECT number, upstream, call FROM batches WHERE batch = ?", (batch_id,)
            ).fetchone()
        return None if row is None else BegunBatch(batch_id, row[0], row[1], decode_call(row[2]))

    def batch_of(self, file_id: str) -> str:
        """The id of the batch that a file is the results of; empty: that was not seen here."""
        with self._lock:
            row = self._base.execute("SELECT batch FROM files WHERE file = ?", (file_id,)).fetchone()
        return "" if row is None else str(row[0])

    def close(self) -> None:
        self._base.close()
