"""Calls of logs on their way into a ledger."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from modicum.calls import Call
from modicum.importers.format import Reading
from modicum.ledger.booking import book_all
from modicum.ledger.records import SHORTENINGS, shortenings_of
from modicum.ledger.session_reports import settle_reports
from modicum.ledger.store import Appended, Store
from modicum.library import resources
from modicum.metering.digests import Digester

if TYPE_CHECKING:
    from modicum.metering.prices import PriceBook

BATCH = 20_000
"""Calls booked at once: enough that joining them with the ledger costs little, few enough to stay small in memory."""


def make_reading(*, anatomy: bool, watches_text: bool = True, lasts: bool = False) -> "Reading":
    """What importers are asked for, with this user's digest key.

    Args:
        anatomy: whether contexts are taken apart.
        watches_text: as in `Reading`.
        lasts: whether the calls go into a ledger that lasts: then the key must be one that does.

    Raises:
        UserError: the key cannot be read, or one that lasts cannot be made.
    """
    key = resources.read_digest_key() if lasts else resources.lend_digest_key()
    return Reading(anatomy=anatomy, watches_text=watches_text, digester=Digester(key))


def book_calls(calls: Iterable[Call], store: Store, prices: "PriceBook") -> Appended:
    """Books calls in batches, each whole or not at all."""
    booked = Appended()
    for batch in _batches(calls):
        entries = list(book_all(batch, prices))
        booked += store.append(entries)
        if rows := shortenings_of(entries):
            store.append_records(SHORTENINGS, rows)
    if booked.booked:
        settle_reports(store)
    return booked


def _batches(calls: Iterable[Call]) -> Iterator[list[Call]]:
    batch: list[Call] = []
    for call in calls:
        batch.append(call)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
