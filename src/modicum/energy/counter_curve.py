"""An energy counter over time: how many joules between two moments, by interpolation between readings.

Readings come in one by one, live as from a log, so that both say the same. What is `settled` no later reading changes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

from modicum.energy.samples import GpuReading

STILL_SECONDS = 3.0
"""A counter that did not move for so long stands still: these refresh every 20 to 100 ms while a GPU draws power."""
MOST_SILENT_S = 120.0
"""Between readings farther apart than this nothing is interpolated. dcgm-exporter refreshes every 30 s by default."""


class Gap(msgspec.Struct, frozen=True):
    """A stretch of time in which a counter says nothing that can be used."""

    start: float
    end: float
    reason: str


class CounterCurve:
    """One GPU's joules over time. Where it has no counter, power is summed up instead, which is less sure."""

    def __init__(self, readings: Sequence[GpuReading] = (), gpu: str = "") -> None:
        """`readings` of one GPU, in order of time; more can be added."""
        self.gpu = readings[0].gpu if readings else gpu
        self.gaps: list[Gap] = []
        self.counted: bool | None = None
        """Whether joules come from an energy counter; None: no reading yet."""
        self._times: list[float] = []
        self._joules: list[float] = []
        self._before: GpuReading | None = None
        self._moved_at = 0.0
        for reading in readings:
            self.add(reading)

    def add(self, reading: GpuReading) -> None:
        """The next reading. The first one says whether there is a counter; one without the counter is no reading."""
        if self.counted is None:
            self.counted = reading.energy_joules is not None
        if self.counted and reading.energy_joules is None:
            return
        total, before = 0.0, self._before
        if before is None:
            self._moved_at = reading.at
        else:
            if reading.at <= before.at:
                self.gaps.append(Gap(reading.at, before.at, "the clock went back"))
                return
            total = self._joules[-1] + self._step(before, reading)
            self._note_standstill(reading, moved=total > self._joules[-1])
        self._times.append(reading.at)
        self._joules.append(total)
        self._before = reading

    def _step(self, before: GpuReading, after: GpuReading) -> float:
        if after.at - before.at > MOST_SILENT_S:
            self.gaps.append(Gap(before.at, after.at, f"{self.gpu} had no reading for {MOST_SILENT_S:g} s or more"))
        if self.counted:
            assert before.energy_joules is not None  # noqa: S101 - `counted` says so
            assert after.energy_joules is not None  # noqa: S101 - `counted` says so
            change = after.energy_joules - before.energy_joules
            if change < 0:
                self.gaps.append(Gap(before.at, after.at, f"the energy counter of {self.gpu} was reset"))
                return 0.0
            return change
        if before.power_watts is None or after.power_watts is None:
            self.gaps.append(Gap(before.at, after.at, f"{self.gpu} reported no power"))
            return 0.0
        return (before.power_watts + after.power_watts) / 2 * (after.at - before.at)

    def _note_standstill(self, reading: GpuReading, *, moved: bool) -> None:
        if moved:
            self._moved_at = reading.at
        elif reading.at - self._moved_at >= STILL_SECONDS:
            if not reading.power_watts:
                # No power and no energy agree with each other.
                self._moved_at = reading.at
                return
            gap = Gap(self._moved_at, reading.at, f"the energy counter of {self.gpu} did not change")
            if self.gaps and self.gaps[-1].start == gap.start and self.gaps[-1].reason == gap.reason:
                self.gaps.pop()
            self.gaps.append(gap)

    def settled(self, until: float, now: float) -> bool:
        """Whether what is known of the time before `until` stays so, whatever is read after `now`."""
        if self._before is None:
            return False
        if now - self._before.at > MOST_SILENT_S and until > self._before.at:
            return True
        return until <= self._moved_at or any(gap.start < until <= gap.end for gap in self.gaps)

    def forget(self, before: float) -> None:
        """Drops what is only needed for the time before that."""
        first = max(0, bisect_right(self._times, before) - 1)
        del self._times[:first], self._joules[:first]
        self.gaps = [gap for gap in self.gaps if gap.end > before]

    @property
    def start(self) -> float | None:
        return self._times[0] if self._times else None

    @property
    def end(self) -> float | None:
        return self._times[-1] if self._times else None

    def joules_at(self, at: float) -> float | None:
        """Joules since the first reading; None outside of the readings."""
        if not self._times or not self._times[0] <= at <= self._times[-1]:
            return None
        after = bisect_left(self._times, at)
        if self._times[after] == at:
            return self._joules[after]
        left, right = self._times[after - 1], self._times[after]
        low, high = self._joules[after - 1], self._joules[after]
        return low + (high - low) * (at - left) / (right - left)

    def joules_between(self, start: float, end: float) -> float | None:
        """Energy between two times; None where the readings do not cover the time, or a gap lies in it."""
        first, last = self.joules_at(start), self.joules_at(end)
        if first is None or last is None or self.gap_in(start, end) is not None:
            return None
        return last - first

    def gap_in(self, start: float, end: float) -> Gap | None:
        return next((gap for gap in self.gaps if gap.start < end and start < gap.end), None)
