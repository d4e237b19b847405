"""What people decided, in the order in which they did: an append-only file beside the journal.

The gateway reads it without the ledger. Events are never changed; the state is their fold (`modicum.governance`).
"""

import mmap
import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.calls.containment import undo_if_failed
from modicum.calls.outside.fault_hints import hint_of_data_fault
from modicum.ledger.on_disk import explain_replaced_file, file_at, is_broken, is_foreign

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
)
"""

_STAMP_BYTES = 8


class EventFile:
    """The events of keys and owners in a SQLite file: appended, read from a place on, never changed.

    Raises:
        UserError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            with undo_if_failed(self._base.close):
                path.chmod(0o600)
                self._base.execute("PRAGMA journal_mode = WAL")
                self._base.execute("PRAGMA synchronous = FULL")
                self._base.execute(_SCHEMA)
                self._stamp = _mapped(path.with_suffix(".stamp"))
        except (OSError, sqlite3.Error) as error:
            raise UserError(
                f"the file of keys {path} cannot be used: {_words_of(error)}; {_what_to_do(path, error)}"
            ) from None
        self._file = file_at(path)

    @property
    def gone(self) -> str:
        """Why what is decided from now on is not seen here; empty if the file is where it was."""
        return "" if file_at(self.path) == self._file else explain_replaced_file("the file of keys", self.path)

    def append(self, kind: str, event: Any) -> None:
        """Returns when it is on the disk.

        Raises:
            UserError: it is not.
        """
        body = msgspec.json.encode(event)
        try:
            added = self._base.execute("INSERT INTO events (kind, body) VALUES (?, ?)", (kind, body))
        except sqlite3.Error as error:
            raise UserError(
                f"{self.path} cannot be written ({error}): nothing was changed. Make room or put it right, and run the "
                "command again"
            ) from None
        if self.gone:
            raise UserError(f"{self.path} was deleted while it was written: run the command again")
        self._stamp[:] = (added.lastrowid or 0).to_bytes(_STAMP_BYTES, "little")

    def read(self, kind: str, type_: Any) -> list[Any]:
        """All events of a kind, in order.

        Raises:
            UserError: one of them cannot be read, or none.
        """
        try:
            rows = self._base.execute("SELECT seq, body FROM events WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
        except sqlite3.Error as error:
            what_to_do = _what_to_do(self.path, error)
            raise UserError(f"the file of keys {self.path} cannot be read: {error}; {what_to_do}") from None
        decoder = msgspec.json.Decoder(type_)
        try:
            return [decoder.decode(body) for _, body in rows]
        except msgspec.DecodeError as error:
            raise UserError(f"{self.path} holds an event that cannot be read: {error}") from None

    def last(self) -> int:
        """The number of the newest event: cheap to ask, to see whether there are new ones."""
        (seq,) = self._base.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        return int(seq)

    @property
    def stamp(self) -> bytes:
        """Changes as soon as any process has appended an event: a look into mapped memory, cheap enough for every
        call.
        """
        return self._stamp[:]

    def close(self) -> None:
        self._base.close()
        self._stamp.close()


def _words_of(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _what_to_do(path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.Error) and (is_broken(error) or is_foreign(error)):
        return f"bring it back from a backup; to make all keys anew: mv '{path}' '{path}.broken'"
    hint = hint_of_data_fault(error) if isinstance(error, OSError) else "'modicum doctor' looks at disk and files"
    return f"nothing was changed; {hint}"


def _mapped(path: Path) -> mmap.mmap:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_size < _STAMP_BYTES:
            # Real bytes, not a hole: a full disk must show here, and not end the process while they are written.
            os.pwrite(handle, bytes(_STAMP_BYTES), 0)
        return mmap.mmap(handle, _STAMP_BYTES)
    finally:
        os.close(handle)
