"""Which call a provider's id names: the first that came with it.

Providers' ids are kept so that an agent's own log of a call is known again. But some servers give the same id twice,
and a second call under it would vanish as a repetition of the first. Which call was first is remembered on disk, in
the one process that ships the journals, so that it holds across gateway processes and restarts.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

KEPT = 200_000
"""The newest ids that are remembered."""
_AT_ONCE = 500


class Identities:
    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        path.chmod(0o600)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS identities ("
            "seq INTEGER PRIMARY KEY AUTOINCREMENT, reply_id TEXT NOT NULL UNIQUE, number TEXT NOT NULL)"
        )

    def first(self, calls: Sequence[tuple[str, str]]) -> dict[str, str]:
        """For each of the provider's ids the number of the first call that had it, these included. Durable on return.

        Args:
            calls: the provider's id and the gateway's number of each call, in order.
        """
        if not calls:
            return {}
        self._base.execute("BEGIN IMMEDIATE")
        self._base.executemany("INSERT OR IGNORE INTO identities (reply_id, number) VALUES (?, ?)", calls)
        self._base.execute("DELETE FROM identities WHERE seq <= (SELECT max(seq) FROM identities) - ?", (KEPT,))
        self._base.execute("COMMIT")
        found: dict[str, str] = {}
        ids = [reply_id for reply_id, _ in calls]
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            marks = ",".join("?" * len(some))
            found |= self._base.execute(
                f"SELECT reply_id, number FROM identities WHERE reply_id IN ({marks})",
                some,
            ).fetchall()
        return found

    def close(self) -> None:
        self._base.close()
