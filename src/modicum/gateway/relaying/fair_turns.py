"""Streams that come faster than anybody reads text take turns, so that all other calls go on between them.

An event loop serves whatever is ready before it looks for what has come since. With a hundred streams that bring a
quarter of a megabyte each, looking through these takes a fifth of a second, and a call needs about ten such rounds.
"""

import asyncio
from collections import deque

LONG_BYTES = 16 * 1024
"""Shorter pieces need no turn: a model does not write so much between two looks."""
ROUND_BYTES = 64 * 1024
"""Of long pieces in one round of the loop, which takes half a millisecond. The piece that goes beyond is the last."""


class FairTurns:
    """Used from one event loop."""

    def __init__(self) -> None:
        self._left_bytes = ROUND_BYTES
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._is_renewed_soon = False

    async def wait(self, size_bytes: int) -> None:
        """Returns when a piece of that size may be looked at."""
        if size_bytes < LONG_BYTES:
            return
        loop = asyncio.get_running_loop()
        if not self._is_renewed_soon:
            self._is_renewed_soon = True
            loop.call_soon(self._renew)
        if self._left_bytes > 0 and not self._waiting:
            self._left_bytes -= size_bytes
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append((size_bytes, turn))
        await turn

    def _renew(self) -> None:
        """A new round: those go on that have waited longest."""
        self._left_bytes, self._is_renewed_soon = ROUND_BYTES, False
        while self._waiting and self._left_bytes > 0:
            size_bytes, turn = self._waiting.popleft()
            if not turn.done():  # who left meanwhile takes none
                self._left_bytes -= size_bytes
                turn.set_result(None)
        if self._waiting or self._left_bytes < ROUND_BYTES:
            self._is_renewed_soon = True
            asyncio.get_running_loop().call_soon(self._renew)
