"""Calls that nobody meters, passed on once and as they come: no rule, no retry, no cache has anything to do with them.

What they cost nobody knows, so an owner with a hard budget is refused before (`providers/unmetered/dialect.py`).
"""

from modicum.calls import CallStatus
from modicum.gateway import sending
from modicum.gateway.callers.own_keys import check_upstream
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.parts import Parts
from modicum.gateway.replies import why_unreachable
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.outbound.keepalive import Answer
from modicum.outbound.unreachable import Unreachable
from modicum.providers.facts import ReplyFacts

FINE = 400
"""Below it, a status says that all went well."""


class Relay:
    """Sends calls of unmetered paths where they go, and passes their replies back piece by piece."""

    name = "relay"

    def __init__(self, parts: Parts) -> None:
        self._connections, self._upstream_calls, self._policies = (
            parts.connections,
            parts.upstream_calls,
            parts.policies,
        )
        self._redactor = parts.redactor

    async def answer(self, exchange: Exchange, client: Client) -> bytes:
        """As every answerer (`answering.Answerer`).

        Raises:
            Refused: the policy forbids it, or it cannot be sent.
            Unreachable, ConnectionError, ClientGone: it broke off.
        """
        request, upstream = exchange.request, exchange.route.upstream
        if self._policies.is_active:
            self._policies.check(exchange, exchange.route)
        with self._upstream_calls.at(upstream):
            if request.upload is None:
                client.watch(exchange)
            exchange.sent(await self._send(request, upstream))
            if request.upload is not None and request.upload.is_over:
                client.watch(exchange)
            answer = exchange.answer
            assert answer is not None  # noqa: S101 - it was sent
            exchange.status = CallStatus.OK if answer.status < FINE else CallStatus.ERROR
            exchange.reply = ReplyFacts(complete=answer.status < FINE)
            return await pass_back(answer, client)

    async def aside(self, upstreams: Upstreams, request: Request, client: Client) -> None:
        """A request of an unmetered path that makes nothing: not on record, and as large as it is."""
        dialect, caller = request.served.dialect, request.caller
        try:
            name = dialect.request(b"", request.path).model
            caller.check_model(name)
            upstream = upstreams.unmetered(name, dialect.name).upstream
            if caller.own_key is not None:
                check_upstream(caller.own_key, upstream)
            with self._upstream_calls.at(upstream):
                answer = await self._send(request, upstream)
                await client.finish(await pass_back(answer, client))
        except (Refused, Unreachable, ConnectionError) as error:
            if client.started:
                raise ClientGone from None  # the connection is cut, so that nobody takes half a file for a whole one
            if isinstance(error, Refused):
                await client.refuse(dialect, error.status, error.message, error.kind)
            else:
                await client.refuse(dialect, 502, why_unreachable(error), "upstream_unreachable")

    async def _send(self, request: Request, upstream: Upstream) -> Answer:
        self._redactor.check_passed_on(request.caller.owner, request.body, has_upload=request.upload is not None)
        return await sending.send(
            self._connections,
            sending.Passing(
                request.served.method,
                sending.outgoing(request, upstream, request.caller.own_key),
                request.query,
                names=None,
            ),
            upstream,
            request.served.target,
            own_key=request.caller.own_key,
            body=request.body,
            upload=request.upload,
        )


async def pass_back(answer: Answer, client: Client) -> bytes:
    """Passes on all of a reply as it comes, but for its end, which it returns: that waits for the call's record.

    Raises:
        ConnectionError: it broke off.
        ClientGone: nobody reads it any more.
    """
    piece, headers = await answer.chunk(), sending.passes_back(answer)
    if answer.complete:
        client.prepare(answer.status, headers)
        return piece
    await client.start(answer.status, headers)
    while piece:
        await client.pass_on(piece)
        piece = await answer.chunk()
    return b""
