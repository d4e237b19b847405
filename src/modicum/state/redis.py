"""SharedCounters of several processes or hosts, in a Redis or Valkey server.

The server is no place of record: after each of its starts, and whenever its data is gone, counting begins anew (a new
*generation*) from ledger, journals and the calls under way. So it may forget, lose a second, or be another one.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import ceil, inf, isinf
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.state.counters import Level, Line, ReserveResult, StateAway
from modicum.state.redis_link import RedisLink
from modicum.state.redis_scripts import ADD, AWAIT, BEAT, CHANGE, LEAVE, LEVELS, OPEN, RECORDS, RESERVE, SETTLE, SINCE

GRACE_S = 5.0
"""How long a server that has never counted, or lost all it knew, waits for processes that nobody can name."""
SHORTEST_WAIT_S = 1.0
"""The same where somebody can name them: for one that began just before. Longer than `BEAT_EVERY_S`."""
BEAT_EVERY_S = 0.5
LEASE_S = 15.0
"""How long what a process holds is reserved without a sign of it; then it counts as spent, until somebody knows. Where
all have to reserve again, it is waited for so long.
"""
LOOK_EVERY_S = 0.05
PATIENCE_S = 2.0
"""How long after a loss calls wait for the server before they are refused, or go on without it."""
TRY_AGAIN_S = 0.1
KEPT_S = 6 * 3600.0
"""The least time that a counter is kept: longer than a call lasts."""
ADDED_KEPT_S = 24 * 3600.0
MOST_AMOUNT, MOST_UNLIMITED = 2 * 10**18, 10**16
"""Sums are whole numbers of 64 bits. A call above the first fits into no limit; without one, more is not counted."""
MOST_OWED = 100_000
MOST_AT_ONCE = 200
WAITS, LOADS = "waits", "loads"
"""What others wait for in a new generation: reservations made again; what ledgers know."""

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
        self._peers: list[str] = []
        """Lives of processes that count in this generation too."""
        self._reached: dict[str, asyncio.Future[None]] = {}
        self._handed: dict[str, set[str]] = {}
        """By kind, the records that are there."""
        self._values: dict[str, _Value] = {}
        self._ahead_s: float | None = None
        """How far the server's clock is ahead of ours; None: it was not asked yet."""
        self._lost_s = self._tried_s = 0.0
        self._wake = asyncio.Event()
        self._since: dict[str, bytes] = {}
        self._owed: list[tuple[str, tuple[Any, ...]]] = []
        self._beating: asyncio.Task[None] | None = None
        self.when_lost: Callable[[], Awaitable[None]] | None = None
        """Has reservations of calls under way made again, in a new generation."""
        self.log: Callable[[str], None] = lambda problem: None  # noqa: ARG005 - what a log would write

    @property
    def is_shared(self) -> bool:
        return True

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

    async def back(self) -> bool:
        now = asyncio.get_running_loop().time
        until = self._lost_s + PATIENCE_S
        while not self._link.is_open and now() < until:
            if now() > self._tried_s + TRY_AGAIN_S:
                self._wake.set()
            await asyncio.sleep(LOOK_EVERY_S)
        return self._link.is_open

    async def report_reserved_again(self) -> None:
        await self._run(AWAIT, self._life, WAITS, WAITS)

    async def report_loaded(self) -> None:
        await self._run(AWAIT, self._life, LOADS, LOADS)

    async def all_reserved_again(self) -> None:
        await self._wait_for(WAITS)

    async def all_loaded(self) -> None:
        await self._wait_for(LOADS)

    async def levels(self, lines: Sequence[Line]) -> Sequence[Level]:
        return _levels(await self._run(LEVELS, _packed(lines)))

    async def reserve(self, call: str, lines: Sequence[Line]) -> ReserveResult:
        admitted, _, levels = (await self._run(RESERVE, self._life, call, _packed(lines))).partition(b" ")
        return ReserveResult(admitted == b"1", _levels(levels))

    async def settle(self, call: str, amounts: Sequence[int], *, wants_levels: bool = True) -> Sequence[Level]:
        arguments = self._life, call, _pack([f"{_bounded(one)}" for one in amounts])
        if wants_levels:
            return _levels(await self._run_surely(SETTLE, *arguments) or b"")
        self._run_unawaited(SETTLE, *arguments)
        return ()

    async def release(self, call: str) -> None:
        await self._run_surely(SETTLE, self._life, call, _pack([]))

    async def add(self, line: Line, age_s: float = 0.0) -> None:
        name = secrets.token_hex(8)
        await self._run_surely(ADD, name, _packed([line]), _pack([ceil(age_s * 1000)]), int(ADDED_KEPT_S * 1000))

    async def add_once(self, name: str, spent: Sequence[tuple[Line, float]]) -> None:
        lines, ages = _packed([line for line, _ in spent]), _pack([int(age_s * 1000) for _, age_s in spent])
        kept_ms = _kept_ms(max((line.kept_s for line, _ in spent), default=inf))
        await self._run(ADD, _digest(name), lines, ages, kept_ms)

    async def count_since(self, names: Sequence[str]) -> Sequence[datetime]:
        kept = {_digest(name) for name in names}
        gone = [[name, since.decode()] for name, since in self._since.items() if name not in kept]
        since = await self._run(SINCE, _pack([_digest(name) for name in names]), _pack(gone))
        self._since = {_digest(name): at for name, at in zip(names, since, strict=True)}
        return [datetime.fromtimestamp(int(at) / 1000, UTC) for at in since]

    async def exchange(self, kind: str, records: Mapping[str, str]) -> Mapping[str, str]:
        """`SharedRecords`. They do not go with the counters, and are handed on again where the server has lost them."""
        handed = self._handed.setdefault(kind, set())
        lacking = [text for name, body in records.items() if name not in handed for text in (name, body)]
        for at in range(0, len(lacking), MOST_AT_ONCE):
            await self._link.run(RECORDS, self._marker, kind, _pack(lacking[at : at + MOST_AT_ONCE]), len(handed))
        handed.update(records)
        is_new = not handed <= records.keys()  # its caller could not use what it was given: all is given again
        _, flat = await self._link.run(RECORDS, self._marker, kind, _pack([]), -1 if is_new else len(handed))
        if not flat:
            return {}
        there = {flat[at].decode("utf-8", "replace"): flat[at + 1] for at in range(0, len(flat), 2)}
        self._handed[kind] = set(there)
        return {name: body.decode("utf-8", "replace") for name, body in there.items() if name not in records}

    async def change(self, name: str, change: Callable[[bytes, float], bytes], kept_s: float) -> bytes:
        """`SharedValues`. What this process saw last is mostly what there is: then it takes one question. A value goes
        with the server's data, and begins anew.
        """
        own = self._values.setdefault(name, _Value())
        clock, key = asyncio.get_running_loop().time, _digest(name)
        async with own.lock:  # of those that would ask for the same one, all but the first would ask in vain
            while True:
                now_s = None if self._ahead_s is None else clock() + self._ahead_s
                former = own.seen
                value = former if now_s is None else change(former, now_s)
                done, own.seen, at_ms = await self._link.run(
                    CHANGE, self._marker, key, former, value, max(int(kept_s * 1000), 1)
                )
                self._ahead_s = int(at_ms) / 1000 - clock()
                if done and now_s is not None:
                    return value

    async def close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        with suppress(StateAway):
            await self._pay()
            await self._run(LEAVE, self._life)
        await self._link.close()

    async def _run(self, script: str, *arguments: Any) -> Any:
        was_open = self._link.is_open
        try:
            return await self._link.run(script, self._marker, self._generation, *arguments)
        except StateAway:
            self._note_loss(was_open=was_open)
            raise

    async def _run_surely(self, script: str, *arguments: Any) -> Any:
        """Now, or when the server is back. Scripts that are run this way may be run twice."""
        try:
            return await self._run(script, *arguments)
        except StateAway:
            self._owe(script, arguments)
            return None

    def _run_unawaited(self, script: str, *arguments: Any) -> None:
        """As `_run_surely`: it goes in one write with what is asked next, and is done before that is answered."""
        was_open = self._link.is_open

        def check(answer: "asyncio.Future[Any]") -> None:
            if not answer.cancelled() and answer.exception() is not None:
                self._note_loss(was_open=was_open)
                self._owe(script, arguments)

        try:
            self._link.ask(script, self._marker, self._generation, *arguments).add_done_callback(check)
        except StateAway:
            self._owe(script, arguments)

    def _owe(self, script: str, arguments: tuple[Any, ...]) -> None:
        if len(self._owed) < MOST_OWED:
            self._owed.append((script, arguments))

    def _note_loss(self, *, was_open: bool) -> None:
        if was_open and not self._link.is_open:
            self._lost_s = asyncio.get_running_loop().time()

    async def _opened(self, link: RedisLink, run: str) -> None:
        waits_ms = [int(seconds * 1000) for seconds in (self._grace_s, LEASE_S, SHORTEST_WAIT_S)]
        generation = await link.run_at_once(
            OPEN,
            self._marker,
            run,
            secrets.token_hex(8),
            waits_ms[0],
            self._process,
            self._life,
            self._generation,
            _pack(self._peers),
            *waits_ms[1:],
        )
        if generation.decode() != self._generation:
            self._generation, self._since, self._reached = generation.decode(), {}, {}
            self._handed.clear()
            self._owed.clear()  # what is owed has ended before, so ledger or journal have it

    async def _beat(self) -> None:
        former = self._generation
        while True:
            self._wake.clear()
            self._tried_s, was_open = asyncio.get_running_loop().time(), self._link.is_open
            try:
                if not self._link.is_open:
                    await self._link.open()
                if self._generation != former and self.when_lost is not None:
                    await self.when_lost()
                former = self._generation
                self._peers = [life.decode() for life in await self._run(BEAT, self._life, int(LEASE_S * 1000))]
                await self._pay()
            except StateAway:
                if was_open:  # lost just now: it may be there again
                    continue
            except UserError as error:
                self.log(str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), BEAT_EVERY_S)

    async def _wait_for(self, what: str) -> None:
        """One asks for all that wait."""
        waiting = self._reached.get(what)
        if waiting is None or (waiting.done() and waiting.exception() is not None):
            waiting = self._reached[what] = asyncio.ensure_future(self._poll(what))
        await asyncio.shield(waiting)

    async def _poll(self, what: str) -> None:
        while True:
            left_ms, processes = await self._run(AWAIT, self._life, "", what)
            if not left_ms and not processes:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _pay(self) -> None:
        while self._owed:
            script, arguments = self._owed[0]
            await self._run(script, *arguments)
            self._owed.pop(0)


class _Value:
    """What this process saw last of a value that several share."""

    __slots__ = ("lock", "seen")

    def __init__(self) -> None:
        self.lock, self.seen = asyncio.Lock(), b""


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
                _kept_ms(line.kept_s),
            )
            for line in lines
        ]
    )


def _kept_ms(kept_s: float) -> int:
    return -1 if isinf(kept_s) else int(max(kept_s, KEPT_S) * 1000)


def _bounded(amount: int, limit: int | None = None) -> int:
    return max(min(amount, MOST_UNLIMITED if limit is None else MOST_AMOUNT), -MOST_UNLIMITED)


def _levels(text: bytes) -> list[Level]:
    flat = list(map(int, text.split()))
    return [
        Level(spent, reserved, None if frees_ms < 0 else frees_ms / 1000)
        for spent, reserved, frees_ms in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    ]
