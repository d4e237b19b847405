"""Calls that wait for room within their limits: first come, first served, and none for longer than it may."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

LOOK_EVERY_S = 0.25
"""Others may count on the same limit, in processes that cannot wake us."""


class QueueTurn:
    """A place in a queue."""

    def __init__(self, queue: "deque[QueueTurn]") -> None:
        self._queue = queue
        self._loop = asyncio.get_running_loop()
        self._until_s = self._loop.time()
        self.woken = asyncio.Event()

    def until_in(self, seconds: float) -> None:
        """Waits no longer than that from now."""
        self._until_s = self._loop.time() + seconds

    async def comes(self, frees_in_s: float | None) -> bool:
        """Returns when it is worth a try: it is the first, and something was freed, or is about to be. False: it has
        waited long enough.
        """
        while (left_s := self._until_s - self._loop.time()) > 0:
            is_first = self._queue[0] is self
            soon_s = LOOK_EVERY_S if frees_in_s is None else max(min(frees_in_s, LOOK_EVERY_S), 0.01)
            try:
                async with asyncio.timeout(min(left_s, soon_s if is_first else left_s)):
                    await self.woken.wait()
            except TimeoutError:
                pass
            self.woken.clear()
            if self._queue[0] is self and self._until_s > self._loop.time():
                return True
        return False


class LimitQueues:
    """The queues of one gateway process, by counter."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[QueueTurn]] = {}

    @property
    def any_waits(self) -> bool:
        """Whether anybody waits at all."""
        return bool(self._queues)

    def length(self, counter: str) -> int:
        queue = self._queues.get(counter)
        return 0 if queue is None else len(queue)

    @asynccontextmanager
    async def place(self, counter: str) -> AsyncIterator[QueueTurn]:
        """A place at the end, for as long as the block runs."""
        queue = self._queues.setdefault(counter, deque())
        turn = QueueTurn(queue)
        queue.append(turn)
        try:
            yield turn
        finally:
            queue.remove(turn)
            if queue:
                queue[0].woken.set()
            else:
                del self._queues[counter]

    def wake(self, counters: Iterable[str]) -> None:
        """Something of these is free again."""
        for counter in counters:
            if queue := self._queues.get(counter):
                queue[0].woken.set()
