"""SharedCounters with reservations, behind one interface: all lines of a reservation, or none.

A counter is a name. What it counts is the business of whoever names it; amounts are whole numbers, so that sums are
exact. Counters that slide forget what is older than their length. Budgets and rate limits use the same ones.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
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


class ReserveResult(NamedTuple):
    admitted: bool
    levels: Sequence[Level]
    """How the counters stand, without what this call reserves or had reserved."""


class StateAway(Exception):  # noqa: N818 - a state of things, and no fault of the call's
    """The counters cannot be reached: nobody knows how they stand."""


class SharedRecords(Protocol):
    """Texts by name that several hosts hand to each other. None is ever changed or taken back."""

    async def exchange(self, kind: str, records: Mapping[str, str]) -> Mapping[str, str]:
        """Adds those that are not there yet; returns those of others.

        Raises:
            StateAway: they cannot be reached.
        """


class SharedValues(Protocol):
    """Short values by name that several processes change, each from what it is."""

    async def change(self, name: str, change: Callable[[bytes, float], bytes], kept_s: float) -> bytes:
        """Changes a value, and returns it.

        Args:
            name: of the value.
            change: gives the new value of the present one (empty: there is none) and of a clock in seconds that
                all have. May be called several times.
            kept_s: how long it is kept after that.

        Raises:
            StateAway: it cannot be reached.
        """


class SharedCounters(SharedValues, Protocol):
    """Any but `settle`, `release` and `add` may raise StateAway: what these do meanwhile is made good later."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes reserve there too."""

    @property
    def generation(self) -> str:
        """Changes when all counters were lost: reservations that calls under way hold are then made again."""

    async def back(self) -> bool:
        """After StateAway: waits a moment for what may come back at once. Whether another try is worth it."""

    async def report_reserved_again(self) -> None:
        """After all counters were lost: this process has reserved again what its calls hold."""

    async def report_loaded(self) -> None:
        """After all counters were lost: this process has added what it knows to have been spent before."""

    async def all_reserved_again(self) -> None:
        """Returns when everybody has reserved again who shared the counters that were lost and shows a sign of life."""

    async def all_loaded(self) -> None:
        """Returns when everybody of these has added what was spent before."""

    async def levels(self, lines: Sequence[Line]) -> Sequence[Level]:
        """How the counters of some lines stand now."""

    async def reserve(self, call: str, lines: Sequence[Line]) -> ReserveResult:
        """Reserves all lines for a call, or none where one of them goes above its limit. A call that has a reservation
        already has it exchanged for this one.
        """

    async def settle(self, call: str, amounts: Sequence[int], *, wants_levels: bool = True) -> Sequence[Level]:
        """Turns a call's reservation into what it has cost, line by line; how the counters stand then, or nothing if
        they cannot be reached. Settled twice is settled once.

        Args:
            call: that has the reservation.
            amounts: what each of its lines has cost.
            wants_levels: False: it is not waited for either, and done before whatever this process asks next.
        """

    async def release(self, call: str) -> None:
        """Gives a call's reservation back: it has cost nothing."""

    async def add(self, line: Line, age_s: float = 0.0) -> None:
        """Counts what was spent without a reservation, so many seconds ago."""

    async def add_once(self, name: str, spent: Sequence[tuple[Line, float]]) -> None:
        """Counts what was spent so many seconds ago, unless something was counted under this name already:
        that is remembered as long as the lines are kept.
        """

    async def count_since(self, names: Sequence[str]) -> Sequence[datetime]:
        """From when on everybody counts what goes by each name; for a new one that is now. A name that is left out is
        given up, and counts anew when it comes again.
        """

    async def close(self) -> None:
        """Ends what runs in the background."""
