"""What a call may cost and has cost: worked out at once where the prices are in memory, else in a thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from modicum.calls import Call
from modicum.calls.rates import RateSteps
from modicum.gateway.budgets.bounds import check_bounded, survey_request
from modicum.gateway.budgets.part_counts import PartCounts
from modicum.gateway.budgets.settled_costs import SettledCosts, amounts_of
from modicum.gateway.exchange import Exchange
from modicum.gateway.upstreams import Route
from modicum.governance.budgets import Amounts
from modicum.governance.energy_rate import EnergyRate
from modicum.governance.energy_rates import drawn_millijoules, most_millijoules
from modicum.governance.worst_case import CallBound, WorstRates, sum_amounts
from modicum.ledger.booking import book_all
from modicum.metering.prices import PriceBook
from modicum.metering.tokens import encoding_for
from modicum.providers.dialect import Dialect
from modicum.providers.facts import RequestFacts
from modicum.providers.other_models import other_models

SHORT_BYTES = 16 * 1024
"""A request up to this size is counted at once: to hand it to a thread takes longer."""
BOUND_BYTES = 256 * 1024
"""And up to this size it is bounded by its bytes at once, since nothing is counted then."""
MOST_KNOWN = 10_000
"""Models, by day; their names come from callers."""

T = TypeVar("T")


class PricedRequest(NamedTuple):
    """What of a call its worst case depends on, as of one moment: the same, however late it is asked for."""

    dialect: Dialect
    body: bytes
    facts: RequestFacts
    route: Route
    started_s: float
    ceiling: int | None
    """The most output of each choice, in place of its own."""
    more_tokens: int
    """That may be put into its prompt."""

    @classmethod
    def of(cls, exchange: Exchange, ceiling: int | None = None) -> Self:
        if ceiling is None and exchange.ceiling is not None:
            ceiling = exchange.ceiling.tokens
        more_tokens = exchange.most_line_tokens + len(exchange.guard_line)  # no token is shorter than a character
        dialect, started_s = exchange.request.served.dialect, exchange.timing.started_s
        return cls(dialect, exchange.edited, exchange.facts, exchange.route, started_s, ceiling, more_tokens)


class WorstCase(NamedTuple):
    """What a call may cost at most."""

    amounts: Amounts
    uncounted: PricedRequest | None = None
    """Of what these are a bound by its bytes: counting it gives less. None: it was counted."""


class CallPrices:
    """Used from the event loop.

    Args:
        prices: opens the prices, in a thread, at the first call that has a budget.
    """

    def __init__(self, prices: Callable[[], PriceBook]) -> None:
        self._prices = prices
        self._book: PriceBook | None = None
        self._thread = ThreadPoolExecutor(1, "budgets")
        self._part_counts, self._settled_costs = PartCounts(), SettledCosts()
        self._known: set[tuple[Any, ...]] = set()
        self._worst_rates: dict[tuple[Any, ...], tuple[tuple[RateSteps, ...], WorstRates]] = {}
        self.energy: tuple[EnergyRate, ...] = ()
        """What tokens of which model draw; none: no budget is in joules."""

    def bound_at_once(self, exchange: Exchange) -> WorstCase | None:
        """As `bound`, where nothing of it takes time; None: ask `bound`."""
        request = PricedRequest.of(exchange)
        return self._worst(request, by_bytes=True) if _bound_key(request) in self._known else None

    async def bound(self, exchange: Exchange) -> WorstCase:
        """What an admitted call cannot cost more than, without counting its tokens: every byte is taken for one.

        Raises:
            NoBound: nothing bounds it.
            DialectError: it cannot be read.
        """
        request = PricedRequest.of(exchange)
        return await self._work(_bound_key(request), partial(self._worst, request, by_bytes=True))

    def worst_at_once(self, exchange: Exchange) -> Amounts | None:
        """The same where nothing of it takes time; None: ask `worst`.

        Raises:
            NoBound, DialectError: as `worst`.
        """
        request = PricedRequest.of(exchange)
        return self._worst(request).amounts if _worst_key(request) in self._known else None

    async def worst(self, exchange: Exchange, ceiling: int | None = None) -> Amounts:
        """What an admitted call may cost at most. `ceiling`: with so much output of each choice, in place of its own.

        Raises:
            NoBound: nothing bounds it.
            DialectError: it cannot be read.
        """
        return await self.count(PricedRequest.of(exchange, ceiling))

    async def count(self, request: PricedRequest) -> Amounts:
        """What a request may cost at most.

        Raises:
            NoBound, DialectError: as `worst`.
        """
        return (await self._work(_worst_key(request), partial(self._worst, request))).amounts

    def cost_at_once(self, call: Call) -> Amounts | None:
        """What a call has cost where its price is in memory; None: ask `cost`."""
        return self._cost(call) if self._cost_key(call) in self._known else None

    async def cost(self, call: Call) -> Amounts:
        """What a call has cost, as it will be booked. None where nobody knows."""
        return await self._work(self._cost_key(call), partial(self._cost, call))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _cost_key(self, call: Call) -> tuple[Any, ...] | None:
        """What must have been looked up before for a call; None: it has parts of other models."""
        if call.charges.others:
            return None
        return "cost", call.provider, call.model, call.started.toordinal(), call.tier, call.charges.region

    async def _work(self, key: tuple[Any, ...] | None, work: Callable[[], T]) -> T:
        """At once, if what it needs was looked up before."""
        if key is not None and key in self._known:
            return work()
        done = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        if key is not None and len(self._known) < MOST_KNOWN:
            self._known.add(key)
        return done

    def _open(self) -> PriceBook:
        if self._book is None:
            self._book = self._prices()
        return self._book

    def _worst(self, request: PricedRequest, *, by_bytes: bool = False) -> WorstCase:
        """At its own model, and at every other one that it lets the provider ask."""
        if request.dialect.is_free:
            return WorstCase(Amounts(0, 0, millijoules=0))
        check_bounded(request.dialect, request.facts)
        worst, is_counted = self._worst_at(request, request.route.model, by_bytes=by_bytes)
        named = [name.removeprefix("models/") for _, name in other_models(request.body)]
        if named:
            parts = [self._worst_at(request, model, by_bytes=by_bytes) for model in named]
            worst = sum_amounts([worst, *(amounts for amounts, _ in parts)])
            is_counted = is_counted and all(one for _, one in parts)
        return WorstCase(worst, None if is_counted else request)

    def _worst_at(self, request: PricedRequest, model: str, *, by_bytes: bool) -> tuple[Amounts, bool]:
        """The amounts, and whether the request was counted for them."""
        dialect, body, facts, route, started_s, ceiling, more_tokens = request
        upstream, book, counts = route.upstream, self._open(), self._part_counts
        survey = survey_request(dialect, body, facts, model, upstream.provider, ceiling, counts, by_bytes=by_bytes)
        at = datetime.fromtimestamp(started_s, UTC)
        region = upstream.region or ("us" if survey.in_us else "")
        bound = survey.bound
        if more_tokens:
            bound = msgspec.structs.replace(bound, input_tokens=bound.input_tokens + more_tokens)
        lanes = tuple([book.steps(upstream.provider, model, at, tier, region) for tier in survey.tiers])
        worst = self._rates_of(lanes, bound).amounts(bound)
        if self.energy:
            worst = worst._replace(millijoules=most_millijoules(self.energy, upstream.provider, model, bound))
        return worst, survey.is_counted

    def _rates_of(self, lanes: tuple[RateSteps, ...], bound: CallBound) -> WorstRates:
        """The same steps are the same objects as long as their prices hold."""
        key = (*map(id, lanes), bound.may_cache, bound.has_media, bound.makes_media)
        kept = self._worst_rates.get(key)
        if kept is None:
            if len(self._worst_rates) >= MOST_KNOWN:
                self._worst_rates.clear()
            kept = self._worst_rates[key] = lanes, WorstRates(lanes, bound)  # holds the lanes, so that ids stay theirs
        return kept[1]

    def _cost(self, call: Call) -> Amounts:
        book = self._open()
        if not call.charges.others:
            return self._with_energy(call, self._settled_costs.amounts(call, book))
        parts = [self._with_energy(one.call, amounts_of(one.cost, 1)) for one in book_all([call], book)]
        return sum_amounts(parts)._replace(calls=call.calls_count)

    def _with_energy(self, call: Call, amounts: Amounts) -> Amounts:
        return amounts._replace(millijoules=drawn_millijoules(self.energy, call)) if self.energy else amounts


def _worst_key(request: PricedRequest) -> tuple[Any, ...] | None:
    """What must have been looked up before for a request; None: it is too long to be counted at once."""
    if len(request.body) > SHORT_BYTES:
        return None
    route = request.route
    return "worst", route.upstream.name, route.model, encoding_for(route.model)[0], int(request.started_s // 86_400)


def _bound_key(request: PricedRequest) -> tuple[Any, ...] | None:
    """The same where nothing is counted."""
    if len(request.body) > BOUND_BYTES:
        return None
    route = request.route
    return "bound", route.upstream.name, route.model, int(request.started_s // 86_400)
