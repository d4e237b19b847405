"""The door for WebSockets: who may open one, and one turn after another.

Each turn goes the way of every call: checked, reserved, recorded, sent over HTTP, metered. So what holds for calls
holds here, and a model that is served by another API can be asked, too. A socket that says nothing is closed.
"""

import asyncio
from collections.abc import Mapping

from modicum.calls.containment import contain, failure_place
from modicum.gateway.callers.owners import Caller
from modicum.gateway.exchange import Request
from modicum.gateway.http.client import Client, Receive, Send
from modicum.gateway.http.paths import Served
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.parts import Parts
from modicum.gateway.pipeline import Pipeline
from modicum.gateway.process.log import log
from modicum.gateway.websocket.turns import Chain, TurnReply, read_turn
from modicum.outbound.keepalive import Header
from modicum.providers.body_parsing import encode
from modicum.providers.facts import DialectError

IDLE_S = 900.0
"""How long a socket may be open without a turn."""
MOST_WAITING = 8
"""Messages that wait while a turn runs."""
GOING_AWAY, TOO_MUCH = 1001, 1008


class OpenedBy:
    """Who opened a socket, and what every turn on it has in common."""

    __slots__ = ("caller", "headers", "passing", "path", "query", "served")

    def __init__(
        self,
        served: Served,
        path: str,
        query: bytes,
        caller: Caller,
        headers: Mapping[bytes, bytes],
        passing: list[Header],
    ) -> None:
        self.served, self.path, self.query, self.caller = served, path, query, caller
        self.headers, self.passing = headers, passing

    def request(self, body: bytes) -> Request:
        """A turn as a request."""
        return Request(self.served, self.path, self.query, self.caller, self.headers, self.passing, body)


class WebSocketDoor:
    """Serves sockets that were let in.

    Args:
        slow_s: how long a caller may stop reading.
    """

    def __init__(self, pipeline: Pipeline, parts: Parts, slow_s: float) -> None:
        self._pipeline, self._parts, self._slow_s = pipeline, parts, slow_s
        self.idle_s = IDLE_S

    async def serve(self, opened: OpenedBy, receive: Receive, send: Send) -> None:
        """One socket, from its first message to its end."""
        await send({"type": "websocket.accept"})
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        running: list[TurnReply] = []
        reading = asyncio.create_task(_read(receive, waiting, running))
        chain: Chain | None = None
        try:
            while True:
                async with asyncio.timeout(self.idle_s):
                    message = await waiting.get()
                if message is None:
                    return
                chain = await self._turn(opened, message, chain, send, running)
        except TimeoutError:
            await send({"type": "websocket.close", "code": GOING_AWAY, "reason": "idle"})
        except ClientGone:
            return
        finally:
            reading.cancel()

    async def _turn(
        self, opened: OpenedBy, message: bytes, chain: Chain | None, send: Send, running: list[TurnReply]
    ) -> Chain | None:
        """One turn; returns what the next one may go on from."""

        async def send_text(data: bytes) -> None:
            await send({"type": "websocket.send", "text": data.decode("utf-8", "replace")})

        try:
            turn = read_turn(message, chain)
        except DialectError as refusal:
            self._parts.refusals.add(refusal.kind, opened.caller.owner)
            await send_text(_error(refusal.status, refusal.message, refusal.kind))
            return chain
        reply = TurnReply(send_text)
        running.append(reply)
        client = Client(reply.receive, reply.send, self._slow_s)
        try:
            with self._parts.bodies.share() as share, contain(_log_bug, but=(ClientGone, Refused)):
                share.take(len(turn.body))
                await self._pipeline.run(opened.request(turn.body), client)
        except Refused as refusal:
            await send_text(_error(refusal.status, refusal.message, refusal.kind))
        finally:
            running.clear()
            reply.leave()
        return reply.chain(turn.items)


async def _read(receive: Receive, waiting: "asyncio.Queue[bytes | None]", running: list[TurnReply]) -> None:
    """Takes messages in while a turn runs; when the caller leaves, the turn is told."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            for reply in running:
                reply.leave()
            await waiting.put(None)
            return
        data = message.get("text")
        await waiting.put(message.get("bytes") or b"" if data is None else data.encode("utf-8", "replace"))


def _error(status: int, message: str, kind: str) -> bytes:
    error = {"type": "invalid_request_error", "code": kind, "message": message, "param": None}
    return encode({"type": "error", "status": status, "error": error})


def _log_bug(error: Exception) -> None:
    log("bug", error=type(error).__name__, place=failure_place(error))
