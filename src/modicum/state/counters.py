"""SharedCounters with reservations, behind one interface: all lines of a reservation, or none.

A counter is a name. What it counts is the business of whoever names it; amounts are whole numbers, so that sums are
exact. SharedCounters that slide forget what is older than their length.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Line(NamedTuple):
    """What is reserved on one counter."""

    counter: str
    amount: int
    limit: int | None
    """What spent and reserved may be together, this amount included; None: it is reserved whatever they are."""
    slides_s: float = 0.0
    """How long the counter remembers; 0: it does not slide."""
    kept_s: float = float("inf")
    """How long the counter is kept after it was last used."""


class Level(NamedTuple):
    """How a counter stands."""

    spent: int
    reserved: int
    frees_in_s: float | None = None
    """When a part of what was spent is forgotten; None: never, or nothing was."""


class SharedCounters(Protocol):
    async def levels(self, lines: Sequence[Line]) -> list[Level]:
        """How the counters of some lines stand now."""

    async def reserve(self, call: str, lines: Sequence[Line]) -> bool:
        """Reserves all lines for a call, or none: False where one of them goes above its limit. A call that has a
        reservation already has it exchanged for this one.
        """

    async def settle(self, call: str, amounts: Sequence[int]) -> None:
        """Turns a call's reservation into what it has cost, line by line. Settled twice is settled once."""

    async def release(self, call: str) -> None:
        """Gives a call's reservation back: it has cost nothing."""

    async def add(self, line: Line, age_s: float = 0.0) -> None:
        """Counts what was spent without a reservation, so many seconds ago."""
