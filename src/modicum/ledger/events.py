"""What people decided, in the order in which they did: an append-only file beside the journal.

The gateway reads it without the ledger. Events are never changed; the state is their fold (`modicum.governance`).
"""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import UserError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
)
"""


class Events:
    """Raises:
    UserError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            path.chmod(0o600)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"the file of events {path} cannot be used: {error}") from None

    def append(self, kind: str, event: Any) -> None:
        self._base.execute("INSERT INTO events (kind, body) VALUES (?, ?)", (kind, msgspec.json.encode(event)))

    def read(self, kind: str, type_: Any) -> list[Any]:
        """All events of a kind, in order.

        Raises:
            UserError: one of them cannot be read.
        """
        rows = self._base.execute("SELECT seq, body FROM events WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
        decoder = msgspec.json.Decoder(type_)
        try:
            return [decoder.decode(body) for _, body in rows]
        except msgspec.DecodeError as error:
            raise UserError(f"{self.path} holds an event that cannot be read: {error}") from None

    def last(self) -> int:
        """The number of the newest event: cheap to ask, to see whether there are new ones."""
        (seq,) = self._base.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        return int(seq)

    def close(self) -> None:
        self._base.close()
