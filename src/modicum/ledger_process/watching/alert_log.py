"""Alerts on disk: which events were told, and what waits to be posted. So both outlive the process.

One SQLite file in the folder of the gateway's state. It holds names and figures, no text of a prompt.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from modicum.calls import UserError
from modicum.governance.alerts import Alert, Raised

FILE_NAME = "alerts.sqlite"
MOST_WAITING = 1_000
"""Alerts that wait to be posted; older ones are given up for newer ones."""
MOST_KEPT = 5_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS raised (identity TEXT PRIMARY KEY, at TEXT NOT NULL, holds INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL, delivery TEXT NOT NULL)
"""

LOGGED, WAITING, DELIVERED, DROPPED = "logged", "waiting", "delivered", "dropped"
"""What became of an alert; `logged`: there is no webhook."""


class LoggedAlert(NamedTuple):
    seq: int
    alert: Alert
    delivery: str


class AlertLog:
    """Each method opens the file and closes it again: it is used a few times a minute, from any thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def read_raised(self) -> dict[str, Raised]:
        """The events that were told.

        Raises:
            UserError: as all methods: the file cannot be used.
        """
        with self._open() as base:
            rows = base.execute("SELECT identity, at, holds FROM raised").fetchall()
        return {identity: Raised(datetime.fromisoformat(at), bool(holds)) for identity, at, holds in rows}

    def record(self, alerts: Sequence[Alert], raised: Mapping[str, Raised], *, has_webhook: bool) -> int:
        """Writes new alerts, and which events are told now, all or nothing. Returns how many were given up for them."""
        with self._open() as base, base:
            base.execute("DELETE FROM raised")
            base.executemany(
                "INSERT INTO raised VALUES (?, ?, ?)",
                [(identity, one.at.isoformat(), one.holds) for identity, one in raised.items()],
            )
            return self._insert(base, alerts, WAITING if has_webhook else LOGGED)

    def next_waiting(self) -> LoggedAlert | None:
        """The oldest alert that waits to be posted."""
        return next(iter(self._select("WHERE delivery = 'waiting' ORDER BY seq LIMIT 1")), None)

    def mark(self, seq: int, delivery: str) -> None:
        """Notes what became of an alert."""
        with self._open() as base, base:
            base.execute("UPDATE alerts SET delivery = ? WHERE seq = ?", (delivery, seq))

    def newest(self, count: int) -> list[LoggedAlert]:
        """The newest alerts, the newest first."""
        return self._select("ORDER BY seq DESC LIMIT ?", count)

    def count_waiting(self) -> int:
        """How many wait to be posted."""
        with self._open() as base:
            (count,) = base.execute("SELECT count(*) FROM alerts WHERE delivery = 'waiting'").fetchone()
        return int(count)

    def _insert(self, base: sqlite3.Connection, alerts: Sequence[Alert], delivery: str) -> int:
        base.executemany(
            "INSERT INTO alerts (body, delivery) VALUES (?, ?)",
            [(msgspec.json.encode(alert), delivery) for alert in alerts],
        )
        dropped = base.execute(
            "UPDATE alerts SET delivery = 'dropped' WHERE delivery = 'waiting' AND seq NOT IN "
            "(SELECT seq FROM alerts WHERE delivery = 'waiting' ORDER BY seq DESC LIMIT ?)",
            (MOST_WAITING,),
        ).rowcount
        base.execute("DELETE FROM alerts WHERE seq <= (SELECT max(seq) FROM alerts) - ?", (MOST_KEPT,))
        return dropped

    def _select(self, which: str, *parameters: int) -> list[LoggedAlert]:
        with self._open() as base:
            rows = base.execute(f"SELECT seq, body, delivery FROM alerts {which}", parameters).fetchall()  # noqa: S608
        return [LoggedAlert(seq, msgspec.json.decode(body, type=Alert), delivery) for seq, body, delivery in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self.path, timeout=5.0)) as base:
                self.path.chmod(0o600)
                base.executescript(_SCHEMA)
                yield base
        except (OSError, sqlite3.Error, ValueError) as error:  # a body of another version is a ValueError, too
            raise UserError(
                f"the file of alerts {self.path} cannot be used: {error}; delete it to begin a new one: only what was "
                "told before, and what waits to be posted, is lost"
            ) from None
