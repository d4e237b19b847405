"""Where the windows of a watch go: into the ledger that the user named, by way of a folder of their own."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modicum.ledger.records import ENERGY_WINDOWS
from modicum.library import resources
from modicum.settings import data_folder, ledger_place, read_settings

if TYPE_CHECKING:
    from modicum.calls import EnergyWindow
    from modicum.energy.live_booking import Append, LiveBooking
    from modicum.ledger.store import Appended


def spool_folder(ledger_url: str | None) -> Path:
    """Where windows wait for this ledger. Its name is a digest: a URL may hold a password."""
    place = ledger_url or ledger_place(read_settings())
    return data_folder() / "energy" / hashlib.blake2b(place.encode(), digest_size=8).hexdigest()


def append_windows(ledger_url: str | None, windows: "Sequence[EnergyWindow]") -> "Appended":
    """Appends windows of energy to the ledger.

    Raises:
        UserError: the ledger cannot be opened.
    """
    with resources.open_ledger(ledger_url, creates=True) as store:
        return store.append_records(ENERGY_WINDOWS, windows)


def make_append(ledger_url: str | None) -> "Append":
    return lambda windows: append_windows(ledger_url, windows)


def open_live_booking(ledger_url: str | None) -> "LiveBooking":
    from modicum.energy.live_booking import LiveBooking

    return LiveBooking(spool_folder(ledger_url), make_append(ledger_url))


def book_spooled_windows(ledger_url: str | None) -> int:
    """Books what killed watches of this ledger left; how many windows."""
    from modicum.energy import live_booking

    return live_booking.book_left_behind(spool_folder(ledger_url), make_append(ledger_url))
