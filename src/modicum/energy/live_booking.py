"""Books a watch's windows while it goes on. They are on disk at once; the ledger is open for moments only."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from modicum.calls import EnergyWindow, UserError
from modicum.energy.spool import Spool, list_left_behind
from modicum.ledger.store import Appended

BOOK_EVERY_S = 30.0
AGAIN_AFTER_S = 1.0

Append = Callable[[Sequence[EnergyWindow]], Appended]


class LiveBooking:
    """A sink for closed windows. They are on disk at once, and in the ledger within half a minute if it can be opened.

    An async context manager: at its end what is left is booked, and `booked` and `problem` say what became of it.

    Args:
        folder: where windows wait for their ledger.
        append: puts windows into the ledger; raises UserError if it cannot be opened. Called in a thread.
        every_s: seconds between two tries.
    """

    def __init__(self, folder: Path, append: Append, every_s: float = BOOK_EVERY_S) -> None:
        self.booked = Appended()
        self.problem = ""
        """Why the ledger has not got all; empty: it has."""
        self._folder, self._append, self._every_s = folder, append, every_s
        self._spool = Spool(folder)
        self._waiting: list[EnergyWindow] = []
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, windows: Sequence[EnergyWindow]) -> None:
        self._spool.add(windows)
        self._waiting += windows

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def place(self) -> Path:
        """Where windows lie that are not booked yet."""
        return self._spool.path

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None  # noqa: S101 - entered
        self._stop.set()
        try:
            await self._task
            await self._book()
            if self._waiting:
                # Another command may have held the ledger for its moment.
                await asyncio.sleep(AGAIN_AFTER_S)
                await self._book()
        finally:
            self._spool.close()

    async def _run(self) -> None:
        await asyncio.to_thread(book_left_behind, self._folder, self._append)
        while not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), self._every_s)
            except TimeoutError:
                await self._book()

    async def _book(self) -> None:
        batch = list(self._waiting)
        if not batch:
            return
        try:
            found = await asyncio.to_thread(self._append, batch)
        except UserError as error:
            self.problem = str(error)
            return
        self.booked += found
        self.problem = ""
        del self._waiting[: len(batch)]
        if not self._waiting:
            self._spool.booked()


def book_left_behind(folder: Path, append: Append) -> int:
    """Books what killed watches left; how many windows. A ledger that cannot be opened leaves them where they are."""
    count = 0
    for path, windows in list_left_behind(folder):
        if windows:
            try:
                append(windows)
            except UserError:
                return count
        path.unlink(missing_ok=True)
        count += len(windows)
    return count
