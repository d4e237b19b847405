"""A model that calls a tool of ours is asked again with the result, as often as it does; its caller gets one reply.

Each time is on record as an entry of its own that its call names, and reserved on the call's budgets before it is sent.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import msgspec

from modicum.calls import CallStatus
from modicum.gateway.exchange import Exchange
from modicum.gateway.failures import contain_stage
from modicum.gateway.http.client import Client
from modicum.gateway.parts import Parts
from modicum.gateway.resilience.next_attempt import NextAttempt
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.fields import mapping
from modicum.providers.own_tools.shape import CallHops, Hop, OwnCall, OwnResult, OwnToolShape

RULE = "own_tools"
STEP = "own_tool"
"""Why one sending of a call was followed by another, and what that is."""
MOST_HOPS = 6
"""Of one call."""
OK = 200
FAILED = "[modicum: this tool failed; go on without it]"
LAST_ONE = "[modicum: this was the last call of this tool for now; go on with what there is]"

Ask = Callable[[], Awaitable[bytes]]
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


class ToolAnswer(NamedTuple):
    text: str
    found: frozenset[str] = frozenset()
    """Tools of the caller that the request has again from now on."""


class ToolAnswers(Protocol):
    """ToolAnswers calls of our tools, for one call of the gateway."""

    @property
    def names(self) -> frozenset[str]:
        """Of the tools that it offers."""

    def answer(self, call: OwnCall) -> ToolAnswer: ...


class OfferedTools(NamedTuple):
    """What the gateway answers for one call (`Exchange.of`)."""

    answers: tuple[ToolAnswers, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset[str]().union(*(one.names for one in self.answers))

    def answer(self, call: OwnCall) -> ToolAnswer:
        return next(one for one in self.answers if call.tool in one.names).answer(call)


class ToolLoop:
    """Asks for a call's reply until the model calls no tool of ours any more."""

    def __init__(self, parts: Parts) -> None:
        self._next, self._failed = NextAttempt(parts), parts.metrics.failed

    async def reply(self, exchange: Exchange, client: Client, ask: Ask) -> bytes:
        """The end of the reply. Nothing is done for calls in which no tool of ours was offered."""
        offered, shape = exchange.of(OfferedTools), exchange.request.served.dialect.own_tools
        if offered is None or shape is None or not offers(exchange):
            return await ask()
        if exchange.facts.stream:
            return await self._streamed(exchange, client, ask, offered, shape)
        return await self._whole(exchange, ask, await ask(), offered, shape)

    async def _whole(
        self, exchange: Exchange, ask: Ask, end: bytes, offered: OfferedTools, shape: OwnToolShape
    ) -> bytes:
        before: list[dict[str, object]] = []
        while True:
            reply = _reply_in(exchange, end)
            if reply is None:
                return end
            hop = shape.read(reply, offered.names)
            if not hop.calls:
                return _encode(shape.joined(reply, before, offered.names)) if before else end
            if not hop.goes_on or not await self._go_on(exchange, hop, offered, shape, len(before) + 1):
                return _encode(shape.joined(reply, before, offered.names))
            before.append(reply)
            end = await ask()

    async def _streamed(
        self, exchange: Exchange, client: Client, ask: Ask, offered: OfferedTools, shape: OwnToolShape
    ) -> bytes:
        hops = CallHops(shape.stream(offered.names))
        exchange.features += (hops,)
        first_token_s = 0.0
        while True:
            end = await ask()
            first_token_s = first_token_s or exchange.timing.first_token_s
            exchange.timing.first_token_s = first_token_s
            if not hops.saw_stream:  # it came in one piece, or is an error
                if hops.stream.hops:
                    raise ConnectionError("the upstream does not go on with its stream after a tool of ours")
                return await self._whole(exchange, ask, end, offered, shape)
            hop = hops.stream.hop()
            if not hop.goes_on or not await self._go_on(exchange, hop, offered, shape, hops.stream.hops + 1):
                return end + hops.end()
            if end:  # words that came with the end of the stream
                await client.pass_on(end)
            hops.begin_next()

    def _answer(self, offered: OfferedTools, call: OwnCall) -> ToolAnswer:
        with contain_stage(RULE, self._failed):
            return offered.answer(call)
        return ToolAnswer(FAILED)

    async def _go_on(
        self, exchange: Exchange, hop: Hop, offered: OfferedTools, shape: OwnToolShape, number: int
    ) -> bool:
        """Makes the call ready to be sent with the results. False: it ends as it is."""
        if number > MOST_HOPS or exchange.client_gone or exchange.status is not CallStatus.OK:
            return False
        former, body = exchange.edited, b""
        with contain_stage(RULE, self._failed):
            answers = [self._answer(offered, call) for call in hop.calls]
            last = f"\n{LAST_ONE}" if number == MOST_HOPS else ""
            results = [
                OwnResult(call.call_id, answer.text + last) for call, answer in zip(hop.calls, answers, strict=True)
            ]
            body = shape.next_request(former, hop, results)
            found = frozenset[str]().union(*(answer.found for answer in answers))
            body = shape.with_found(body, exchange.request.body, found) if found else body
        if not body or not await self._next.begin(exchange, exchange.route, STEP, STEP, body=body):
            return False
        exchange.tags = {**exchange.tags, RULE: f"{number}"}
        return True


def offers(exchange: Exchange) -> bool:
    """Whether the request that goes out offers a tool of ours: the rule may have found that none is worth it."""
    offered = exchange.of(OfferedTools)
    return offered is not None and any(f'"{name}"'.encode() in exchange.edited for name in offered.names)


def _reply_in(exchange: Exchange, end: bytes) -> dict[str, object] | None:
    """A whole reply that went well."""
    if exchange.answer is None or exchange.answer.status != OK or exchange.reply is None or exchange.reply.error_kind:
        return None
    try:
        reply = mapping(_decode(end))
    except UNREADABLE:
        return None
    return dict(reply)
