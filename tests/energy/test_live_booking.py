import asyncio

import pytest

from insights.test_energy_consumption import window
from modicum.calls import UserError
from modicum.energy.live_booking import LiveBooking, book_left_behind
from modicum.ledger.store import Appended


class Ledger:
    """Takes windows, or says that it is away."""

    def __init__(self):
        self.windows = []
        self.away = False
        self.booked = asyncio.Event()

    def append(self, windows):
        if self.away:
            raise UserError("the ledger is held by process 7")
        self.windows += windows
        return Appended(new=len(windows))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


def test_what_is_left_at_the_end_is_booked_once(folder):
    ledger = Ledger()

    async def go():
        async with LiveBooking(folder, ledger.append, every_s=60) as booking:
            booking.add([window()])
            booking.add([window(5)])
        return booking

    booking = asyncio.run(go())

    assert ledger.windows == [window(), window(5)]
    assert (booking.booked.new, booking.waiting, booking.problem) == (2, 0, "")
    assert list(folder.iterdir()) == []


def test_windows_are_booked_while_the_watch_goes_on(folder):
    ledger = Ledger()

    async def go():
        loop, came = asyncio.get_running_loop(), asyncio.Event()

        def append(windows):
            found = ledger.append(windows)
            loop.call_soon_threadsafe(came.set)
            return found

        async with LiveBooking(folder, append, every_s=0.01) as booking:
            booking.add([window()])
            await asyncio.wait_for(came.wait(), 30)
            return list(ledger.windows)

    assert asyncio.run(go()) == [window()]


def test_a_ledger_that_is_away_loses_nothing(folder, monkeypatch):
    monkeypatch.setattr("modicum.energy.live_booking.AGAIN_AFTER_S", 0.0)
    ledger = Ledger()
    ledger.away = True

    async def go():
        async with LiveBooking(folder, ledger.append, every_s=60) as booking:
            booking.add([window()])
        return booking

    booking = asyncio.run(go())

    assert (booking.waiting, booking.problem) == (1, "the ledger is held by process 7")
    assert book_left_behind(folder, ledger.append) == 0
    ledger.away = False
    assert book_left_behind(folder, ledger.append) == 1
    assert ledger.windows == [window()]
    assert book_left_behind(folder, ledger.append) == 0
