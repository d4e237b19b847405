"""A long time of measuring in stretches that one law can hold for: one regime each, a week or two at most.

A fit over everything would mix models, power limits and restarts. A fit over too little cannot tell idle time from
steps: a week has nights and weekends in it.
"""

from collections.abc import Callable, Sequence

import msgspec

from modicum.energy.energy_split import Split, fit_split
from modicum.energy.window_cutter import Interval, cut_windows

STRETCH_S = 7 * 24 * 3600.0


class RegimeSpan(msgspec.Struct, frozen=True):
    intervals: tuple[Interval, ...]
    law: Split | None
    """None: too few windows for a fit."""

    @property
    def start(self) -> float:
        return self.intervals[0].start

    @property
    def end(self) -> float:
        return self.intervals[-1].end

    @property
    def seconds(self) -> float:
        """How long was measured in this span, gaps not counted."""
        return sum(interval.seconds for interval in self.intervals)

    @property
    def regime(self) -> str:
        return self.intervals[0].regime


def cut_by_regime(
    intervals: Sequence[Interval], cut: Callable[[Sequence[Interval]], Sequence[Interval]] = cut_windows
) -> list[RegimeSpan]:
    """`intervals` in order of time, of one set of GPUs and servers. `cut` makes the windows that are fitted.

    A regime that comes back (a power limit set and taken off) goes on where it was.
    """
    regimes: dict[str, list[Interval]] = {}
    for interval in intervals:
        regimes.setdefault(interval.regime, []).append(interval)
    return [
        RegimeSpan(tuple(part), fit_split(part, cut(part)))
        for found in regimes.values()
        for part in _cut(found)
        if part
    ]


def _cut(intervals: Sequence[Interval]) -> list[list[Interval]]:
    """Equal lengths of time, each of a week or more."""
    start, whole = intervals[0].start, intervals[-1].end - intervals[0].start
    count = max(1, int(whole / STRETCH_S))
    parts: list[list[Interval]] = [[] for _ in range(count)]
    for interval in intervals:
        parts[min(count - 1, int((interval.start - start) / whole * count))].append(interval)
    return parts
