"""SharedCounters of several processes or hosts, in a Redis or Valkey server.

The server is no place of record: after each of its starts, and whenever its data is gone, counting begins anew (a new
*generation*) from ledger, journals and the calls under way. So it may forget, lose a second, or be another one.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import ceil, isinf
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.state.counters import Level, Line, ReserveResult, StateAway
from modicum.state.redis_link import RedisLink
from modicum.state.redis_scripts import ADD, BEAT, LEVELS, OPEN, RESERVE, SETTLE, SINCE

GRACE_S = 5.0
"""How long every process has to reserve again what its calls hold, before anybody counts on it."""
BEAT_EVERY_S = 0.5
LEASE_S = 15.0
"""How long what a process holds is reserved without a sign of it; then it counts as spent, until somebody knows."""
KEPT_S = 6 * 3600.0
"""The least time that a counter is kept: longer than a call lasts."""
ADDED_KEPT_S = 24 * 3600.0
MOST_AMOUNT, MOST_UNLIMITED = 2 * 10**18, 10**16
"""Sums are whole numbers of 64 bits. A call above the first fits into no limit; without one, more is not counted."""
MOST_OWED = 100_000

_pack = msgspec.msgpack.Encoder().encode


class RedisCounters:
    """Args:
    url: of the server.
    process: the name of this process, the same in its next life.
    prefix: how our keys there begin.
    grace_s: see `GRACE_S`, which it is where nothing is said.
    """

    def __init__(self, url: str, process: str, prefix: str = "modicum", grace_s: float | None = None) -> None:
        self._process, self._life = f"{process}/", f"{process}/{secrets.token_hex(6)}"
        self._marker = f"{{{prefix}}}"
        self._grace_s = GRACE_S if grace_s is None else grace_s
        self._link = RedisLink(url, self._opened)
        self._generation = ""
        self._ready_at_s = 0.0
        self._since: dict[str, bytes] = {}
        self._owed: list[tuple[str, tuple[Any, ...]]] = []
        self._beating: asyncio.Task[None] | None = None
        self.when_lost: Callable[[], Awaitable[None]] | None = None
        """Has reservations of calls under way made again, in a new generation."""
        self.log: Callable[[str], None] = lambda problem: None  # noqa: ARG005 - what a log would write

    @property
    def generation(self) -> str:
        return self._generation

    async def start(self) -> None:
        """Connects, and keeps the connection up from then on. If the server is away, that is tried again.

        Raises:
            UserError: it is there, and it cannot be used.
        """
        with suppress(StateAway):
            await self._link.open()
        self._beating = asyncio.ensure_future(self._beat())

    async def ready(self) -> None:
        await asyncio.sleep(max(self._ready_at_s - asyncio.get_running_loop().time(), 0))

    async def levels(self, lines: Sequence[Line]) -> Sequence[Level]:
        return _levels(await self._run(LEVELS, _packed(lines)))

    async def reserve(self, call: str, lines: Sequence[Line]) -> ReserveResult:
        admitted, levels = await self._run(RESERVE, self._life, call, _packed(lines))
        return ReserveResult(bool(admitted), _levels(levels))

    async def settle(self, call: str, amounts: Sequence[int]) -> Sequence[Level]:
        answer = await self._run_surely(SETTLE, self._life, call, _pack([f"{_bounded(one)}" for one in amounts]))
        return _levels(answer or ())

    async def release(self, call: str) -> None:
        await self._run_surely(SETTLE, self._life, call, _pack([]))

    async def add(self, line: Line, age_s: float = 0.0) -> None:
        name = secrets.token_hex(8)
        await self._run_surely(ADD, name, _packed([line]), _pack([ceil(age_s * 1000)]), int(ADDED_KEPT_S * 1000))

    async def add_once(self, name: str, spent: Sequence[tuple[Line, float]]) -> None:
        lines, ages = _packed([line for line, _ in spent]), _pack([int(age_s * 1000) for _, age_s in spent])
        await self._run(ADD, _digest(name), lines, ages, -1)

    async def count_since(self, names: Sequence[str]) -> Sequence[datetime]:
        kept = {_digest(name) for name in names}
        gone = [[name, since.decode()] for name, since in self._since.items() if name not in kept]
        since = await self._run(SINCE, _pack([_digest(name) for name in names]), _pack(gone))
        self._since = {_digest(name): at for name, at in zip(names, since, strict=True)}
        return [datetime.fromtimestamp(int(at) / 1000, UTC) for at in since]

    async def close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        await self._link.close()

    async def _run(self, script: str, *arguments: Any) -> Any:
        return await self._link.run(script, self._marker, self._generation, *arguments)

    async def _run_surely(self, script: str, *arguments: Any) -> Any:
        """Now, or when the server is back. Scripts that are run this way may be run twice."""
        try:
            return await self._run(script, *arguments)
        except StateAway:
            if len(self._owed) < MOST_OWED:
                self._owed.append((script, arguments))
            return None

    async def _opened(self, link: RedisLink, run: str) -> None:
        fresh = secrets.token_hex(8)
        generation, ready_ms = await link.run_at_once(
            OPEN, self._marker, run, fresh, int(self._grace_s * 1000), self._process, self._life
        )
        if generation.decode() != self._generation:
            self._generation, self._since = generation.decode(), {}
            self._owed.clear()  # what is owed has ended before, so ledger or journal have it
        self._ready_at_s = asyncio.get_running_loop().time() + ready_ms / 1000

    async def _beat(self) -> None:
        former = self._generation
        while True:
            try:
                if not self._link.is_open:
                    await self._link.open()
                if self._generation != former and self.when_lost is not None:
                    await self.when_lost()
                former = self._generation
                await self._run(BEAT, self._life, int(LEASE_S * 1000))
                await self._pay()
            except StateAway:
                pass
            except UserError as error:
                self.log(str(error))
            await asyncio.sleep(BEAT_EVERY_S)

    async def _pay(self) -> None:
        while self._owed:
            script, arguments = self._owed[0]
            await self._run(script, *arguments)
            self._owed.pop(0)


def _digest(name: str) -> str:
    """Names hold owners and tasks, and may be long: the server needs neither."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _packed(lines: Sequence[Line]) -> bytes:
    return _pack(
        [
            (
                _digest(line.counter),
                f"{_bounded(line.amount, line.limit)}",
                "" if line.limit is None else f"{line.limit}",
                int(line.slides_s * 1000),
                -1 if isinf(line.kept_s) else int(max(line.kept_s, KEPT_S) * 1000),
            )
            for line in lines
        ]
    )


def _bounded(amount: int, limit: int | None = None) -> int:
    return max(min(amount, MOST_UNLIMITED if limit is None else MOST_AMOUNT), -MOST_UNLIMITED)


def _levels(flat: Sequence[Any]) -> list[Level]:
    return [
        Level(int(flat[at]), int(flat[at + 1]), None if flat[at + 2] < 0 else flat[at + 2] / 1000)
        for at in range(0, len(flat), 3)
    ]
