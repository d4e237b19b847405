"""A ping's way through the gateway: that of a call, without the rules and features of calls, and with nobody at its
other end.
"""

import asyncio

from modicum.calls import Call
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.http.client import Client, Message
from modicum.gateway.http.refusal import Refused
from modicum.gateway.pipeline import Pipeline

SLOW_S = 60.0


class PingClient(Client):
    """The end of a call that no program waits for."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        super().__init__(_never, _nowhere, SLOW_S)
        self.last: Exchange | None = None

    def watch(self, exchange: Exchange) -> None:
        """Nobody can leave."""
        self.exchange = self.last = exchange


async def send_ping(pipeline: Pipeline, request: Request) -> Call | None:
    """Sends it like a call of its key, which may have been revoked since. Its record; None: it was refused."""
    try:
        caller = pipeline.identify(request.headers, request.query)
    except Refused:
        return None
    client = PingClient()
    again = Request(request.served, request.path, request.query, caller, request.headers, request.passing, request.body)
    await pipeline.run_plain(again, client)
    exchange = client.last
    if exchange is None or exchange.answer is None or exchange.answer.status != 200:
        return None
    return exchange.finished


async def _never() -> Message:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody ends it")


async def _nowhere(message: Message) -> None:
    """What nobody reads."""
