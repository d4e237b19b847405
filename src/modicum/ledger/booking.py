"""A call becomes an entry: it gets its price, once, at the rates of its day."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from modicum.calls import OURSELVES, Basis, BucketCosts, Call, CallStatus, Cost, Entry
from modicum.calls.rates import Rates
from modicum.calls.storable import storable
from modicum.metering.prices import PriceBook

NOTHING = Cost(Decimal(0), Basis.EXACT, BucketCosts(), OURSELVES, None, 0.0)
"""What a call costs that no provider ever saw."""


MOST_USD = Decimal(100_000_000)
"""Where the ledger's columns end. Nothing costs that; a record that says so has counts that are none."""


def book(call: Call, prices: PriceBook) -> Entry:
    """The entry of a call. Without a price or without usage the cost is what the log reported, or unknown: never 0."""
    if not call.call_id.isascii():  # other texts are cleaned when they become columns; an id is looked up before that
        call = msgspec.structs.replace(call, call_id=storable(call.call_id))
    if call.provider == OURSELVES:
        return Entry(call, NOTHING)
    if Basis.UNKNOWN in (call.usage_basis, call.output_basis):
        return Entry(call, _reported(call))
    rates = prices.rates_of(call)
    if rates is None:
        return Entry(call, _reported(call))
    costs = bucket_costs(call, rates)
    if costs.total >= MOST_USD:
        return Entry(call, Cost.unknown())
    basis = call.usage_basis | call.output_basis | rates.basis
    effective = float(costs.total / rates.input_uncached) if rates.input_uncached else None
    return Entry(call, Cost(costs.total, basis, costs, rates.source, rates.version, effective))


def bucket_costs(call: Call, rates: Rates) -> BucketCosts:
    usage = call.usage
    return BucketCosts(
        usage.input_uncached * rates.input_uncached,
        usage.cache_read * rates.cache_read,
        usage.cache_write_5m * rates.cache_write_5m,
        usage.cache_write_1h * rates.cache_write_1h,
        usage.output_visible * rates.output_visible,
        usage.output_reasoning * rates.output_reasoning,
        call.web_searches * rates.web_search + _requests_charged(call) * rates.request,
    )


def _requests_charged(call: Call) -> int:
    """How often the fee per request is due: a request that failed before a token was counted is not billed."""
    return 0 if call.status is CallStatus.ERROR and not call.usage.total_tokens else call.calls_count


def _reported(call: Call) -> Cost:
    """What the log says, where we have no price of our own."""
    if call.reported_cost_usd is None:
        return Cost.unknown()
    usd: Decimal = call.reported_cost_usd
    return Cost(usd, Basis.EXACT if call.output_basis is Basis.EXACT else call.output_basis, None, "reported")


def newest(entries: Iterable[Entry]) -> list[Entry]:
    """Of the records of one call the one that stands: the greatest revision, of equals the first. Order is kept."""
    standing: dict[str, Entry] = {}
    for entry in entries:
        known = standing.get(entry.call.call_id)
        if known is None or entry.call.revision > known.call.revision:
            standing[entry.call.call_id] = entry
    return list(standing.values())


def newest_calls(calls: Iterable[Call]) -> list[Call]:
    """The same rule before booking, so that a repeated call is not priced twice."""
    standing: dict[str, Call] = {}
    for call in calls:
        known = standing.get(call.call_id)
        if known is None or call.revision > known.revision:
            standing[call.call_id] = call
    return list(standing.values())
