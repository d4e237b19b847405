"""Which call a provider's id names: the first that came with it.

Providers' ids are kept so that an agent's own log of a call is known again. But some servers give the same id twice,
and a second call under it would vanish as a repetition of the first. Which call was first is remembered on disk, in
the one process that ships the journals, so that it holds across gateway processes and restarts.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from modicum.calls import Problem
from modicum.calls.containment import undo_if_failed
from modicum.ledger.on_disk import is_broken, is_foreign, set_aside

KEPT = 200_000
"""The newest ids that are remembered."""
_AT_ONCE = 500


def opened_identities(path: Path) -> tuple["Identities", list[Problem]]:
    """The file of that name; one that is broken is set aside, with the problem that says so, since calls go on."""
    reason = "it was a folder"
    try:
        if not path.is_dir():
            return Identities(path), []
    except sqlite3.Error as error:
        if not (is_broken(error) or is_foreign(error)):
            raise
        reason = f"it was broken ({error})"
    moved = set_aside(path)
    message = f"{reason} and is now {moved.name}: ids that a provider gave before and gives again are not known as such"
    return Identities(path), [Problem(str(path), message)]


class Identities:
    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        with undo_if_failed(self._base.close):
            path.chmod(0o600)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS identities ("
                "seq INTEGER PRIMARY KEY AUTOINCREMENT, reply_id TEXT NOT NULL UNIQUE, number TEXT NOT NULL)"
            )
            self._base.execute("SELECT count(reply_id) FROM identities").fetchone()  # what is broken shows now

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
