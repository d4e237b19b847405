"""`--prices-of DATE|MODEL`: the same calls at the prices of another day, or of another model."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import Call, UserError
from modicum.insights.scoping.time_span import NEVER, parse_time
from modicum.ledger.booking import book
from modicum.ledger.copying import copy_records
from modicum.ledger.records import RECORDS
from modicum.library import resources
from modicum.metering.prices_of import PricesOf

if TYPE_CHECKING:
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook


def other_prices(text: str, prices: "PriceBook", zone: ZoneInfo) -> PricesOf:
    """The prices that `--prices-of` means.

    Raises:
        UserError: it is no time, or one to come; or no price of such a model is known.
    """
    try:
        at = parse_time(text, zone, NEVER)
    except UserError:
        of_model = PricesOf(prices, model=text)
        if not of_model.steps("", text, datetime.now(UTC)):
            raise UserError(
                f"'{text}' is no day, and no price of such a model is known; write --prices-of 2026-11-30, today, or a "
                "model as its provider does: claude-opus-4-5, openai/gpt-5"
            ) from None
        return of_model
    if at > datetime.now(UTC):
        raise UserError(f"nobody knows the prices of {text}: it is yet to come; write --prices-of today")
    return PricesOf(prices, at=at)


def without_provider_cost(call: Call) -> Call:
    """The call without what was charged for it on its own day."""
    charges = msgspec.structs.replace(call.charges, provider_cost_usd=None)
    return msgspec.structs.replace(call, reported_cost_usd=None, charges=charges)


@contextmanager
def at_prices_of(store: "Store", prices: "PriceBook") -> "Iterator[Store]":
    """A ledger in memory with the same calls, booked at these prices; the same ledger where they are of no other day
    or model.
    """
    if not isinstance(prices, PricesOf):
        yield store
        return

    with resources.open_ledger(":memory:") as fresh:
        for entries in store.entries():
            fresh.append([book(without_provider_cost(entry.call), prices) for entry in entries])
        for table in RECORDS.values():
            copy_records(store, fresh, table)
        yield fresh
