"""Who answers a call: a seam for all that gives a reply. The upstream is the last of them, and always answers."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from modicum.calls.containment import contain
from modicum.gateway import replies, sending
from modicum.gateway.exchange import Exchange
from modicum.gateway.failures import Failed, report_failure
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.listening import pass_end
from modicum.gateway.parts import Parts
from modicum.gateway.relaying.fair_turns import FairTurns
from modicum.gateway.resilience.hedging import Hedge
from modicum.gateway.usage_refusals import UsageRefusals, is_refusal, may_refuse
from modicum.outbound.open_files import OutOfFiles
from modicum.outbound.unreachable import Unreachable
from modicum.providers.facts import DialectError

OK = 200
TROUBLES = Refused, DialectError, Unreachable, ConnectionError, ClientGone
"""What an answerer may raise: the caller is told. All else is a failure of ours."""


class Answerer(Protocol):
    """Gives replies to calls that are its own; a plan's, a cache's, an upstream's. One may ask others in turn (a retry,
    a fallback).
    """

    name: str
    """The stage under which its failures are counted."""

    async def answer(self, exchange: Exchange, client: Client) -> bytes | None:
        """Passes the reply on but for its end, which it returns: that waits for the journal. None: the call is not for
        it to answer, and nothing has been sent.

        Raises:
            Refused, DialectError: the caller is told why there is no reply.
            Unreachable, ConnectionError, ClientGone: the reply broke off.
        """


def first_active(answerer: Answerer) -> Answerer:
    """Who answers first as the settings say now: of those that pass every call on, whom they pass it to."""
    while (behind := getattr(answerer, "passes_all_to", None)) is not None:
        answerer = behind
    return answerer


async def answer(answerers: Sequence[Answerer], exchange: Exchange, client: Client, failed: Failed) -> bytes:
    """The reply of the first that gives one, in their order; the last always does. Who fails before anything was sent
    is passed over.
    """
    *first, last = answerers
    for one in first:
        end = None
        with contain(but=TROUBLES) as answering:
            end = await one.answer(exchange, client)
        if answering.error is not None:
            if client.started:
                raise answering.error
            report_failure(one.name, answering.error, failed)
        if end is not None:
            return end
    end = await last.answer(exchange, client)
    assert end is not None  # noqa: S101 - the upstream's part
    return end


class ReplyCheck(Protocol):
    """Looks at a reply of which nothing was passed on yet: the first bytes of a stream, or all of another."""

    def __call__(self, exchange: Exchange, body: bytes, *, is_end: bool) -> None: ...


class UpstreamAnswerer:
    """Sends calls where they go, as the policy lets them; takes their contexts apart, while the upstream works."""

    name = "upstream"

    def __init__(self, parts: Parts) -> None:
        self._connections, self._upstream_calls, self._policies = (
            parts.connections,
            parts.upstream_calls,
            parts.policies,
        )
        self._take_apart, self._failed = parts.recorder.take_apart, parts.metrics.failed
        self._usage_refusals, self._turns = UsageRefusals(), FairTurns()

    async def answer(
        self, exchange: Exchange, client: Client, check: "ReplyCheck | None" = None, hedge: Hedge | None = None
    ) -> bytes:
        """As every answerer. `check` looks at the reply before anything of it is passed on, and may raise what stops
        that. `hedge` may send the call a second time.
        """
        if self._policies.is_active:
            self._policies.check(exchange, exchange.route)
        if refuses_usage := self._usage_refusals.has(exchange.route):
            sending.prepare(exchange, asks_usage=False)
        else:
            sending.prepare(exchange)
        with self._upstream_calls.at(exchange.route.upstream):
            if client.exchange is None:
                client.watch(exchange)
                if self._take_apart is not None:
                    asyncio.get_running_loop().call_soon(self._take_apart, exchange)
            await self._send(exchange, hedge)
            refusal = None
            if not refuses_usage and may_refuse(exchange):
                refusal = await self._refusal_or_none(exchange)
            if replies.streams(exchange):
                if check is not None and exchange.answer is not None:
                    check(exchange, await exchange.answer.wait_for_body(), is_end=False)
                end = await replies.stream(exchange, client, self._failed, self._turns)
            else:
                end = await replies.whole(exchange, client, refusal)
                if check is not None:
                    check(exchange, end, is_end=True)
            if exchange.listeners:
                pass_end(exchange, end, self._failed)
            return end

    async def _refusal_or_none(self, exchange: Exchange) -> bytes | None:
        """The body of an answer that refuses something else. One that refuses to be asked for usage is followed by a
        second answer to the same call, without that: then None.
        """
        refusal = await replies.rest(exchange)
        if not is_refusal(refusal):
            return refusal
        sending.prepare(exchange, asks_usage=False)
        await self._send(exchange)
        if exchange.answer is not None and exchange.answer.status == OK:
            self._usage_refusals.remember(exchange.route)
        return None

    async def _send(self, exchange: Exchange, hedge: Hedge | None = None) -> None:
        head = sending.repeated_head(exchange) if hedge is None else None
        if head is not None:
            upstream = exchange.route.upstream
            try:
                await self._connections.send(upstream.origin, head, exchange.body, exchange.sent, upstream.timeouts)
            except OutOfFiles:
                raise sending.no_open_file() from None
        else:
            await self._send_anew(exchange, hedge)
        if exchange.on_reply is not None:
            exchange.on_reply()

    async def _send_anew(self, exchange: Exchange, hedge: Hedge | None) -> None:
        """Sends a call whose head has to be written: it is signed, translated, or may be sent twice."""
        send_once = partial(
            sending.send,
            self._connections,
            sending.passing(exchange),
            exchange.route.upstream,
            sending.target(exchange),
            own_key=exchange.caller.own_key,
            body=exchange.body,
        )
        if hedge is None:
            await send_once(sent=exchange.sent)
        else:
            await hedge.send(exchange, send_once)
