"""SharedCounters of one process. Everything happens at once between two steps of its event loop, so nothing can race.

Nothing here depends on the wall clock, which may be set while we run.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import inf
from time import monotonic

from modicum.state.counters import Level, Line, ReserveResult

SLOTS = 60
"""Into how many parts a sliding counter divides its length. A part is forgotten as a whole, when its newest is old
enough: so it never counts too little."""
SWEEP_EVERY = 4_096
"""Reservations."""


class MemoryCounters:
    """`SharedCounters` in memory.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._reserved: dict[str, list[tuple[_Count, int]]] = {}
        self._reservations = 0
        self._added: dict[str, float] = {}
        """Under which names something was counted, and until when that is of interest."""
        self._since: dict[str, datetime] = {}
        self._values: dict[str, bytes] = {}

    @property
    def is_shared(self) -> bool:
        return False

    @property
    def generation(self) -> str:
        return ""

    async def back(self) -> bool:
        return False  # it is never away

    async def report_reserved_again(self) -> None:
        """Nothing was lost."""

    async def report_loaded(self) -> None:
        """Nobody waits for it."""

    async def all_reserved_again(self) -> None:
        """Always."""

    async def all_loaded(self) -> None:
        """Always."""

    async def levels(self, lines: Sequence[Line]) -> Sequence[Level]:
        now_s = self._clock()
        return [self._level(line, now_s) for line in lines]

    async def reserve(self, call: str, lines: Sequence[Line]) -> ReserveResult:
        now_s = self._clock()
        former = self._reserved.get(call, ())
        for count, amount in former:
            count.reserved -= amount
        held: list[tuple[_Count, int]] = []
        levels: list[Level] = []
        admitted = True
        for counter, amount, limit, slides_s, kept_s in lines:
            count = self._counts.get(counter) or self._new_count(counter, slides_s, kept_s)
            count.used_s = now_s
            if count.frees_at_s <= now_s:
                count.forget(now_s)
            spent, reserved, frees_at_s = count.spent, count.reserved, count.frees_at_s
            levels.append(Level(spent, reserved, None if frees_at_s == inf else frees_at_s - now_s))
            held.append((count, amount))
            if limit is not None and spent + reserved + amount > limit:
                admitted = False
        if not admitted:
            for count, amount in former:
                count.reserved += amount
            return ReserveResult(admitted=False, levels=levels)
        for count, amount in held:
            count.reserved += amount
        self._reserved[call] = held
        self._reservations += 1
        if self._reservations % SWEEP_EVERY == 0:
            self._sweep(now_s)
        return ReserveResult(admitted=True, levels=levels)

    async def settle(self, call: str, amounts: Sequence[int], *, wants_levels: bool = True) -> Sequence[Level]:
        held = self._reserved.pop(call, None)
        if held is None:
            return ()
        now_s, levels = self._clock(), []
        for (count, reserved), amount in zip(held, amounts, strict=True):
            count.reserved -= reserved
            count.add(amount, now_s)
            if count.frees_at_s <= now_s:
                count.forget(now_s)
            if wants_levels:
                levels.append(Level(count.spent, count.reserved, count.frees_in_s(now_s)))
        return levels

    async def release(self, call: str) -> None:
        for count, reserved in self._reserved.pop(call, ()):
            count.reserved -= reserved

    async def add(self, line: Line, age_s: float = 0.0) -> None:
        now_s = self._clock()
        count = self._count(line, now_s)
        count.add(line.amount, now_s - age_s)
        count.forget(now_s)

    async def add_once(self, name: str, spent: Sequence[tuple[Line, float]]) -> None:
        if name not in self._added:
            self._added[name] = self._clock() + max((line.kept_s for line, _ in spent), default=inf)
            for line, age_s in spent:
                await self.add(line, age_s)

    async def count_since(self, names: Sequence[str]) -> Sequence[datetime]:
        now = datetime.now(UTC)
        self._since = {name: self._since.get(name, now) for name in names}
        return [self._since[name] for name in names]

    async def change(self, name: str, change: Callable[[bytes, float], bytes], kept_s: float) -> bytes:  # noqa: ARG002
        """Names are those of upstreams: they are few, and kept."""
        value = self._values[name] = change(self._values.get(name, b""), self._clock())
        return value

    async def close(self) -> None:
        """Nothing runs."""

    def __len__(self) -> int:
        """How many counters are held."""
        return len(self._counts)

    def _count(self, line: Line, now_s: float) -> "_Count":
        count = self._counts.get(line.counter) or self._new_count(line.counter, line.slides_s, line.kept_s)
        count.used_s = now_s
        count.forget(now_s)
        return count

    def _new_count(self, counter: str, slides_s: float, kept_s: float) -> "_Count":
        count = self._counts[counter] = _Count(slides_s, kept_s)
        return count

    def _level(self, line: Line, now_s: float) -> Level:
        count = self._counts.get(line.counter)
        if count is None:
            return Level(0, 0)
        count.forget(now_s)
        return Level(count.spent, count.reserved, count.frees_in_s(now_s))

    def _sweep(self, now_s: float) -> None:
        """Forgets counters that nobody will use again."""
        self._added = {name: until_s for name, until_s in self._added.items() if now_s <= until_s}
        self._counts = {
            name: count
            for name, count in self._counts.items()
            if count.reserved or now_s - count.used_s <= count.kept_s
        }


class _Count:
    __slots__ = ("_ages", "_slot_s", "frees_at_s", "kept_s", "reserved", "spent", "used_s")

    def __init__(self, slides_s: float, kept_s: float) -> None:
        self.spent = self.reserved = 0
        self.used_s = 0.0
        self.kept_s = kept_s
        self.frees_at_s = inf
        """When its oldest slot is forgotten; infinite: never, or nothing was spent."""
        self._slot_s = slides_s / SLOTS
        self._ages: deque[list[float]] | None = deque() if slides_s else None
        """By slot: its number, and what was spent in it; the oldest first."""

    def add(self, amount: int, at_s: float) -> None:
        self.spent += amount
        ages = self._ages
        if ages is None:
            return
        number = at_s // self._slot_s
        if ages:
            newest = ages[-1]
            if newest[0] == number:  # as nearly always
                newest[1] += amount
                return
        for slot in reversed(ages):
            if slot[0] == number:
                slot[1] += amount
                return
            if slot[0] < number:
                break
        ages.append([number, amount])
        if len(ages) > 1 and ages[-2][0] > number:
            self._ages = ages = deque(sorted(ages))
        self.frees_at_s = self._oldest_frees_at_s(ages)

    def forget(self, now_s: float) -> None:
        """What is older than the counter's length."""
        ages = self._ages
        if ages is None or self.frees_at_s > now_s:
            return
        while ages and self.frees_at_s <= now_s:
            self.spent -= int(ages.popleft()[1])
            self.frees_at_s = self._oldest_frees_at_s(ages)

    def frees_in_s(self, now_s: float) -> float | None:
        return None if self.frees_at_s == inf else self.frees_at_s - now_s

    def _oldest_frees_at_s(self, ages: deque[list[float]]) -> float:
        return (ages[0][0] + 1 + SLOTS) * self._slot_s if ages else inf
