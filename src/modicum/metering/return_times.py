"""How long after a reply the next call of its conversation comes, as counts: whether a ping is worth its price."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple, Self

SHORT_S, LONG_S = 270, 3570
EDGES_S = (300, *range(2 * SHORT_S, 16 * SHORT_S, SHORT_S), *range(2 * LONG_S, 13 * LONG_S, LONG_S))
"""Upper ends of the classes of time: the moments at which a cache of five minutes, or of an hour, needs a ping."""


class ReturnTimes(NamedTuple):
    """Replies, by the time until the next call of their conversation."""

    counts: tuple[float, ...]
    """By the classes of `EDGES_S`."""
    never: float
    """Replies after which none came, or later than all classes."""

    @classmethod
    def of_gaps(cls, gaps_s: Iterable[float]) -> Self:
        """From seconds between a reply and the next call; infinite: none came."""
        counts = [0.0] * (len(EDGES_S) + 1)
        for gap in gaps_s:
            counts[bisect_left(EDGES_S, gap)] += 1
        return cls(tuple(counts[:-1]), counts[-1])

    @property
    def replies(self) -> float:
        return sum(self.counts) + self.never

    def __add__(self, other: object) -> "ReturnTimes":
        if not isinstance(other, ReturnTimes):
            return NotImplemented
        counts = tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        return ReturnTimes(counts, self.never + other.never)

    def scaled(self, replies: float) -> "ReturnTimes":
        """The same shares, of so many replies."""
        factor = replies / self.replies if self.replies else 0.0
        return ReturnTimes(tuple(count * factor for count in self.counts), self.never * factor)

    def within(self, seconds: float) -> float:
        """Replies after which the next call came in that time, by classes that end in it."""
        place = bisect_left(EDGES_S, seconds + 1e-6)
        return list(accumulate(self.counts, initial=0.0))[place]


CODING_AGENTS = ReturnTimes(
    (5135, 82, 30, 18, 10, 9, 3, 2, 2, 4, 7, 2, 2, 2, 2, 2, 6, 1, 0, 1, 0, 0, 1, 0, 0, 1),
    81,
)
"""After replies to main agents in transcripts of four people who work with Claude Code (January and February 2026):
what is expected of an owner of whom nothing was seen yet."""
