"""The realtime API: a socket to its provider behind each socket of a caller, message by message.

The session is let in as a call is, so that a hard budget refuses it: nobody can say before what it will use. Each
response of the provider says it after, and becomes a call on the disk before its last event is passed on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from time import time
from typing import Any
from urllib.parse import parse_qs, quote

import msgspec

from modicum.calls import Basis, Call, CallStatus
from modicum.gateway import meter, sending
from modicum.gateway.exchange import Exchange
from modicum.gateway.http.client import Receive, Send
from modicum.gateway.http.refusal import Refused
from modicum.gateway.parts import Parts
from modicum.gateway.pipeline import Pipeline
from modicum.gateway.websocket.door import OpenedBy
from modicum.ledger.journal import NotDurable, Record
from modicum.providers.body_parsing import encode
from modicum.providers.facts import DialectError, ReplyFacts

MOST_MESSAGE_BYTES = 16 * 1024 * 1024
MOST_OPENING_S = 15.0
GOING_AWAY, BROKE_OFF, TRY_AGAIN_LATER = 1001, 1011, 1013
_pack = msgspec.msgpack.Encoder().encode


class Realtime:
    """The realtime sessions of one gateway process."""

    def __init__(self, pipeline: Pipeline, parts: Parts) -> None:
        self._pipeline, self._parts = pipeline, parts
        self._numbers = meter.numbers()

    async def serve(self, opened: OpenedBy, receive: Receive, send: Send) -> None:
        """One socket, from its opening to its end.

        Raises:
            Refused, DialectError: it is not opened; the caller is to be told.
        """
        exchange = self._admit(opened)
        try:
            await self._reserve(exchange, opened)
            async with AsyncExitStack() as stack:
                stack.enter_context(self._parts.upstream_calls.at(exchange.route.upstream))
                upstream = await stack.enter_async_context(await self._connected(exchange, opened))
                await send({"type": "websocket.accept"})
                try:
                    code = await self._relay(exchange, receive, send, upstream)
                finally:
                    await self._settle_limits(exchange)
                if code:
                    await send({"type": "websocket.close", "code": code})
        finally:
            await self._pipeline.release(exchange)

    async def _settle_limits(self, exchange: Exchange) -> None:
        """An open session was one call of its limits, and its tokens are counted already."""
        hold, exchange.limit_hold = exchange.limit_hold, None
        await self._parts.limits.settle_hold(hold, 0)

    def _admit(self, opened: OpenedBy) -> Exchange:
        model = parse_qs(opened.query.decode("ascii", "replace")).get("model", [""])[0]
        if not model:
            raise DialectError(400, "the address names no model: /v1/realtime?model=NAME", "missing_model")
        return self._pipeline.admit(opened.request(encode({"model": model})))

    async def _reserve(self, exchange: Exchange, opened: OpenedBy) -> None:
        """As before every call.

        Raises:
            Refused: policy, redaction, a rate limit or a budget forbids it.
        """
        parts = self._parts
        if parts.policies.is_active:
            await parts.policies.authorise(exchange)
        if exchange.redactor is not None:
            parts.redactor.check_passed_on(opened.caller.owner, b"", has_upload=True)
        if parts.limits.limits_callers:
            await parts.limits.admit(exchange)
        if parts.budgets.is_active:
            find_route = self._pipeline.in_force.route_finder(exchange.about, exchange.number)
            await parts.budgets.reserve(exchange, find_route, may_downgrade=False)

    async def _connected(self, exchange: Exchange, opened: OpenedBy) -> Any:
        """A connection to the provider, not opened yet.

        Raises:
            Refused: it does not open.
        """
        # A gateway that nobody speaks to over sockets does without.
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        upstream, own_key = exchange.route.upstream, opened.caller.own_key
        keys = upstream.key_headers() if own_key is None else [own_key]
        passing = [header for header in sending.outgoing(exchange.request, upstream, own_key) if header[0] in _PASSED]
        scheme = "wss" if upstream.origin.tls else "ws"
        address = f"{scheme}://{upstream.origin.authority.decode('ascii')}{upstream.base.decode('ascii')}/realtime"
        try:
            async with asyncio.timeout(MOST_OPENING_S):
                connection = await connect(
                    f"{address}?model={quote(exchange.route.model, safe='')}",
                    additional_headers=[
                        (name.decode("ascii"), value.decode("latin-1")) for name, value in passing + keys
                    ],
                    ssl=upstream.origin.trust,
                    max_size=MOST_MESSAGE_BYTES,
                    compression=None,
                    proxy=None,
                    user_agent_header=None,
                )
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            raise Refused(status, f"the upstream refuses the socket ({status})", "upstream_refused") from None
        except (OSError, TimeoutError, WebSocketException):
            raise Refused(502, "the upstream does not answer", "upstream_unreachable") from None
        return connection

    async def _relay(self, exchange: Exchange, receive: Receive, send: Send, upstream: Any) -> int:
        """Passes messages on both ways until one side leaves. Returns the code with which the caller's socket is to be
        closed; 0: it has gone.
        """
        ways = (self._to_upstream(receive, upstream.send), self._to_caller(exchange, upstream, send))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        first = results[tasks.index(next(iter(done)))]
        return first if isinstance(first, int) else BROKE_OFF

    async def _to_upstream(self, receive: Receive, send: Callable[[Any], Awaitable[None]]) -> int:
        while (message := await receive())["type"] != "websocket.disconnect":
            data = message.get("text")
            await send(message.get("bytes") or b"" if data is None else data)
        return 0

    async def _to_caller(self, exchange: Exchange, upstream: Any, send: Send) -> int:
        dialect = exchange.upstream_dialect
        async for message in upstream:
            if not isinstance(message, str):
                await send({"type": "websocket.send", "bytes": message})
                continue
            data = message.encode("utf-8")
            reached = ""
            if any(mark in data for mark in dialect.usage_marks) and (facts := dialect.reply(data)).usage is not None:
                try:
                    call = await self._record(exchange, facts)
                except NotDurable:
                    return BROKE_OFF  # what is not on the disk is not passed on
                reached = await self._count(exchange, call)
            await send({"type": "websocket.send", "text": message})
            if reached:
                await send({"type": "websocket.send", "text": _error(reached)})
                return TRY_AGAIN_LATER
        return GOING_AWAY

    async def _count(self, exchange: Exchange, call: Call) -> str:
        """Counts a response on limits and budgets. Returns which of them ends the session, in words; empty: none."""
        parts, used_up = self._parts, ""
        if parts.budgets.is_active and (name := await parts.budgets.count_more(exchange, call)):
            used_up = f"the budget '{name}' is used up"
        if not parts.limits.limits_callers:
            return used_up
        tokens = call.usage.prompt_tokens + call.usage.completion_tokens
        return await parts.limits.count_more(exchange, tokens) or used_up

    async def _record(self, exchange: Exchange, facts: ReplyFacts) -> Call:
        """Makes a call of what a response used.

        Raises:
            NotDurable: the disk refuses.
        """
        assert facts.usage is not None  # noqa: S101 - whoever calls has looked
        number, upstream = next(self._numbers), exchange.route.upstream
        begun = meter.begun_call(number, upstream.provider, exchange.route.model, exchange.about, time())
        call = msgspec.structs.replace(
            begun,
            call_id=meter.call_id(number, facts.reply_id),
            model=facts.model or begun.model,
            finished=datetime.now(UTC),
            status=CallStatus.OK,
            finish_reason=facts.finish_reason,
            usage=facts.usage,
            usage_basis=Basis.EXACT,
            output_basis=Basis.EXACT,
            charges=facts.charges,
        )
        await self._parts.journal.append(Record(number, "call", _pack(call)))
        self._parts.metrics.record_call(call, upstream.name)
        return call


def _error(message: str) -> str:
    """As the provider tells errors."""
    error = {"type": "rate_limit_error", "code": "rate_limited", "message": message}
    return encode({"type": "error", "error": error}).decode("utf-8")


_PASSED = frozenset({b"openai-beta", b"user-agent", b"traceparent", b"openai-organization", b"openai-project"})
