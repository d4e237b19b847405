"""A call that is sent a second time while the first is waited for: whichever answers first is its reply.

Both go to the same upstream with the same bytes, so either may stand for the call. That there were two is on record
before the second is sent, and both are reserved; the one that was given up costs what nobody will ever tell.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from modicum.gateway.exchange import Exchange
from modicum.outbound.keepalive import Answer

FINE = 400
"""Below it, a status is an answer; what refuses is an answer only if nothing else comes."""


class SendOnce(Protocol):
    """Sends a call, and returns when the head of its reply is there."""

    def __call__(self, *, sent: Callable[[Answer], None]) -> Coroutine[Any, Any, Answer]: ...


class Hedge:
    """The second try of one call.

    Args:
        after_s: how long the first is waited for.
        begin: puts the first on record and reserves what the second may cost. False: there is no second.
    """

    def __init__(self, after_s: float, begin: Callable[[Exchange], Awaitable[bool]]) -> None:
        self._after_s, self._begin = after_s, begin
        self._answers: list[Answer] = []

    async def send(self, exchange: Exchange, send_once: SendOnce) -> None:
        """Sends a call; `exchange.answer` is the reply then.

        Raises:
            Unreachable, Refused: as whoever sends, of the one that came last.
        """

        def sent(answer: Answer) -> None:
            self._answers.append(answer)
            exchange.sent(answer)

        tries = [asyncio.ensure_future(send_once(sent=sent))]
        try:
            await asyncio.wait(tries, timeout=self._after_s)
            if not tries[0].done() and not exchange.client_gone and await self._begin(exchange):
                tries.append(asyncio.ensure_future(send_once(sent=sent)))
            exchange.answer = await _first_fine(tries)
        finally:
            self._give_up_others(exchange, tries)

    def _give_up_others(self, exchange: Exchange, tries: Sequence["asyncio.Future[Answer]"]) -> None:
        for one in tries:
            if not one.done():
                one.cancel()
            elif not one.cancelled():
                one.exception()  # asked for, so that nobody complains that it was not
        for answer in self._answers:
            if exchange.client_gone or answer is not exchange.answer:
                answer.close()


async def _first_fine(tries: Sequence["asyncio.Future[Answer]"]) -> Answer:
    """The first answer that is no refusal, or else the last of all."""
    waiting = set(tries)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ends = sorted(done, key=lambda one: one.exception() is not None or one.result().status >= FINE)
        best = ends[0]
        if not waiting or (best.exception() is None and best.result().status < FINE):
            return best.result()
