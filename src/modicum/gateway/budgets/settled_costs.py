"""What an ended call has cost, in whole numbers: the same as booking says of it, without what each bucket cost.

Booking works in decimals, bucket by bucket, and a budget needs their sum alone, at every call.
"""

from math import ceil, lcm
from operator import attrgetter

from modicum.calls import BUCKETS, OURSELVES, Basis, Call, CallStatus, Cost
from modicum.calls.rates import Rates
from modicum.calls.session_reports import SUMS
from modicum.governance.budgets import NANO, Amounts
from modicum.governance.worst_case import nano_usd
from modicum.ledger.booking import MOST_USD, cost_of
from modicum.metering.prices import PriceBook
from modicum.metering.waived import is_free, is_waived

MOST_KEPT = 10_000
"""Rates; models' names come from callers. Of more all are made again."""
MOST_PARTS = 10**15
"""Of a dollar. Rates with more digits are left to decimals, which round."""
_buckets = attrgetter(*BUCKETS)


class SettledCosts:
    """Used from the event loop and the thread that opens prices: what is kept may be made twice, and is the same."""

    def __init__(self) -> None:
        self._kept: dict[int, _WholeRates] = {}

    def amounts(self, call: Call, book: PriceBook) -> Amounts:
        """Without what other models did for the call; energy is not known here."""
        if _is_plain(call):
            rates = book.rates_of(call)
            whole = None if rates is None else self._whole(rates)
            if whole is not None and whole.parts and (total := whole.total(call)) < MOST_USD * whole.parts:
                effective = ceil(total / whole.plain) if whole.plain else None
                return Amounts(-(-total * NANO // whole.parts), effective, call.calls_count)
        return amounts_of(cost_of(call, book), call.calls_count)

    def _whole(self, rates: Rates) -> "_WholeRates":
        kept = self._kept.get(id(rates))
        if kept is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[id(rates)] = _WholeRates(rates)  # holds the rates, so that the id stays theirs
        return kept


class _WholeRates:
    """Rates as whole numbers of one small part of a dollar, so that sums are exact."""

    __slots__ = ("_buckets", "_rates", "_request", "parts", "plain")

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        ratios = [rate.as_integer_ratio() for rate in (*_buckets(rates), rates.request)]
        parts = lcm(*(denominator for _, denominator in ratios))
        self.parts = parts if parts <= MOST_PARTS else 0
        """How many of what is counted make a dollar; 0: too many."""
        *self._buckets, self._request = (numerator * (parts // denominator) for numerator, denominator in ratios)
        self.plain = self._buckets[0]
        """What an input token costs that no cache had."""

    def total(self, call: Call) -> int:
        usage, total = call.usage, 0
        for count, rate in zip(_buckets(usage), self._buckets, strict=True):
            if count:
                total += count * rate
        if self._request and not (call.status is CallStatus.ERROR and not usage.total_tokens):
            total += call.calls_count * self._request
        return total


def amounts_of(cost: Cost, calls: int) -> Amounts:
    """What a booked cost counts on budgets."""
    usd, weighs = cost.usd, cost.effective_tokens
    return Amounts(None if usd is None else nano_usd(usd), None if weighs is None else ceil(weighs), calls)


def _is_plain(call: Call) -> bool:
    """Whether tokens at their rates are all that it costs."""
    charges = call.charges
    is_counted = call.usage_basis is not Basis.UNKNOWN and call.output_basis is not Basis.UNKNOWN
    is_charged = not (call.provider == OURSELVES or is_free(call) or is_waived(call))
    is_tokens_alone = not charges.requests and charges.provider_cost_usd is None
    return is_counted and is_charged and is_tokens_alone and call.place not in SUMS
