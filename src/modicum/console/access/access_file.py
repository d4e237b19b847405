"""Users and tokens, as the file of events has them now. Verbs and console share it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from modicum.calls import UserError
from modicum.governance.access.tokens import EVENT_KIND as TOKEN
from modicum.governance.access.tokens import AccessTokens, TokenEvent
from modicum.governance.access.users import EVENT_KIND as USER
from modicum.governance.access.users import UserEvent, Users
from modicum.ledger.events import EventFile
from modicum.ledger.file_lock import FileLock

EVENTS, LOCK = "events.sqlite", "access.lock"
LOCKED_WITHIN_S = 5.0


class Access(NamedTuple):
    """All that was decided so far."""

    users: Users
    tokens: AccessTokens


class AccessFile:
    """Reads users and tokens again as soon as any process has changed them, and changes them one at a time.

    Args:
        folder: of the gateway's state.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._lock_path = folder / EVENTS, folder / LOCK
        self._lock = threading.Lock()
        self._file: EventFile | None = None
        self._stamp = b""
        self._current = Access(Users(), AccessTokens())

    def current(self) -> Access:
        """Who may do what now.

        Raises:
            UserError: the file cannot be read. One that had users and has gone opens nothing.
        """
        with self._lock:
            return self._read()

    def change(self, decide: Callable[[Access], UserEvent | TokenEvent]) -> None:
        """Appends what `decide` makes of the state; nobody else changes it meanwhile. It is on the disk afterwards.

        Raises:
            UserError: from `decide`, or it cannot be written.
        """
        held = FileLock(self._lock_path)
        try:
            if not held.acquire(LOCKED_WITHIN_S):
                raise UserError("somebody else is changing users or tokens just now: do it again in a moment")
            with self._lock:
                event = decide(self._read())
                file = self._file or EventFile(self._path)
                self._file = file
                file.append(USER if isinstance(event, UserEvent) else TOKEN, event)
                self._stamp = b""
        finally:
            held.release()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _read(self) -> Access:
        if self._file is not None and self._file.gone:
            self._file.close()
            self._file, self._stamp = None, b""
        if self._file is None:
            if not self._path.exists():
                if not self._current.users.is_open():
                    raise UserError(f"{self._path} has gone, and with it who may look at the console: bring it back")
                return self._current
            self._file = EventFile(self._path)
        stamp = self._file.stamp
        if not self._stamp or stamp != self._stamp:
            users, tokens = self._file.read(USER, UserEvent), self._file.read(TOKEN, TokenEvent)
            self._stamp, self._current = stamp, Access(Users(users), AccessTokens(tokens))
        return self._current
