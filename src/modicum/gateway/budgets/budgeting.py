"""The budgets' stage of a call: reserved before it is sent, settled when its cost is known, whatever its end.

What may go wrong goes the safe way: a call whose cost nobody learns counts with all that was reserved for it, and while
nobody knows what was spent before, calls under hard budgets wait or are refused.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

from modicum.calls import NO_CHARGES, Call, Tier
from modicum.gateway import meter, sending
from modicum.gateway.budgets import replies
from modicum.gateway.budgets.bounds import NoBound
from modicum.gateway.budgets.call_prices import CallPrices, PricedRequest, WorstCase
from modicum.gateway.budgets.cover_plan import CallCover, CoverPlan
from modicum.gateway.budgets.covering import CountedBudget, CoveringBudget, PaidOn, after_attempts, far_below, with_paid
from modicum.gateway.budgets.former import FormerLoads
from modicum.gateway.budgets.left import BudgetsLeft, standings_of
from modicum.gateway.budgets.output_ceilings import assume_ceiling, cut_to_fit, names_no_most
from modicum.gateway.budgets.spent import SpentBefore
from modicum.gateway.exchange import Exchange, PendingEdit, is_unbilled
from modicum.gateway.failures import Failed, contain_stage
from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.log import log
from modicum.gateway.upstreams import Route
from modicum.governance.budget_raises import Raises
from modicum.governance.budgets import (
    COUNTED_TAG,
    RESERVED_TAG,
    Amounts,
    Budget,
    BudgetVerdict,
    LimitUnit,
    Spender,
    Standing,
    crossed,
    decide,
)
from modicum.providers.facts import DialectError
from modicum.state.counters import Level, Line, SharedCounters, SharedRecords, StateAway

RULE = "budget"
"""Under which name a cheaper model stands among a call's edits."""
MOST_TRIES = 5
"""For a call whose counters are lost again and again while it reserves."""
RECORDED_WITHIN_S = 2.0
MOST_LOGGED = 10_000
MOST_PRICED = 10_000
MOST_UNKNOWN = 10_000
"""Calls whose cost nobody knows that are remembered; of older ones the ledger alone learns it."""

FindRoute = Callable[[str, str], Route]


class Reservation(NamedTuple):
    """What a call holds."""

    covering: tuple[CoveringBudget, ...]
    worst: Amounts
    generation: str
    """Of the counters that it is in."""
    is_counted: bool = True
    """False: the counters could not be reached, and the owner lets calls go on then."""
    uncounted: PricedRequest | None = None
    """What its worst case bounds by its bytes; None: it was counted."""

    @property
    def lines(self) -> list[Line]:
        """As they are reserved again for a call under way."""
        return [one.held_line(self.worst.in_unit(one.budget.unit) or 0) for one in self.covering]


class UnknownCall(NamedTuple):
    """A call that ended without anybody knowing its cost."""

    covering: tuple[CoveringBudget, ...]
    amounts: Amounts
    """What it counts as."""
    settled_s: float


class Budgeting:
    """The budgets of one gateway process. Used from its event loop.

    Args:
        counters: where sums and reservations are.
        prices: works out what calls may cost, and have cost.
        before: knows what was spent before.
        failed: counts the failures of what is optional.
    """

    raises: Callable[[], Raises] = staticmethod(Raises)
    """For how long people have raised which budgets."""
    shared_records: SharedRecords | None = None
    """What the counters' server hands from host to host; None: there is none."""

    def __init__(self, counters: SharedCounters, prices: CallPrices, before: SpentBefore, failed: Failed) -> None:
        self._counters, self._prices, self._failed = counters, prices, failed
        self._former = FormerLoads(counters, before, failed)
        self._declared: tuple[Budget, ...] = ()
        self.is_active = False
        """Whether there is any budget."""
        self._budgets: list[CountedBudget] = []
        self._plan = CoverPlan()
        self._newest_s = 0.0
        """Since when there is the newest of them."""
        self._generation: str | None = None
        """Of the counters, as of which `_budgets` count; None: not known yet."""
        self._is_new = False
        """Other budgets were declared than those that count."""
        self._loading: asyncio.Future[None] | None = None
        self._renewing = asyncio.Lock()
        self._admits_when_away = False
        self._is_away = False
        self._held: dict[str, Exchange] = {}
        """Calls that have a reservation."""
        self._uncounted: dict[str, Exchange] = {}
        """Those of them whose reservation is larger than their worst case."""
        self._priced: set[tuple[str, str, Tier, int]] = set()
        """Upstreams, models that answered, lanes and days whose tokens have a price."""
        self._counting: set[str] = set()
        """Calls that did not fit beside these: until they are through, every call is counted."""
        self._warned: set[str] = set()
        self._unknown: OrderedDict[str, UnknownCall] = OrderedDict()

    @property
    def counters(self) -> SharedCounters:
        """Rate limits count on them too."""
        return self._counters

    async def take_over(self, budgets: Sequence[Budget], *, admits_when_away: bool = False) -> None:
        """The budgets that hold from now on. What is counted stays, for those that count the same as before."""
        self._declared, self._admits_when_away = tuple(budgets), admits_when_away
        self.is_active = bool(budgets)
        self._prices.energy = next((one.energy for one in budgets if one.energy), ())
        self._is_new = True
        with suppress(StateAway):  # the next call tries again
            await self.renew()

    async def renew(self) -> None:
        """Asks from when on each budget is counted, and reserves again what calls under way hold, if that was lost.

        Raises:
            StateAway: nobody can say.
        """
        async with self._renewing:
            generation = self._counters.generation
            if generation == self._generation and not self._is_new:
                return
            declared = self._declared
            since = await self._counters.count_since([one.identity for one in declared])
            self._budgets = [CountedBudget(one, at, self.raises) for one, at in zip(declared, since, strict=True)]
            self._plan = CoverPlan(self._budgets, self.raises)
            self._newest_s = max((at.timestamp() for at in since), default=0.0)
            if self._generation not in {None, generation}:
                for exchange in list(self._held.values()):
                    await self._reserve_again(exchange, generation)
                await self._until_recorded()
            await self._counters.report_reserved_again()
            self._generation, self._is_new = generation, declared is not self._declared
            self._loading = asyncio.ensure_future(self._load_all(generation))

    async def _load_all(self, generation: str) -> None:
        if generation:  # others wait for it
            with contain_stage("budgets", self._failed), suppress(StateAway):
                await self._former.load_all(self._budgets)

    async def _until_recorded(self) -> None:
        """Calls that have ended and are not settled yet are not reserved again: the ledger is to have them."""
        until = monotonic() + RECORDED_WITHIN_S
        while any(one.finished is not None for one in self._held.values()) and monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def reserve(self, exchange: Exchange, find_route: FindRoute, *, may_downgrade: bool = True) -> None:
        """Reserves what a call may cost, on all budgets that cover it or on none. A call that has a reservation has it
        exchanged. May send the call to a cheaper model.

        Raises:
            Refused: it does not fit.
            DialectError: it cannot be read.
        """
        for _ in range(MOST_TRIES):
            try:
                return await self._reserve(exchange, find_route, may_downgrade=may_downgrade)
            except StateAway as problem:
                away = str(problem)
            finally:
                self._counting.discard(exchange.number)
            if not await self._counters.back():
                break
        return await self._reserve_blindly(exchange, away)

    async def _reserve(self, exchange: Exchange, find_route: FindRoute, *, may_downgrade: bool) -> None:
        uses_reserve = False
        while True:
            generation = await self._generation_now()
            cover = self._cover(exchange)
            if not cover.sums and not exchange.paid:
                await self.release(exchange)
                return
            covering = await self._with_limits(cover, uses_reserve=uses_reserve)
            assume_ceiling(exchange, cover.assuming)
            held = await self._reserve_by_bytes(exchange, cover, may_downgrade=may_downgrade)
            if held is not None:
                (worst, uncounted), lines, levels = held
                break
            (worst, uncounted), no_bound = await self._worst(exchange, cover)
            lines = _lines(exchange, covering, worst, may_downgrade=may_downgrade)
            if generation != self._counters.generation:
                continue  # all was lost meanwhile: these are counters that nobody uses any more
            if cover.refuses(worst):
                levels = await self._counters.levels(lines)
            else:
                admitted, levels = await self._counters.reserve(exchange.number, lines)
                is_lost = generation != self._counters.generation
                if is_lost or (not admitted and await self._count_others(exchange)):
                    continue
                if admitted:
                    break
            self._say_away("")
            now = datetime.now(UTC)
            standings = after_attempts(standings_of(covering, levels, now), covering, exchange.paid)
            verdict = decide(standings, worst, may_downgrade=may_downgrade)
            if verdict.is_refusal:
                uses_reserve = self._may_use_reserve(exchange, covering)
                if uses_reserve or await self._cut_to_fit(exchange, verdict, standings, worst):
                    continue
                raise replies.refusal(verdict, worst, no_bound, names_no_most=names_no_most(exchange))
            may_downgrade = False
            self._downgrade(exchange, verdict, find_route)
        self._say_away("")
        self._hold(exchange, Reservation(tuple(covering), worst, self._counters.generation, uncounted=uncounted))
        self._say_what_is_left(exchange, cover, covering, levels, worst)
        exchange.budget_left = BudgetsLeft(covering, levels, [line.amount for line in lines])

    async def _generation_now(self) -> str | None:
        """That of the counters, as of which the budgets count.

        Raises:
            StateAway: nobody can say.
        """
        if self._generation != self._counters.generation or self._is_new:
            await self.renew()
        return self._generation

    def _may_go_by_bytes(self, exchange: Exchange, cover: CallCover) -> bool:
        """Whether it is enough to bound a call by its bytes, if its budgets are far from their limits: where nothing is
        said of what is left, and where nobody else reserves, so that what is too much can be taken back.
        """
        is_said = cover.warns or cover.says_left or exchange.paid
        return cover.is_plain and not is_said and not self._counting and not self._counters.is_shared

    async def _reserve_by_bytes(
        self, exchange: Exchange, cover: CallCover, *, may_downgrade: bool
    ) -> tuple[WorstCase, Sequence[Line], Sequence[Level]] | None:
        """Reserves a bound of a call. None: a budget is not far from its limit, and the call must be counted."""
        if not self._may_go_by_bytes(exchange, cover):
            return None
        bound, _ = await self._worst(exchange, cover, by_bytes=True)
        lines = _lines(exchange, cover.sums, bound.amounts, may_downgrade=may_downgrade)
        far = far_below(lines)
        if far is None or self._counting or cover.refuses(bound.amounts):
            return None
        admitted, levels = await self._counters.reserve(exchange.number, far)
        return (bound, lines, levels) if admitted else None

    async def _count_others(self, exchange: Exchange) -> bool:
        """Counts what runs and was only bounded, so that no call is refused for the difference. Whether anything was.

        Until this call is through, no other is only bounded.
        """
        if not self._uncounted:
            return False
        self._counting.add(exchange.number)
        for one in list(self._uncounted.values()):
            await self._count(one)
        return True

    async def count_if_unknown(self, exchange: Exchange) -> None:
        """Before the record of a call, or of an attempt, is written whose cost nobody knows: what is to stand for it is
        its worst case.
        """
        if exchange.number in self._uncounted and not await self._is_priced(exchange):
            await self._count(exchange)

    async def _is_priced(self, exchange: Exchange) -> bool:
        """Whether it is certain that the cost of a call will be known: its usage is final, and has a price."""
        reply = exchange.reply
        if reply is None or not reply.usage_final:
            return False
        day = int(exchange.timing.started_s // 86_400)
        key = exchange.route.upstream.name, reply.model or exchange.route.model, reply.tier, day
        is_plain = reply.charges == NO_CHARGES
        if is_plain and key in self._priced:
            return True
        cost = Amounts(None, None)
        with contain_stage("budgets", self._failed):
            cost = await self._prices.cost(meter.finished_call(exchange, meter.exact(reply)))
        is_priced = cost.nano_usd is not None and cost.known_or(exchange.reservation.worst) == cost
        if is_priced and is_plain and len(self._priced) < MOST_PRICED:
            self._priced.add(key)
        return is_priced

    async def _count(self, exchange: Exchange) -> None:
        """Reserves the worst case in place of its bound."""
        former: Reservation | None = exchange.reservation
        worst: Amounts | None = None
        if former is not None and former.uncounted is not None:
            with contain_stage("budgets", self._failed):
                worst = await self._prices.count(former.uncounted)
        if exchange.reservation is not former or former is None:
            return  # it has ended meanwhile, or has another by now
        counted = former._replace(worst=former.worst if worst is None else worst.least(former.worst), uncounted=None)
        self._hold(exchange, counted)
        await self._counters.reserve(exchange.number, with_paid(counted.lines, exchange.paid))

    def _say_what_is_left(
        self,
        exchange: Exchange,
        cover: CallCover,
        covering: Sequence[CoveringBudget],
        levels: Sequence[Level],
        worst: Amounts,
    ) -> None:
        """To the log, of budgets that only warn, and to the agent, where tokens for that were reserved."""
        exchange.agent_line = ""
        if not (cover.warns or exchange.most_line_tokens):
            return
        standings = standings_of(covering, levels, datetime.now(UTC))
        self._warn(crossed(standings, worst), covering)
        if exchange.most_line_tokens:
            ends = [one.span.end for one in covering]
            exchange.agent_line = replies.agent_line(zip(standings, ends, strict=True))

    async def _with_limits(self, cover: CallCover, *, uses_reserve: bool) -> Sequence[CoveringBudget]:
        """The sums with what was spent before, and with limits as they are for one call.

        Raises:
            Refused: what was spent before cannot be learned.
            StateAway: the counters cannot be reached.
        """
        await self._former.load_cover(cover)
        if cover.is_plain:
            return cover.sums
        carried = [await self._former.with_carried(one) for one in cover.sums]
        return carried if uses_reserve else [one.without_reserve() for one in carried]

    async def _cut_to_fit(
        self, exchange: Exchange, verdict: BudgetVerdict, standings: Sequence[Standing], worst: Amounts
    ) -> bool:
        with contain_stage("budgets", self._failed):
            return await cut_to_fit(self._prices, exchange, verdict, standings, worst)
        return False

    def _may_use_reserve(self, exchange: Exchange, covering: Sequence[CoveringBudget]) -> bool:
        """Whether the call gives a model what its tools returned, where something is kept for such calls: an agent in
        the middle of its work. Looked at only where a call does not fit, since long prompts take time to read.
        """
        if any(one.kept_back for one in covering):
            with contain_stage("budgets", self._failed):
                return exchange.prompt.ends_with_tool_result
        return False

    async def _reserve_blindly(self, exchange: Exchange, problem: str) -> None:
        """What becomes of a call while the counters cannot be reached: as the owner chose, and on record."""
        cover = self._cover(exchange)
        hard = next((one.budget for one in cover.sums if one.budget.is_hard), None)
        if not self._budgets:  # since when they count was never learned
            hard = next((one for one in self._declared if one.is_hard), None)
        self._say_away(problem)
        if hard is not None and not self._admits_when_away:
            raise replies.away(hard)
        if exchange.reservation is None and cover.sums:
            (worst, _), _ = await self._worst(exchange, cover)
            self._hold(exchange, Reservation(cover.sums, worst, self._counters.generation, is_counted=False))

    def _hold(self, exchange: Exchange, reservation: Reservation) -> None:
        exchange.reservation = reservation
        exchange.about.tags[RESERVED_TAG] = reservation.worst.text
        self._held[exchange.number] = exchange
        if reservation.uncounted is not None:
            self._uncounted[exchange.number] = exchange
        elif self._uncounted:
            self._uncounted.pop(exchange.number, None)

    def _let_go(self, exchange: Exchange) -> None:
        exchange.reservation = None
        self._held.pop(exchange.number, None)
        self._uncounted.pop(exchange.number, None)

    async def _reserve_again(self, exchange: Exchange, generation: str) -> None:
        """Says so in the call's record, since the ledger is asked for calls that began before."""
        if exchange.finished is not None:
            return
        reservation: Reservation = exchange.reservation
        exchange.about.tags[COUNTED_TAG] = generation
        again = Reservation(self._cover(exchange).sums, reservation.worst, generation)
        exchange.reservation, exchange.paid = again, ()  # attempts are on record, without this tag
        await self._counters.reserve(exchange.number, again.lines)

    def _say_away(self, problem: str) -> None:
        """Once when it begins, and once when it ends."""
        if self._is_away == bool(problem):
            return
        self._is_away = bool(problem)
        if problem:
            log("budgets_away", problem=problem, calls="admitted" if self._admits_when_away else "refused")
        else:
            log("budgets_back")

    async def settle(self, exchange: Exchange) -> None:
        """Counts what an ended call has cost in place of what was reserved for it."""
        reservation: Reservation | None = exchange.reservation
        if reservation is None:
            if exchange.timing.started_s <= self._newest_s:
                await self._count_late(exchange, ())
            return
        amounts, is_known = await self._cost(exchange, exchange.finished, reservation.worst)
        while exchange.reservation is not reservation:  # it was counted meanwhile, for another call
            reservation = exchange.reservation
            amounts, is_known = await self._cost(exchange, exchange.finished, reservation.worst)
        self._let_go(exchange)
        levels = await self._exchange_for(reservation, amounts, exchange)
        if not is_known and exchange.finished is not None:
            self._unknown[exchange.finished.call_id] = UnknownCall(reservation.covering, amounts, monotonic())
            if len(self._unknown) > MOST_UNKNOWN:
                self._unknown.popitem(last=False)
        is_in_ledger = reservation.generation != self._counters.generation  # all was lost while it ended
        if exchange.timing.started_s <= self._newest_s and not is_in_ledger:
            await self._count_late(exchange, reservation.covering)
        if levels:
            exchange.budget_left = BudgetsLeft(reservation.covering, levels)

    async def _exchange_for(self, reservation: Reservation, amounts: Amounts, exchange: Exchange) -> Sequence[Level]:
        """Counts amounts in place of what is reserved. The levels after that; none if it was not counted before."""
        spent = [amounts.in_unit(one.budget.unit) or 0 for one in reservation.covering]
        levels: Sequence[Level] = ()
        if reservation.is_counted and not exchange.paid:
            levels = await self._counters.settle(exchange.number, spent)
        else:
            lines = [one.line(amount) for one, amount in zip(reservation.covering, spent, strict=True)]
            lines = with_paid(lines, exchange.paid)
            if reservation.is_counted:
                levels = await self._counters.settle(exchange.number, [line.amount for line in lines])
            else:
                for line in lines:
                    await self._counters.add(line)
        return levels

    async def pay_attempt(self, exchange: Exchange, attempt: Call) -> tuple[PaidOn, ...]:
        """What the failed attempts of a call count now that one more has failed: that stays reserved beside what the
        next may cost.
        """
        reservation: Reservation | None = exchange.reservation
        if reservation is None:
            return exchange.paid
        amounts, _ = await self._cost(exchange, attempt, reservation.worst)
        paid = {one.one.counter: one for one in exchange.paid}
        for one in reservation.covering:
            former = paid.get(one.counter, PaidOn(one, 0))
            # An attempt is no call: the one that answers counts.
            more = 0 if one.budget.unit is LimitUnit.CALLS else amounts.in_unit(one.budget.unit) or 0
            paid[one.counter] = PaidOn(one, former.amount + more)
        return tuple(paid.values())

    async def count_more(self, exchange: Exchange, call: Call) -> str:
        """Counts a call of a session that is under way, on the budgets of who holds the session.

        Returns:
            The name of a hard budget that is used up now; empty: none is.
        """
        with contain_stage("budgets", self._failed), suppress(StateAway, Refused):
            cost = await self._prices.cost(call)
            cover = self._cover(exchange, call.started.timestamp())
            for one in cover.sums:
                await self._counters.add(one.line(cost.in_unit(one.budget.unit) or 0))
            covering = await self._with_limits(cover, uses_reserve=False)
            lines = [one.line(0) for one in covering]
            levels = await self._counters.levels(lines) if lines else ()
            for one, line, level in zip(covering, lines, levels, strict=True):
                if line.limit is not None and level.spent >= line.limit:
                    return one.budget.name
        return ""

    async def reconcile(self, call: Call) -> None:
        """Counts what a call has cost after all, in place of all that was reserved for it."""
        unknown = self._unknown.pop(call.call_id, None)
        if unknown is None:
            return
        with contain_stage("budgets", self._failed):
            cost = await self._prices.cost(call)
            for one in unknown.covering:
                unit = one.budget.unit
                if unit is not LimitUnit.CALLS and (amount := cost.in_unit(unit)) is not None:
                    more = amount - (unknown.amounts.in_unit(unit) or 0)
                    await self._counters.add(one.line(more), monotonic() - unknown.settled_s)

    async def release(self, exchange: Exchange) -> None:
        """Gives back what was reserved for a call that is not sent after all."""
        self._let_go(exchange)
        await self._counters.release(exchange.number)

    async def close(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
        await self._counters.close()
        self._former.close()
        self._prices.close()

    def _cover(self, exchange: Exchange, at_s: float | None = None) -> CallCover:
        about = exchange.about
        call = Spender(about.owner, exchange.route.model, about.task, about.tags)
        return self._plan.cover(call, exchange.timing.started_s if at_s is None else at_s)

    async def _worst(self, exchange: Exchange, cover: CallCover, *, by_bytes: bool = False) -> tuple[WorstCase, str]:
        """What the call may cost at most, and why that is not known. `by_bytes`: a bound of that is enough."""
        says_left = cover.says_left and not exchange.is_plain
        exchange.most_line_tokens = replies.MOST_LINE_TOKENS if says_left else 0
        if cover.is_calls_alone:
            return WorstCase(Amounts(0, 0)), ""
        try:
            with contain_stage("budgets", self._failed, (NoBound, DialectError)):
                if by_bytes:
                    bound = self._prices.bound_at_once(exchange)
                    return await self._prices.bound(exchange) if bound is None else bound, ""
                worst = self._prices.worst_at_once(exchange)
                return WorstCase(await self._prices.worst(exchange) if worst is None else worst), ""
        except NoBound as problem:
            return WorstCase(Amounts(None, None)), str(problem)
        return WorstCase(Amounts(None, None)), "its worst case could not be worked out; the gateway's log says where"

    def _downgrade(self, exchange: Exchange, verdict: BudgetVerdict, find_route: FindRoute) -> None:
        """Sends the call to the cheaper model.

        Raises:
            Refused: nobody serves it, or the caller's key may not use it.
        """
        assert verdict.standing is not None  # noqa: S101 - a verdict of a budget
        budget, former = verdict.standing.budget, exchange.route
        if budget.downgrade_to in {former.model, exchange.facts.model}:
            return
        try:
            exchange.caller.check_model(budget.downgrade_to)
            exchange.go(find_route(budget.downgrade_to, exchange.request.served.dialect.name))
            sending.check_key(exchange)
        except Refused as reason:
            exchange.go(former)
            raise replies.not_downgraded(verdict.standing, reason.message) from None
        if exchange.route.model == former.model:  # an alias of what was asked for
            exchange.go(former)
            return
        exchange.edits = (
            *exchange.edits,
            PendingEdit(RULE, f"{budget.name}: {exchange.route.model} in place of {exchange.facts.model}"),
        )
        exchange.downgraded_to = exchange.route.model

    def _warn(self, standings: Sequence[Standing], covering: Sequence[CoveringBudget]) -> None:
        """Says once a window that a budget which only warns is above its limit."""
        starts = {id(one.budget): one for one in covering}
        for standing in standings:
            one = starts[id(standing.budget)]
            if one.counter not in self._warned and len(self._warned) < MOST_LOGGED:
                self._warned.add(one.counter)
                log("budget_crossed", budget=standing.budget.name, of=list(one.instance), limit=standing.budget.limit)

    async def _cost(self, exchange: Exchange, call: Call | None, worst: Amounts) -> tuple[Amounts, bool]:
        """What a call, or an attempt of it, has cost, and whether that is known: else it counts as it may have cost at
        most.
        """
        if call is None:
            return worst, False
        if is_unbilled(exchange):
            return Amounts(0, 0, call.calls_count, 0), True
        cost = Amounts(None, None, worst.calls)
        with contain_stage("budgets", self._failed):
            known = self._prices.cost_at_once(call)
            cost = await self._prices.cost(call) if known is None else known
        return cost.known_or(worst), cost.nano_usd is not None

    async def _count_late(self, exchange: Exchange, held: Sequence[CoveringBudget]) -> None:
        """On budgets that were set while the call was under way. If the ledger was asked meanwhile, such a call may
        count twice there; never not at all.
        """
        call = exchange.finished
        counters = {one.counter for one in held}
        late = [
            one
            for one in self._cover(exchange).sums
            if one.counter not in counters and call is not None and call.started < one.counted.since
        ]
        if not late or call is None or is_unbilled(exchange):
            return
        amounts, _ = await self._cost(exchange, call, Amounts(None, None))
        for one in late:
            await self._counters.add(one.line(amounts.in_unit(one.budget.unit) or 0))


def _lines(
    exchange: Exchange, covering: Sequence[CoveringBudget], worst: Amounts, *, may_downgrade: bool
) -> Sequence[Line]:
    """What a call reserves, with what its failed attempts have cost."""
    lines = [one.line(worst.in_unit(one.budget.unit) or 0, may_downgrade=may_downgrade) for one in covering]
    return with_paid(lines, exchange.paid) if exchange.paid else lines
