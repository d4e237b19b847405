"""Calls that are sent more than once: retries and fallbacks, each on record and within the call's budgets.

Nothing is tried again once a byte of a reply was passed on. What failed is an entry of its own, which counts as no call
and costs what it cost; what answered in the end is the call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from math import ceil
from random import random
from typing import Any, NamedTuple

from modicum.gateway import sending
from modicum.gateway.answering import TROUBLES, ReplyCheck, UpstreamAnswerer
from modicum.gateway.exchange import Exchange
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.limits.limiting import tokens_of_reply
from modicum.gateway.listening import pass_end
from modicum.gateway.parts import Parts
from modicum.gateway.resilience.failures import AttemptFailed, check_reply, failure_of_error
from modicum.gateway.resilience.hedging import Hedge
from modicum.gateway.resilience.next_attempt import NextAttempt
from modicum.gateway.resilience.upstream_health import UpstreamHealth
from modicum.gateway.upstreams import Route, Upstreams
from modicum.governance.resilience import (
    MOST_ATTEMPTS,
    NEVER_SENT,
    NO_POLICY,
    Failure,
    FailureKind,
    ResiliencePolicy,
    StepKind,
    next_step,
)
from modicum.providers.facts import DialectError


class Tried(NamedTuple):
    """What was tried of a call. A new one takes its place after each attempt."""

    policy: ResiliencePolicy
    upstreams: Upstreams
    fallbacks: tuple[str, ...]
    """Those that are left."""
    retries: int = 0
    """At the present upstream."""


class ResilientAnswerer:
    """Sends calls to their upstreams, as `UpstreamAnswerer`, and to others where these fail.

    Args:
        upstream: sends a call once.
        chance: random numbers in 0..1.
        sleep: waits so many seconds.
    """

    name = "upstream"

    def __init__(
        self,
        upstream: UpstreamAnswerer,
        parts: Parts,
        *,
        chance: Callable[[], float] = random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._upstream, self._metrics = upstream, parts.metrics
        self._limits, self._authorising = parts.limits, parts.policies
        self._next = NextAttempt(parts)
        self._health = UpstreamHealth(parts.metrics.circuit_changed, values=parts.budgets.counters)
        self._chance, self._sleep = chance, sleep
        self._policies: tuple[ResiliencePolicy, ...] = ()
        self._upstreams = Upstreams((), {})

    @property
    def open_circuits(self) -> list[str]:
        """The upstreams that are left alone."""
        return self._health.open_circuits

    def take_over(self, policies: Sequence[ResiliencePolicy], upstreams: Upstreams) -> None:
        """What holds from now on; a call that has begun keeps what it got."""
        self._policies, self._upstreams = tuple(policies), upstreams

    @property
    def passes_all_to(self) -> UpstreamAnswerer | None:
        """Who sends every call, while none is sent twice and no upstream is left alone."""
        has_circuits = any(upstream.circuit is not None for upstream in self._upstreams)
        return None if self._policies or has_circuits or self._limits.limits_upstreams else self._upstream

    def answer(self, exchange: Exchange, client: Client, check: ReplyCheck | None = None) -> Coroutine[Any, Any, bytes]:
        """As every answerer. Calls without policies, circuits and limits of upstreams go straight there. `check` looks
        at a reply that did not fail, before anything of it is passed on.
        """
        if exchange.caller.is_plan:  # it goes to its vendor, once
            return self._upstream.answer(exchange, client, check)
        if not self._policies and exchange.route.upstream.circuit is None and not self._limits.limits_upstreams:
            return self._upstream.answer(exchange, client, check)
        return self._answer(exchange, client, check)

    async def _answer(self, exchange: Exchange, client: Client, check: ReplyCheck | None) -> bytes:
        policy = self._policy_of(exchange)
        tried = Tried(policy, self._upstreams, policy.fallbacks)
        if not policy.allows(exchange.route.upstream.provider, exchange.route.upstream.served_in):
            raise Refused(
                403,
                f"the policy '{policy.name}' does not let this call go to the provider or region of its model; ask for "
                "another model, or change [[resilience]] in modicum.toml",
                "provider_not_allowed",
            )
        await self._health.earn(exchange.route.upstream)
        while True:
            try:
                return await self._attempt(exchange, client, tried, check)
            except (AttemptFailed, *TROUBLES) as error:
                failure = failure_of_error(error, exchange)
                if failure is None or client.started or exchange.client_gone:
                    raise
                again = await self._try_next(exchange, tried, failure, client)
                if again is not None:
                    tried = again
                    continue
                if not isinstance(error, AttemptFailed):
                    raise
                if error.end is None:
                    raise ConnectionError("the reply holds nothing") from None
                end = error.end
            pass_end(exchange, end, self._metrics.failed)
            return end

    async def _attempt(self, exchange: Exchange, client: Client, tried: Tried, check: ReplyCheck | None) -> bytes:
        """One attempt, and what it says of its upstream."""
        route = exchange.route
        if tried.fallbacks and (rests_s := self._health.rests_s(route)):
            message = f"the upstream {route.upstream.name} asked to be left alone for a while; try again"
            raise Refused(429, message, "upstream_rests", ceil(rests_s))
        hold = await self._limits.admit_attempt(exchange) if self._limits.limits_upstreams else None
        was_probe = False
        failed: bool | None = None
        try:
            was_probe = await self._health.check(route.upstream)
            end = await self._upstream.answer(exchange, client, _both(check), self._hedge(exchange, tried.policy))
            failed = False
        except (AttemptFailed, *TROUBLES) as error:
            failure = None if exchange.client_gone else failure_of_error(error, exchange)
            if failure is not None:
                failed = failure.is_of_upstream or (None if failure.kind is FailureKind.FULL else False)
                self._health.rest(route, failure)
            raise
        finally:
            await self._health.record(route.upstream, failed=failed, was_probe=was_probe)
            if hold is not None:
                await self._limits.settle_hold(hold, tokens_of_reply(exchange))
        return end

    def _hedge(self, exchange: Exchange, policy: ResiliencePolicy) -> Hedge | None:
        """The second try of a call, for a policy that wants one; None: there is none, as for a call that has failed."""
        if not policy.hedge_after_s or exchange.attempts > 1:
            return None
        return Hedge(policy.hedge_after_s, self._begin_hedge)

    async def _begin_hedge(self, exchange: Exchange) -> bool:
        """Whether a second try may be sent: it spends of the upstream's retries, as every try beyond the first."""
        upstream = exchange.route.upstream
        if await self._health.saved_retries(upstream) < 1:
            return False
        if not await self._next.begin(exchange, exchange.route, "slow", "hedge", goes_on=True):
            return False
        await self._health.spend_retry(upstream)
        return True

    def _policy_of(self, exchange: Exchange) -> ResiliencePolicy:
        owner, model = exchange.about.owner, exchange.facts.model
        return next((policy for policy in self._policies if policy.covers(owner, model)), NO_POLICY)

    async def _try_next(self, exchange: Exchange, tried: Tried, failure: Failure, client: Client) -> Tried | None:
        """Makes a call ready to be sent once more; None: it ends as it is."""
        deciding = failure
        while exchange.attempts < MOST_ATTEMPTS:
            upstream = exchange.route.upstream
            step = next_step(
                tried.policy,
                deciding,
                retries_made=tried.retries,
                fallbacks_left=len(tried.fallbacks),
                retries_saved=await self._health.saved_retries(upstream),
                chance=self._chance(),
            )
            if step.kind is StepKind.STOP:
                return None
            route: Route | None = exchange.route
            if step.kind is StepKind.RETRY:
                tried = tried._replace(retries=tried.retries + 1)
            else:
                route = self._way_to(exchange, tried, tried.fallbacks[0])
                tried = tried._replace(fallbacks=tried.fallbacks[1:], retries=0)
                if route is None:
                    deciding = Failure(FailureKind.OPEN)  # not here again: on to the next one
                    continue
            assert route is not None  # noqa: S101 - said above
            was_sent = failure.kind not in NEVER_SENT
            if not await self._next.begin(exchange, route, failure.kind, step.kind.value, was_sent=was_sent):
                return None
            if step.kind is StepKind.RETRY:
                await self._health.spend_retry(upstream)
                await self._sleep(step.wait_s)
                if client.gone:
                    raise ClientGone
            return tried
        return None

    def _way_to(self, exchange: Exchange, tried: Tried, target: str) -> Route | None:
        """The way to a fallback; None: the call may or can not go there."""
        former = exchange.route
        try:
            route = tried.upstreams.target(target, exchange.request.served.dialect.name)
            exchange.caller.check_model(route.model if target.partition("/")[2] == route.model else target)
            if not tried.policy.allows(route.upstream.provider, route.upstream.served_in):
                return None
            if self._health.rests_s(route):
                return None
            self._authorising.check(exchange, route)
            exchange.go(route)
            sending.check_key(exchange)
            sending.prepare(exchange)
        except (Refused, DialectError):
            return None
        finally:
            exchange.go(former)
        return route


def _both(check: ReplyCheck | None) -> ReplyCheck:
    """Whether the upstream failed, and then what somebody else wants of the reply."""
    if check is None:
        return check_reply

    def check_both(exchange: Exchange, body: bytes, *, is_end: bool) -> None:
        check_reply(exchange, body, is_end=is_end)
        check(exchange, body, is_end=is_end)

    return check_both
