"""The policy's stage of a call: whether it may be made, on the way that it goes.

A call is authorised when it is admitted, for each way that a rule, a budget or a fallback would send it, and once more
right before it is sent: whatever joins the gateway later, nothing leaves it that the policy forbids. What the policy
limits and nobody knows of a call is refused.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from modicum.gateway.callers.attribution import attribution
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.http.refusal import Refused
from modicum.gateway.upstreams import Route, Upstream
from modicum.governance.policy import (
    DATA_CLASS_TAG,
    NO_CLAUSES,
    CallPolicy,
    PlannedCall,
    PolicyRuling,
    PolicyVerdict,
    decide_policy,
    highest_effort,
)
from modicum.metering.tokens import count_tokens
from modicum.providers.facts import RequestFacts
from modicum.providers.other_models import other_models
from modicum.providers.thinking import requested_thinking

KIND = "policy"
"""The word of refusals, for programs."""

FindRoute = Callable[[str, str], Route]


class CountedPrompt(NamedTuple):
    """How long a call's prompt is, as it came: at most, or as we count it."""

    tokens: int


class Authorising:
    """The policy of one gateway process. Used from its event loop."""

    def __init__(self) -> None:
        self._policy = NO_CLAUSES
        self._limits_thinking = self.limits_models = False
        self._shortest_limit: int | None = None
        self.is_active = False
        """Whether anything is limited."""

    def take_over(self, policy: CallPolicy) -> None:
        """What holds from now on, for calls under way too as far as they are yet to be sent."""
        clauses = policy.clauses
        self._policy, self.is_active = policy, bool(clauses)
        self._limits_thinking = any(one.most_effort or one.most_thinking_tokens is not None for one in clauses)
        self.limits_models = any(one.limits_models for one in clauses)
        limits = [one.most_prompt_tokens for one in clauses if one.most_prompt_tokens is not None]
        self._shortest_limit = min(limits, default=None)

    async def authorise(self, exchange: Exchange) -> None:
        """Whether a call may be made as it came.

        Raises:
            Refused: it may not.
            DialectError: it cannot be read.
        """
        if self._shortest_limit is not None and len(exchange.edited) > self._shortest_limit:
            # A token has a byte at least, so shorter bodies need no count.
            count = partial(count_tokens, model=exchange.route.model)
            dialect, body = exchange.request.served.dialect, exchange.edited
            tokens = await asyncio.get_running_loop().run_in_executor(None, dialect.prompt_tokens, body, count)
            exchange.features += (CountedPrompt(tokens),)
        self.check(exchange, exchange.route)
        if self.limits_models:
            exchange.one_model = True
            for _, name in other_models(exchange.edited):
                self._refuse(self._decide(exchange, exchange.route, name.removeprefix("models/")))

    def check(self, exchange: Exchange, route: Route) -> None:
        """Whether a call may go some way.

        Raises:
            Refused: it may not.
            DialectError: it cannot be read.
        """
        if self._policy.clauses:
            self._refuse(self._decide(exchange, route, route.model))

    def guard(self, exchange: Exchange, find_route: FindRoute) -> FindRoute:
        """Finds the ways of a call that it may go. Of others it says that they are refused."""
        if not self._policy.clauses:
            return find_route

        def find(model: str, dialect: str) -> Route:
            route = find_route(model, dialect)
            self.check(exchange, route)
            return route

        return find

    def check_aside(self, request: Request, upstream: Upstream, model: str) -> None:
        """Whether a request that is no call may send its text to an upstream.

        Raises:
            Refused: it may not.
        """
        if not self._policy.clauses:
            return
        self._check_text(request, upstream, model, request.served.dialect.request(request.body, request.path))

    def check_file(self, request: Request, upstream: Upstream, name: str) -> None:
        """Whether a file, which nobody reads here, may go to an upstream. `name`: of its path, in the place of a model.

        Raises:
            Refused: it may not.
        """
        if self._policy.clauses:
            self._check_text(request, upstream, name, RequestFacts(model=name))

    def _check_text(self, request: Request, upstream: Upstream, model: str, facts: RequestFacts) -> None:
        about = attribution(request.headers, facts, request.caller.owner)
        self._refuse(
            decide_policy(
                self._policy,
                PlannedCall(
                    model,
                    upstream.provider,
                    upstream.served_in,
                    about.owner,
                    about.project,
                    about.tags.get(DATA_CLASS_TAG, ""),
                    most_output_tokens=0,
                ),
            )
        )

    def _decide(self, exchange: Exchange, route: Route, model: str) -> PolicyVerdict:
        about, facts, prompt = exchange.about, exchange.facts, exchange.of(CountedPrompt)
        thinking = requested_thinking(exchange.edited) if self._limits_thinking else None
        return decide_policy(
            self._policy,
            PlannedCall(
                model,
                route.upstream.provider,
                route.upstream.served_in,
                about.owner,
                about.project,
                about.tags.get(DATA_CLASS_TAG, ""),
                highest_effort(thinking.efforts) if thinking is not None else "",
                thinking.tokens if thinking is not None else 0,
                prompt.tokens if prompt is not None else 0,
                facts.most_output_tokens,
            ),
        )

    def _refuse(self, verdict: PolicyVerdict) -> None:
        if verdict.ruling is PolicyRuling.ADMIT:
            return
        raise Refused(403, f"{verdict.reason}; ask for what it allows, or have policy.toml changed", KIND)
