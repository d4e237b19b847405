"""The rate limits' stage of a call: admitted, kept waiting where its limit has a queue, or refused with when to retry.

What a call takes is reserved on the counters that budgets have (`state/`), and settled with what it used. Limits of
callers count a call once, with the tokens of each time that it was sent; limits of upstreams count each attempt.
"""

from collections.abc import Sequence
from functools import partial
from time import time
from typing import NamedTuple

from modicum.calls import Basis, Call
from modicum.calls.words.counted_nouns import number_of
from modicum.gateway.exchange import Exchange, is_unbilled
from modicum.gateway.http.refusal import Refused
from modicum.gateway.limits.limit_plan import LimitLine, LimitPlan
from modicum.gateway.limits.queues import LimitQueues
from modicum.gateway.process.log import log
from modicum.governance.limits import (
    WINDOW_S,
    RateLimit,
    RateStanding,
    RateUnit,
    estimate_tokens,
    exceeded,
    tightest_of,
)
from modicum.outbound.keepalive import Header
from modicum.providers.limit_headers import LimitState
from modicum.state.counters import Level, ReserveResult, SharedCounters, StateAway

AWAY_RETRY_S = 2
SHOWN = {RateUnit.CALLS: "requests", RateUnit.TOKENS: "tokens"}
"""How clients call the units."""


class LimitHold(NamedTuple):
    """What a call holds of limits."""

    reservation: str
    lines: tuple[LimitLine, ...]


class Limiting:
    """The limits of one gateway process. Used from its event loop.

    Args:
        counters: where sums and reservations are.
    """

    def __init__(self, counters: SharedCounters) -> None:
        self._counters = counters
        self._queues = LimitQueues()
        self._of_callers = self._of_upstreams = LimitPlan()
        self._admits_when_away = False
        self._is_away = False
        self.limits_callers = False
        """Whether any limit counts calls."""
        self.limits_upstreams = False
        """Whether any limit counts attempts."""

    def take_over(self, limits: Sequence[RateLimit], *, admits_when_away: bool) -> None:
        """The limits that hold from now on. What is counted stays."""
        self._of_callers = LimitPlan([one for one in limits if not one.is_of_upstream])
        self._of_upstreams = LimitPlan([one for one in limits if one.is_of_upstream])
        self.limits_callers, self.limits_upstreams = bool(self._of_callers), bool(self._of_upstreams)
        self._admits_when_away = admits_when_away

    async def admit(self, exchange: Exchange) -> None:
        """Whether the call may be made, by the limits of who makes it. May wait where a limit has a queue.

        Raises:
            Refused: it may not.
        """
        hold, levels = await self._admit(exchange, self._of_callers, f"{exchange.number}#calls", "rate_limited")
        exchange.limit_hold = hold
        if hold is not None:
            exchange.limit_headers = partial(_reply_headers, exchange, hold, levels, time())

    async def admit_attempt(self, exchange: Exchange) -> LimitHold | None:
        """Whether its upstream may have the call. May wait where a limit has a queue.

        Raises:
            Refused: it may not.
        """
        reservation = f"{exchange.number}#{exchange.attempts}{exchange.route.upstream.name}"
        hold, _ = await self._admit(exchange, self._of_upstreams, reservation, "upstream_limited")
        return hold

    async def settle(self, exchange: Exchange) -> None:
        """Counts what an ended call has used in place of what it might. Where its budgets are settled next, that is
        what is waited for.
        """
        hold, exchange.limit_hold = exchange.limit_hold, None
        used, waits = _used_tokens(exchange, exchange.finished), exchange.reservation is None
        await self.settle_hold(hold, used, exchange.attempts_tokens, waits=waits)

    async def settle_hold(
        self, hold: LimitHold | None, tokens: int | None, attempts_tokens: int = 0, *, waits: bool = True
    ) -> None:
        """`tokens` is None where nobody knows what was used: then the estimate stands. `attempts_tokens`: those of the
        times before that are counted beside.
        """
        if hold is None:
            return
        amounts = []
        for one in hold.lines:
            used = one.line.amount if tokens is None or one.unit is not RateUnit.TOKENS else tokens
            used += attempts_tokens if one.unit is RateUnit.TOKENS else 0
            amounts.append(0 if one.unit is RateUnit.AT_ONCE else used)
        await self._counters.settle(hold.reservation, amounts, wants_levels=waits)
        if self._queues.any_waits:
            self._queues.wake(one.line.counter for one in hold.lines)

    async def count_more(self, exchange: Exchange, tokens: int) -> str:
        """Counts tokens that a session has used while it is under way, on the limits of who holds it.

        Returns:
            What is passed now, in words for the caller; empty: nothing. Counters that cannot be reached pass nothing.
        """
        owner, route = exchange.about.owner, exchange.route
        lines = [
            one
            for one in self._of_callers.lines(owner, route.model, route.upstream.name, tokens)
            if one.unit is RateUnit.TOKENS
        ]
        for one in lines:
            await self._counters.add(one.line._replace(amount=tokens))
        try:
            levels = await self._counters.levels([one.line for one in lines]) if lines else ()
        except StateAway:
            return ""  # the next session that is to be opened says so
        standings = [one.standing(level) for one, level in zip(lines, levels, strict=True)]
        over = exceeded(standings, 0)
        return "" if over is None else _what_is_reached(over)

    async def release(self, exchange: Exchange) -> None:
        """Gives back what a call holds that is not made after all."""
        hold, exchange.limit_hold = exchange.limit_hold, None
        if hold is not None:
            await self._counters.release(hold.reservation)
            self._queues.wake(one.line.counter for one in hold.lines)

    async def _admit(
        self, exchange: Exchange, limits: LimitPlan, reservation: str, kind: str
    ) -> tuple[LimitHold | None, Sequence[Level]]:
        """What the call holds of limits, and how these stood without it."""
        tokens, route = estimate_tokens(len(exchange.edited), exchange.facts.most_output_tokens), exchange.route
        lines = limits.lines(exchange.about.owner, route.model, route.upstream.name, tokens)
        if not lines:
            return None, ()
        hold = LimitHold(reservation, lines)
        try:
            result = await self._reserve(reservation, lines)
            if not result.admitted:
                result = await self._wait(exchange, hold, result, tokens, kind)
        except StateAway as problem:
            self._report_away(str(problem))
            if self._admits_when_away:
                return None, ()
            message = "how rate limits stand is not known: their server is away; try again"
            raise Refused(503, message, "limits_away", AWAY_RETRY_S) from None
        if self._is_away:
            self._report_away("")
        return hold, result.levels

    async def _reserve(self, reservation: str, lines: Sequence[LimitLine]) -> ReserveResult:
        """Not before those that wait already."""
        if self._queues.any_waits and any(self._queues.length(one.line.counter) for one in lines):
            levels = await self._counters.levels([one.line for one in lines])
            return ReserveResult(admitted=False, levels=levels)
        return await self._counters.reserve(reservation, [one.line for one in lines])

    async def _wait(
        self, exchange: Exchange, hold: LimitHold, result: ReserveResult, tokens: int, kind: str
    ) -> ReserveResult:
        """In the queue of the limit that is exceeded.

        Raises:
            Refused: there is none, it is full, or the call has waited long enough.
        """
        reservation, lines = hold
        standings = [one.standing(level) for one, level in zip(lines, result.levels, strict=True)]
        over = exceeded(standings, tokens)
        if over is not None:
            place = lines[standings.index(over)]
        else:  # others wait, though there is room
            place = next(one for one in lines if self._queues.length(one.line.counter))
        limit = place.limit
        standing = over or standings[lines.index(place)]
        if self._queues.length(place.line.counter) >= limit.queue:
            raise _refusal(exchange, standing, kind)
        async with self._queues.place(place.line.counter) as turn:
            turn.until_in(limit.queue_s)
            while await turn.comes(standing.frees_in_s):
                result = await self._counters.reserve(reservation, [one.line for one in lines])
                if result.admitted:
                    return result
                levels = zip(lines, result.levels, strict=True)
                standing = exceeded([one.standing(level) for one, level in levels], tokens) or standing
            raise _refusal(exchange, standing, kind)

    def _report_away(self, problem: str) -> None:
        """Once when it begins, and once when it ends."""
        if self._is_away != bool(problem):
            self._is_away = bool(problem)
            log("limits_away" if problem else "limits_back", problem=problem)


def tokens_of_attempt(exchange: Exchange, attempt: Call, *, goes_on: bool) -> int:
    """What a time that is followed by another counts; where nobody knows, as while it goes on, an estimate."""
    used = None if goes_on else _used_tokens(exchange, attempt)
    return estimate_tokens(len(exchange.edited), exchange.facts.most_output_tokens) if used is None else used


def tokens_of_reply(exchange: Exchange) -> int | None:
    """What an attempt has used, as far as its reply says it; None: nobody knows."""
    if is_unbilled(exchange):
        return 0
    usage = exchange.reply.usage if exchange.reply is not None else None
    return None if usage is None else usage.prompt_tokens + usage.completion_tokens


def _used_tokens(exchange: Exchange, call: Call | None) -> int | None:
    if is_unbilled(exchange):
        return 0
    if call is None or Basis.UNKNOWN in {call.usage_basis, call.output_basis}:
        return None
    return call.usage.prompt_tokens + call.usage.completion_tokens


def _refusal(exchange: Exchange, standing: RateStanding, kind: str) -> Refused:
    refused = Refused(429, _what_is_reached(standing), kind, standing.retry_after_s)
    refused.headers = _headers(exchange, [standing], time())
    return refused


def _what_is_reached(standing: RateStanding) -> str:
    limit, unit = standing.limit, standing.unit
    most, noun = standing.most, f"{unit}".removesuffix("s")
    what = (
        number_of(most, "call at once", "calls at once")
        if unit is RateUnit.AT_ONCE
        else (f"{number_of(most, noun)} per minute")
    )
    whose = f" for the upstream {limit.upstream}" if limit.is_of_upstream else ""
    return f"the limit '{limit.name}'{whose} of {what} is reached; try again in {standing.retry_after_s} s"


def _with_it(lines: Sequence[LimitLine], levels: Sequence[Level]) -> list[RateStanding]:
    """How limits stand that headers speak of, with what the call takes."""
    return [
        RateStanding(limit, unit, level.spent + level.reserved + line.amount, level.frees_in_s)
        for (limit, unit, line), level in zip(lines, levels, strict=True)
        if unit in SHOWN
    ]


def _reply_headers(exchange: Exchange, hold: LimitHold, levels: Sequence[Level], at_s: float) -> list[Header]:
    """What a reply says of its limits, as they stood when it was admitted."""
    return _headers(exchange, _with_it(hold.lines, levels), at_s)


def _headers(exchange: Exchange, standings: Sequence[RateStanding], at_s: float) -> list[Header]:
    """What the caller's client knows: the tightest limit on calls, and that on tokens."""
    names = exchange.request.served.dialect.api.limits
    if names is None:
        return []
    states = []
    for unit, shown in SHOWN.items():
        if (tight := tightest_of(standings, unit)) is not None:
            states.append(LimitState(shown, tight.most, tight.left(), tight.frees_in_s or WINDOW_S))
    return names.write(states, at_s)
