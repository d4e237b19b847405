"""Calls that a rule has moved to a cheaper model come back from there: where the answer is not believed, and where the
model has gone.

Nothing of a reply was passed on until then. What was not enough is an entry of its own, linked to its call.
"""

from typing import NamedTuple

from modicum.gateway.answering import TROUBLES
from modicum.gateway.cascades.gone_models import GoneModelMemory, is_model_gone
from modicum.gateway.cascades.judging import answer_of
from modicum.gateway.cascades.live_cascades import AskedRoute, LiveCascade, LiveCascades
from modicum.gateway.exchange import Exchange
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import Refused
from modicum.gateway.listening import pass_end
from modicum.gateway.parts import Parts
from modicum.gateway.resilience.attempts import ResilientAnswerer
from modicum.gateway.resilience.next_attempt import NextAttempt
from modicum.gateway.upstreams import Route, Upstreams
from modicum.providers.facts import DialectError
from modicum.routing.rule import CASCADE_FAMILY, FAMILY
from modicum.routing.verifiers import AnswerVerdict, ModelAnswer, VerifierKind, check_agreement, refused

_FAMILIES = (FAMILY, CASCADE_FAMILY)


class HeldReply(Exception):  # noqa: N818 - an event
    """A whole reply that nothing was passed on of."""

    def __init__(self, body: bytes) -> None:
        super().__init__("held")
        self.body = body


class HeldAnswer(NamedTuple):
    """What a model answered, of which nothing was passed on."""

    answer: ModelAnswer | None
    """None: it gave none."""
    end: bytes
    trouble: Exception | None = None
    """Why there is no reply at all."""

    @property
    def was_sent(self) -> bool:
        return not isinstance(self.trouble, Refused)


class MovedCalls:
    """Answers calls that routers and cascades have moved; all others are none of its business (`Answerer`).

    Args:
        upstream: sends a call.
        gone: models that an upstream no longer knows.
    """

    name = "cascades"

    def __init__(
        self, upstream: ResilientAnswerer, parts: Parts, cascades: LiveCascades, gone: GoneModelMemory
    ) -> None:
        self._upstream, self._next, self._cascades, self._gone = upstream, NextAttempt(parts), cascades, gone
        self._failed, self._policies = parts.metrics.failed, parts.policies
        self._upstreams = Upstreams((), {})

    def take_over(self, upstreams: Upstreams) -> None:
        """What holds from now on."""
        self._upstreams = upstreams

    async def answer(self, exchange: Exchange, client: Client) -> bytes | None:
        origin = exchange.of(AskedRoute)
        if origin is None or exchange.route is origin.route or not _moved_by(exchange):
            return None
        cascade = self._cascades.of_call(exchange)
        if cascade is None:
            return await self._routed(exchange, client, origin.route)
        return await self._cascaded(exchange, client, origin.route, cascade)

    async def _routed(self, exchange: Exchange, client: Client, origin: Route) -> bytes | None:
        """Once, and back if there is no such model."""
        try:
            return await self._upstream.answer(exchange, client, _hold_if_gone)
        except HeldReply as held:
            if await self._come_back(exchange, origin, "model_gone"):
                return None
            return self._passed(exchange, held.body)

    async def _cascaded(self, exchange: Exchange, client: Client, origin: Route, cascade: LiveCascade) -> bytes | None:
        held = await self._ask(exchange, client)
        verdict = await cascade.judge.judge(exchange, held.answer)
        if verdict.is_believed and cascade.judge.kind is VerifierKind.AGREEMENT:
            verdict, held = await self._ask_second(exchange, client, cascade, held)
        tag = cascade.rule.name
        if verdict.is_believed:
            exchange.tags = {**exchange.tags, tag: "believed"}
            cascade.believe(exchange)
            return self._passed(exchange, held.end)
        cascade.refuse(exchange)
        exchange.tags = {**exchange.tags, tag: f"refused:{verdict.why}"}
        failed = "failed" if verdict.why == "failed" else "not_believed"
        if await self._come_back(exchange, origin, failed, was_sent=held.was_sent):
            return None
        if held.trouble is not None:
            raise held.trouble
        return self._passed(exchange, held.end)

    async def _ask(self, exchange: Exchange, client: Client) -> HeldAnswer:
        """The answer of the model that the call was moved to, held back."""
        try:
            end = await self._upstream.answer(exchange, client, _hold)
        except HeldReply as held:
            if is_model_gone(exchange):
                self._gone.remember(exchange.route.model)
            return HeldAnswer(answer_of(exchange, held.body), held.body)
        except TROUBLES as trouble:
            if client.started or exchange.client_gone:
                raise
            return HeldAnswer(None, b"", trouble)
        return HeldAnswer(None, end)  # an error that its upstream gave, and that may be passed on

    async def _ask_second(
        self, exchange: Exchange, client: Client, cascade: LiveCascade, first: HeldAnswer
    ) -> tuple[AnswerVerdict, HeldAnswer]:
        """The second model's answer is the call's, if it is the same."""
        try:
            exchange.caller.check_model(cascade.settings.second)
            route = self._upstreams.route(cascade.settings.second, exchange.request.served.dialect.name)
            if self._policies.is_active:
                self._policies.check(exchange, route)
        except (Refused, DialectError):
            return refused("no_second"), first
        if not await self._next.begin(exchange, route, "first_of_two", "second_opinion"):
            return refused("no_second"), first
        second = await self._ask(exchange, client)
        if first.answer is None or second.answer is None:
            return refused("failed"), second
        return check_agreement(first.answer, second.answer, cascade.settings.answer_pattern), second

    async def _come_back(self, exchange: Exchange, origin: Route, failed: str, *, was_sent: bool = True) -> bool:
        """Makes the call ready for the model that it asked for; what had moved it is undone."""
        if failed == "model_gone":
            self._gone.remember(exchange.route.model)
        if not await self._next.begin(exchange, origin, failed, "escalation", was_sent=was_sent):
            return False
        exchange.edits = tuple(edit for edit in exchange.edits if not edit.rule.startswith(_FAMILIES))
        return True

    def _passed(self, exchange: Exchange, end: bytes) -> bytes:
        pass_end(exchange, end, self._failed)
        return end


def _moved_by(exchange: Exchange) -> bool:
    return any(edit.rule.startswith(_FAMILIES) for edit in exchange.edits)


def _hold(exchange: Exchange, body: bytes, *, is_end: bool) -> None:  # noqa: ARG001 - a check's
    if is_end:
        raise HeldReply(body)


def _hold_if_gone(exchange: Exchange, body: bytes, *, is_end: bool) -> None:
    if is_end and is_model_gone(exchange):
        raise HeldReply(body)
