"""The gateway as an ASGI application: which request is whose, and what of it is let in."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from modicum.calls.containment import contain, failure_place
from modicum.gateway.callers.credentials import check_places
from modicum.gateway.callers.outgoing_headers import passes_on
from modicum.gateway.exchange import Request
from modicum.gateway.http.body_budget import BodyShare
from modicum.gateway.http.client import Client, Receive, Send
from modicum.gateway.http.codings import CODINGS, PIECE_BYTES, BadCodingError, Unpacker
from modicum.gateway.http.cors import Cors
from modicum.gateway.http.direct_caller import DirectCaller, direct_caller
from modicum.gateway.http.hosts import HostNames
from modicum.gateway.http.known_head import KnownHead
from modicum.gateway.http.otlp_door import PATHS as OTLP
from modicum.gateway.http.outcomes import record_outcomes, take_outcomes
from modicum.gateway.http.pass_through import pass_aside
from modicum.gateway.http.paths import CALL, Served, dialect_of, served
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.http.upgrades import NO_WEBSOCKET, asks_for_websocket, refuse_websocket
from modicum.gateway.http.upload import HELD_BYTES, Upload, too_large
from modicum.gateway.parts import Parts
from modicum.gateway.pipeline import Pipeline
from modicum.gateway.process.log import log
from modicum.gateway.process.workers import Board, State
from modicum.gateway.websocket.door import OpenedBy, WebSocketDoor
from modicum.gateway.websocket.realtime import Realtime
from modicum.outbound.keepalive import Header
from modicum.providers.facts import DialectError

MOST_HEADERS = 200
_WITHOUT_BODY = frozenset({b"GET", b"DELETE"})
"""What of a request with such a method goes on has no body."""
_ONCE = frozenset(
    {
        b"authorization",
        b"x-api-key",
        b"x-goog-api-key",
        b"api-key",
        b"content-type",
        b"content-encoding",
        b"host",
        b"origin",
    }
)
"""Headers that may come once only: of two, one would be checked and the other served."""


class App:
    """The gateway as an ASGI application.

    Args:
        hosts: names under which we are spoken to.
        cors: pages that may call from a browser.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        parts: Parts,
        board: Board,
        *,
        hosts: HostNames,
        cors: Cors,
        most_body_bytes: int,
        most_upload_bytes: int,
        slow_client_s: float,
    ) -> None:
        self._pipeline, self._parts, self._board = pipeline, parts, board
        self.hosts, self.cors = hosts, cors
        """They change with the settings."""
        self._most_body_bytes, self._most_upload_bytes = most_body_bytes, most_upload_bytes
        self._slow_client_s = slow_client_s
        self.sockets = WebSocketDoor(pipeline, parts, slow_client_s)
        self.realtime = Realtime(pipeline, parts)
        self._own: dict[tuple[str, str], Callable[..., Awaitable[tuple[int, bytes, bytes]]]] = {
            ("GET", "/healthz"): self._healthz,
            ("GET", "/readyz"): self._readyz,
            ("GET", "/metrics"): self._metrics,
        }

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        direct = direct_caller(scope)
        if direct is not None and not direct.takes_chunks:
            send = direct.send
        with self._parts.bodies.share() as share:
            await self._serve(scope, receive, send, direct, share)

    async def _serve(
        self, scope: dict[str, Any], receive: Receive, send: Send, direct: DirectCaller | None, share: BodyShare
    ) -> None:
        path = scope["path"]
        if self.cors.marks_replies:
            direct, send = None, self.cors.marked(scope["headers"], send)
        client = Client(receive, send, self._slow_client_s, direct)
        try:
            owners = self._pipeline.in_force.owners
            in_force = self.hosts, owners, owners.keys()
            head: KnownHead | None = direct.repeated_head if direct is not None else None
            if head is None or not head.holds(in_force):
                head = await self._let_in(scope, receive, client, share, in_force)
                if head is None:
                    return
                if direct is not None:
                    direct.remember(head)
            upload = None
            body = direct.take_body() if direct is not None and head.holds_body else None
            if body is not None:
                share.take(len(body))
                if len(body) > self._most_body_bytes:
                    self._check_size(len(body))
            else:
                headers, target = dict(scope["headers"][::-1]), head.served  # of two the first
                upload = self._upload(receive, headers, target)
                is_read = target.method not in _WITHOUT_BODY and upload is None
                body = await self._body(receive, headers, share) if is_read else b""
        except Refused as refusal:
            self._parts.refusals.add(refusal.kind)
            await client.refuse(dialect_of(path), refusal.status, refusal.message, refusal.kind)
            return
        except ClientGone:
            return
        request = Request(
            head.served,
            path,
            scope["query_string"],
            head.caller,
            head.headers,
            head.passing,
            body,
            head,
            upload,
            scope.get("scheme", "http"),
        )
        await self._pass(request, client)

    async def _let_in(
        self, scope: dict[str, Any], receive: Receive, client: Client, share: BodyShare, in_force: tuple[Any, ...]
    ) -> KnownHead | None:
        """What a head says that was not seen before; None: it was answered here.

        Raises:
            Refused: it is not let in.
        """
        path, method, query = scope["path"], scope["method"], scope["query_string"]
        headers, passing = self._headers(scope["headers"])
        check_places(scope["headers"], query, path)
        if await self._answer_here(method, path, headers, client):
            return None
        if path == "/outcomes" or path in OTLP:
            # Spans have a bound of their own on what they unpack to.
            read = partial(self._body, receive, headers, share, as_sent=path in OTLP)
            await self._record_report(method, path, headers, read, client)
            return None
        target = served(method, path, headers)
        caller = self._pipeline.identify(headers, query)
        holds_body = target.method not in _WITHOUT_BODY and not target.is_streamed and _unpacker(headers) is None
        return KnownHead(in_force, target, caller, headers, passing, holds_body=holds_body)

    async def _serve_websocket(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Lets a socket in, as the request that opens it says."""
        path = scope["path"]
        await receive()
        try:
            headers, passing = self._headers(scope["headers"])
            check_places(scope["headers"], scope["query_string"], path)
            self.cors.check_socket(headers)
            target = served("POST", path, headers)
            caller = self._pipeline.identify(headers, scope["query_string"])
            opened = OpenedBy(target, path, scope["query_string"], caller, headers, passing)
            if target.dialect.relays_websocket:
                await self.realtime.serve(opened, receive, send)
                return
        except (Refused, DialectError) as refusal:
            self._parts.refusals.add(refusal.kind)
            body = dialect_of(path).error(refusal.status, refusal.message, refusal.kind)
            head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": head})
            await send({"type": "websocket.http.response.body", "body": body})
            for _ in range(2):  # until the connection has gone: the server would call this no end of a handshake
                await receive()
            return
        await self.sockets.serve(opened, receive, send)

    async def _pass(self, request: Request, client: Client) -> None:
        """A request that was let in, on its way."""
        try:
            with contain(_log_bug, but=(ClientGone,)) as work:
                if request.served.what == CALL:
                    await self._pipeline.run(request, client)
                else:
                    await self._pass_other(request, client)
            if work.error is not None and not client.started:
                message = "a fault of the gateway; its log says where"
                await client.refuse(request.served.dialect, 500, message, "internal_error")
        except ClientGone:
            return

    async def _pass_other(self, request: Request, client: Client) -> None:
        """A request that is no call."""
        pipeline, served = self._pipeline, request.served
        upstreams = pipeline.in_force.upstreams
        if served.batch is not None:
            await pipeline.batches.aside(upstreams, request, client)
        elif served.is_streamed:
            await pipeline.relay.aside(upstreams, request, client)
        else:
            await pass_aside(self._parts, upstreams, request, client)

    async def _answer_here(self, method: str, path: str, headers: dict[bytes, bytes], client: Client) -> bool:
        """Answers a request that needs neither key nor body; says whether it was one."""
        if asks_for_websocket(method, headers):
            self._parts.refusals.add(NO_WEBSOCKET)
            await refuse_websocket(client, dialect_of(path))
        elif self.cors.is_preflight(method, headers):
            await self.cors.answer_preflight(headers, client)
        elif own := self._own.get((method, path)):
            status, kind, body = await own()
            client.prepare(status, [(b"content-type", kind)])
            await client.finish(body)
        else:
            return False
        return True

    async def _record_report(
        self,
        method: str,
        path: str,
        headers: dict[bytes, bytes],
        read: Callable[[], Awaitable[bytes]],
        client: Client,
    ) -> None:
        """Takes in what is reported to us and goes no further (outcomes, telemetry). Each reads the body when it knows
        who sends it.
        """
        in_force, journal = self._pipeline.in_force, self._parts.journal
        if path in OTLP:
            record = partial(record_outcomes, journal, in_force.graded)
            await self._parts.otlp_door.take(in_force.owners, method, path, headers, read, client, record)
        else:
            await take_outcomes(in_force.owners, journal, method, headers, read, client, in_force.graded)

    def _headers(self, raw: list[Header]) -> tuple[dict[bytes, bytes], list[Header]]:
        """The headers by name, and those that may go upstream.

        Raises:
            Refused: there are too many, one that may come once comes twice, or we are called by a name
                that is not ours.
        """
        if len(raw) > MOST_HEADERS:
            raise Refused(431, "too many headers", "invalid_request")
        headers: dict[bytes, bytes] = {}
        passing: list[Header] = []
        for header in raw:
            name = header[0]
            if name in headers and name in _ONCE:
                raise Refused(400, f"the header {name.decode('ascii')} comes twice", "invalid_request")
            headers.setdefault(*header)
            if passes_on(name):
                passing.append(header)
        if not self.hosts.include(headers.get(b"host", b"")):
            raise Refused(421, "this name is not ours; name it in gateway.hosts of modicum.toml", "wrong_host")
        return headers, passing

    def _upload(self, receive: Receive, headers: dict[bytes, bytes], target: Served) -> Upload | None:
        """A body that goes on as it comes; None: it is none, or read first as any other.

        Raises:
            Refused: it is too large.
        """
        if not target.is_streamed or target.method in _WITHOUT_BODY or _unpacker(headers) is not None:
            return None
        length = headers.get(b"content-length", b"")
        if not length and b"transfer-encoding" not in headers:
            return None
        size = int(length) if length.isdigit() else None
        if size is not None and size <= HELD_BYTES:
            return None
        if size is not None and size > self._most_upload_bytes:
            raise too_large(self._most_upload_bytes)
        return Upload(receive, size, self._most_upload_bytes, self._slow_client_s)

    async def _body(
        self,
        receive: Receive,
        headers: dict[bytes, bytes],
        share: BodyShare,
        *,
        as_sent: bool = False,
    ) -> bytes:
        """The body, unpacked if it is compressed (but not `as_sent`); its bytes are taken from `share`.

        Raises:
            Refused: it is too large, packed in a way that is not known, comes too slowly, or there is no room for it.
            ClientGone: it did not come in full.
        """
        length = headers.get(b"content-length", b"0")
        self._check_size(int(length) if length.isdigit() else self._most_body_bytes + 1)
        share.check(int(length))
        unpacker = None if as_sent else _unpacker(headers)
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._slow_client_s):
                left, more = self._most_body_bytes, True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    more = message["more_body"]
                    if unpacker is None:
                        parts.append(message["body"])
                        left -= len(parts[-1])
                        share.take(len(parts[-1]))
                    else:
                        left = await _unpack(unpacker, message["body"], parts, left, share)
                    self._check_size(self._most_body_bytes - left)
        except TimeoutError:
            raise Refused(408, "the request did not come in time", "too_slow") from None
        if unpacker is not None and not unpacker.complete:
            raise Refused(400, "the compressed body ends too early", "invalid_request")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _check_size(self, size_bytes: int) -> None:
        """Whether a body may be so large.

        Raises:
            Refused: it may not.
        """
        if size_bytes > self._most_body_bytes:
            raise Refused(413, f"a request may have at most {self._most_body_bytes:,} bytes", "too_large")

    async def _healthz(self) -> tuple[int, bytes, bytes]:
        """Well while one of the workers answers: the others are started again, and calls meanwhile go to this one."""
        others = self._board.others()
        running = 1 + sum(state is not State.ABSENT for state in others)
        return 200, b"text/plain", b"ok\n" if running > len(others) else b"ok, %d of %d\n" % (running, len(others) + 1)

    async def _readyz(self) -> tuple[int, bytes, bytes]:
        """Ready only if no worker that runs would refuse a call: nobody knows which of them gets it."""
        readiness = self._parts.readiness
        states = {readiness.state, *self._board.others()}
        if State.DRAINING in states:
            return 503, b"text/plain", b"draining\n"
        if State.NOT_RECORDING in states:
            return (
                503,
                b"text/plain",
                (readiness.unready or "the journal cannot be written").encode() + b"\n",
            )
        if State.TROUBLED in states:
            return 503, b"text/plain", (readiness.unready or "trouble; the log says which").encode() + b"\n"
        return 200, b"text/plain", b"ready\n"

    async def _metrics(self) -> tuple[int, bytes, bytes]:
        self._parts.update_gauges(self._pipeline.in_force.upstreams)
        return 200, b"text/plain; version=0.0.4; charset=utf-8", self._parts.metrics.text()


def _unpacker(headers: dict[bytes, bytes]) -> Unpacker | None:
    coding = headers.get(b"content-encoding")
    if coding is None or (coding := coding.strip().lower()) in {b"", b"identity"}:
        return None
    if coding not in CODINGS:
        raise Refused(
            415,
            "a request may be compressed with gzip, deflate or zstd; send it so, or uncompressed",
            "invalid_request",
        )
    return Unpacker(coding)


async def _unpack(unpacker: Unpacker, data: bytes, parts: list[bytes], left: int, share: BodyShare) -> int:
    """Adds to `parts` what the data unpacks to, until more than `left` bytes have come; returns how many are left.

    Raises:
        Refused: it is broken, or there is no room for it.
    """
    try:
        for piece in unpacker.pieces(data):
            parts.append(piece)
            left -= len(piece)
            if left < 0:
                break
            share.take(len(piece))
            if len(piece) == PIECE_BYTES:
                await asyncio.sleep(0)  # unpacking takes time: others' calls go on
    except BadCodingError:
        raise Refused(400, "the body is not packed as its content-encoding says", "invalid_request") from None
    return left


def _log_bug(error: Exception) -> None:
    """It costs its own call. Its message might quote a request."""
    log("bug", error=type(error).__name__, place=failure_place(error))
