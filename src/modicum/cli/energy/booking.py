"""Books a watch's windows while it goes on: the ledger is open for moments only, or a running console is asked."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from modicum.calls.errors import UserError
from modicum.cli.inputs import resources
from modicum.settings import data_folder, ledger_place, read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from modicum.calls import EnergyWindow
    from modicum.ledger.store import Appended

BOOK_EVERY_S = 30.0
AGAIN_AFTER_S = 1.0


def spool_folder(ledger_url: str | None) -> "Path":
    """Where windows wait for this ledger. Its name is a digest: a URL may hold a password."""
    place = ledger_url or ledger_place(read_settings())
    return data_folder() / "energy" / hashlib.blake2b(place.encode(), digest_size=8).hexdigest()


class LiveBooking:
    """A sink for closed windows. They are on disk at once, and in the ledger within half a minute if it can be opened.

    An async context manager: at its end what is left is booked, and `booked` and `problem` say what became of it.
    """

    def __init__(self, ledger_url: str | None, every_s: float | None = None) -> None:
        from modicum.energy.spool import Spool
        from modicum.ledger.store import Appended

        self.booked: Appended = Appended()
        self.problem = ""
        """Why the ledger has not got all; empty: it has."""
        self._url, self._every_s = ledger_url, BOOK_EVERY_S if every_s is None else every_s
        self._spool = Spool(spool_folder(ledger_url))
        self._waiting: list[EnergyWindow] = []
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, windows: "Sequence[EnergyWindow]") -> None:
        self._spool.add(windows)
        self._waiting += windows

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def place(self) -> "Path":
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
        await asyncio.to_thread(book_left_behind, self._url)
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
            found = await asyncio.to_thread(append_windows, self._url, batch)
        except UserError as error:
            self.problem = str(error)
            return
        self.booked += found
        self.problem = ""
        del self._waiting[: len(batch)]
        if not self._waiting:
            self._spool.booked()


def append_windows(ledger_url: str | None, windows: "Sequence[EnergyWindow]") -> "Appended":
    """Raises:
    UserError: the ledger cannot be opened.
    """
    with resources.opened_ledger(ledger_url) as store:
        return store.append_energy(windows)


def book_left_behind(ledger_url: str | None) -> int:
    """Books what killed watches left; how many windows. A ledger that cannot be opened leaves them where they are."""
    from modicum.energy.spool import left_behind

    count = 0
    for path, windows in left_behind(spool_folder(ledger_url)):
        if windows:
            try:
                append_windows(ledger_url, windows)
            except UserError:
                return count
        path.unlink(missing_ok=True)
        count += len(windows)
    return count
