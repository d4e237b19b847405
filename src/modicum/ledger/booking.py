"""A call becomes an entry: it gets its price, once, at the rates of its day."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from operator import attrgetter

import msgspec

from modicum.calls import (
    BUCKETS,
    OURSELVES,
    Basis,
    BucketCosts,
    Call,
    CallStatus,
    Charges,
    Cost,
    Entry,
    OtherModel,
    Usage,
)
from modicum.calls.cost import ZERO
from modicum.calls.outside.storable import storable
from modicum.calls.rates import Rates
from modicum.metering.prices import PriceBook
from modicum.metering.waived import WAIVED, is_free, is_waived

NOTHING = Cost(Decimal(0), Basis.EXACT, BucketCosts(), OURSELVES, None, 0.0)
"""What a call costs that no provider ever saw."""


PROVIDER = "provider"
"""The source of a cost that the provider or router itself gave with its reply."""

MOST_USD = Decimal(100_000_000)
"""Where the ledger's columns end. Nothing costs that; a record that says so has counts that are none."""


def book(call: Call, prices: PriceBook) -> Entry:
    """The entry of a call. Without a price or without usage the cost is what the log reported, or unknown: never 0."""
    if not call.call_id.isascii():  # other texts are cleaned when they become columns; an id is looked up before that
        call = msgspec.structs.replace(call, call_id=storable(call.call_id))
    return Entry(call, cost_of(call, prices))


def cost_of(call: Call, prices: PriceBook) -> Cost:
    """What a call costs, as it is booked; without what other models did for it (`book_all`)."""
    return NOTHING if call.provider == OURSELVES else _cost(call, prices)


def book_all(calls: Iterable[Call], prices: PriceBook) -> Iterator[Entry]:
    """The entries of calls, with one more for what each other model did for a call, at its own rates."""
    for call in calls:
        if not call.charges.others:
            yield book(call, prices)
            continue
        own = msgspec.structs.replace(call, charges=msgspec.structs.replace(call.charges, others=()))
        yield book(own, prices)
        for part in _parts_of_others(own, call.charges.others):
            yield book(part, prices)


def _parts_of_others(call: Call, others: Iterable[OtherModel]) -> Iterator[Call]:
    """What other models did, as records that stand for no call of their own. One of a model: its parts are summed."""
    by_model: dict[str, Usage] = {}
    for other in others:
        by_model[other.model] = by_model.get(other.model, Usage()) + other.usage
    charges = Charges(region=call.charges.region, caveats=call.charges.caveats)
    for model, usage in by_model.items():
        yield msgspec.structs.replace(
            call,
            call_id=f"{call.call_id}+{model}",
            model=model,
            usage=usage,
            charges=charges,
            calls_count=0,
            first_token=None,
            finish_reason="",
            output_tokens_estimated=None,
            reported_cost_usd=None,
            anatomy=None,
            edits=(),
        )


def _cost(call: Call, prices: PriceBook) -> Cost:
    if is_free(call) or is_waived(call):
        basis = Basis.EXACT if is_free(call) else call.usage_basis
        return Cost(Decimal(0), basis, BucketCosts(), WAIVED, None, 0.0)
    if Basis.UNKNOWN in (call.usage_basis, call.output_basis):
        return _reported(call)
    rates = prices.rates_of(call)
    if rates is None:
        return _reported(call)
    costs = bucket_costs(call, rates)
    total = costs.total
    if total >= MOST_USD:
        return Cost.unknown()
    if call.charges.provider_cost_usd is not None and not _agree(total, call.charges.provider_cost_usd):
        return _reported(call)  # what the provider says that it charged is the bill, whatever its list says
    basis = call.usage_basis | call.output_basis | rates.basis | _doubt(call, rates)
    effective = float(total / rates.input_uncached) if rates.input_uncached else None
    return Cost(total, basis, costs, rates.source, rates.version, effective)


def bucket_costs(call: Call, rates: Rates) -> BucketCosts:
    costs = [count * rate if count else ZERO for count, rate in zip(_counts(call.usage), _counts(rates), strict=True)]
    requests = _requests_charged(call) * rates.request
    for unit, count in call.charges.requests.items():
        requests += count * rates.fees.get(unit, ZERO)
    return BucketCosts(*(*costs, requests))


_counts = attrgetter(*BUCKETS)
"""What a usage or rates have for every bucket, in the order in which `BucketCosts` has them before its requests."""


def _doubt(call: Call, rates: Rates) -> Basis:
    """ESTIMATED where something was counted that has no price of its own, or that we do not understand."""
    charges, usage = call.charges, call.usage
    if charges.caveats or (charges.requests and any(unit not in rates.fees for unit in charges.requests)):
        return Basis.ESTIMATED
    for bucket in rates.fallbacks:
        if getattr(usage, bucket):
            return Basis.ESTIMATED
    return Basis.EXACT


ROUNDING_USD = Decimal("0.000001")
ROUNDING_SHARE = Decimal("0.005")


def _agree(ours: Decimal, theirs: Decimal) -> bool:
    """Whether two figures differ by no more than rounding: half a percent, or a millionth of a dollar."""
    return abs(ours - theirs) <= max(ROUNDING_USD, ROUNDING_SHARE * theirs)


def _requests_charged(call: Call) -> int:
    """How often the fee per request is due: a request that failed before a token was counted is not billed."""
    return 0 if call.status is CallStatus.ERROR and not call.usage.total_tokens else call.calls_count


def _reported(call: Call) -> Cost:
    """What the provider says that it charged, or else what the log says, where we have no price of our own."""
    usd = call.charges.provider_cost_usd
    if usd is not None:
        return Cost(usd, Basis.EXACT, None, PROVIDER)
    if call.reported_cost_usd is None:
        return Cost.unknown()
    usd = call.reported_cost_usd
    return Cost(usd, call.output_basis | (Basis.ESTIMATED if call.charges.caveats else Basis.EXACT), None, "reported")


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
