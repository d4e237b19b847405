"""Calls that nobody meters, passed on once and as they come: no rule, no retry, no cache has anything to do with them.

What they cost nobody knows, so an owner with a hard budget is refused before (`providers/unmetered/dialect.py`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from modicum.calls import CallStatus
from modicum.gateway import sending
from modicum.gateway.callers.credentials import KEY_HEADERS, query_key, token_in
from modicum.gateway.callers.own_keys import check_upstream
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.parts import Parts
from modicum.gateway.replies import why_unreachable
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.outbound.keepalive import Answer, Header
from modicum.outbound.unreachable import Unreachable
from modicum.providers.facts import DialectError, ReplyFacts
from modicum.providers.unmetered.dialect import path_name

UPLOAD_URL = b"x-goog-upload-url"
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
            exchange.sent(await self.send(request, upstream))
            if request.upload is not None and request.upload.is_over:
                client.watch(exchange)
            answer = exchange.answer
            assert answer is not None  # noqa: S101 - it was sent
            exchange.status = CallStatus.OK if answer.status < FINE else CallStatus.ERROR
            exchange.reply = ReplyFacts(complete=answer.status < FINE)
            return await pass_back(answer, client)

    async def aside(self, upstreams: Upstreams, request: Request, client: Client) -> None:
        """A request of an unmetered path that makes nothing: not on record, and as large as it is."""
        async with refusing(request, client):
            name = path_name(request.path)
            request.caller.check_model(name)
            upstream = upstreams.without_model(name, request.served.dialect.name).upstream
            await self.pass_through(request, upstream, client)

    async def pass_through(self, request: Request, upstream: Upstream, client: Client) -> None:
        """Sends a request that is no call where it goes, and passes the reply back.

        Raises:
            Refused, Unreachable, ConnectionError, ClientGone: it does not go there, or broke off.
        """
        if request.caller.own_key is not None:
            check_upstream(request.caller.own_key, upstream)
        if request.body or request.upload is not None:
            self._policies.check_file(request, upstream, path_name(request.path))
        with self._upstream_calls.at(upstream):
            answer = await self.send(request, upstream)
            if request.served.root:
                answer.headers = [_with_own_address(header, request, upstream) for header in answer.headers]
            await client.finish(await pass_back(answer, client))

    async def send(self, request: Request, upstream: Upstream) -> Answer:
        """Sends a request as it came; returns when the reply's headers are there.

        Raises:
            Refused: it cannot be sent.
            Unreachable: the upstream does not answer.
        """
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
            root=request.served.root,
        )


def _with_own_address(header: Header, request: Request, upstream: Upstream) -> Header:
    """Where the rest of an upload goes: through us. Google's clients send it without a key, so the address holds the
    caller's, in the place where Gemini's clients may put it.
    """
    if header[0] != UPLOAD_URL:
        return header
    parts = urlsplit(header[1].decode("ascii", "replace"))
    base = upstream.base.decode("ascii").rpartition("/")
    path = parts.path.replace(upstream.base.decode("ascii"), f"/{base[2]}", 1)
    host = request.headers.get(b"host", b"").decode("ascii", "replace")
    key = next((token_in(name, request.headers[name]) for name in KEY_HEADERS if name in request.headers), b"")
    query = urlencode([*parse_qsl(parts.query), ("key", (key or query_key(request.query)).decode("ascii", "replace"))])
    return header[0], urlunsplit((request.scheme, host, path, query, "")).encode("ascii")


@asynccontextmanager
async def refusing(request: Request, client: Client) -> AsyncIterator[None]:
    """What goes wrong within is told to the caller; where a part of the reply has gone, its connection is cut, so that
    nobody takes half a file for a whole one.
    """
    dialect = request.served.dialect
    try:
        yield
    except (Refused, DialectError, Unreachable, ConnectionError) as error:
        if client.started:
            raise ClientGone from None
        if isinstance(error, Refused | DialectError):
            await client.refuse(dialect, error.status, error.message, error.kind)
        else:
            await client.refuse(dialect, 502, why_unreachable(error), "upstream_unreachable")


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
