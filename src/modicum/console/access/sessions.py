"""Sessions of the console's users, in a file, so that a restart of the console logs nobody out.

What the browser holds is a secret that is shown once; the file has its digest. Whether its user still may do anything
is asked anew with every request, so a removed user's open tabs end at once.
"""

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from modicum.calls import UserError
from modicum.governance.access.shown_once import fits, make_secret, split_secret

PREFIX = "ms_"
FILE = "console-sessions.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    name TEXT NOT NULL,
    began REAL NOT NULL,
    until REAL NOT NULL
)
"""


class ConsoleSession(NamedTuple):
    session_id: str
    name: str
    """Of its user."""
    began: datetime


class Sessions:
    """All sessions of one console. Its file is made when the first one begins."""

    def __init__(self, folder: Path, digest_key: bytes) -> None:
        self._path, self._digest_key = folder / FILE, digest_key
        self._base: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def begin(self, name: str, now: datetime, until: datetime) -> str:
        """A new session; what its browser has to send.

        Raises:
            UserError: it cannot be written down.
        """
        fresh = make_secret(PREFIX, self._digest_key)
        with self._lock:
            self._run("DELETE FROM sessions WHERE until <= ?", now.timestamp())
            row = (fresh.public_id, fresh.digest, name, now.timestamp(), until.timestamp())
            self._run("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", *row)
        return fresh.text

    def find(self, text: str, now: datetime) -> ConsoleSession | None:
        """The session that a browser sent; None: it is unknown, wrong, or over."""
        if not text.startswith(PREFIX) or (self._base is None and not self._path.exists()):
            return None
        session_id, secret = split_secret(PREFIX, text)
        with self._lock:
            rows = self._run("SELECT digest, name, began, until FROM sessions WHERE id = ?", session_id)
        row = rows[0] if rows else None
        right = fits(secret, row[0] if row else None, self._digest_key)
        if row is None or not right or row[3] <= now.timestamp():
            return None
        return ConsoleSession(session_id, row[1], datetime.fromtimestamp(row[2], UTC))

    def end(self, session_id: str) -> None:
        with self._lock:
            self._run("DELETE FROM sessions WHERE id = ?", session_id)

    def close(self) -> None:
        with self._lock:
            if self._base is not None:
                self._base.close()
                self._base = None

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Raises:
        UserError: the file cannot be used.
        """
        try:
            if self._base is None:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                base = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5.0)
                self._base = base
                self._path.chmod(0o600)
                base.execute(_SCHEMA)
            return self._base.execute(statement, values).fetchall()
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"nobody can be logged in: {self._path} cannot be used: {error}") from None
