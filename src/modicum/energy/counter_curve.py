"""An energy counter over time: how many joules between two moments, by interpolation between readings."""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from modicum.energy.samples import GpuReading

STILL_SECONDS = 3.0
"""A counter that did not move for so long stands still: these refresh every 20 to 100 ms while a GPU draws power."""


class Gap(msgspec.Struct, frozen=True):
    """A stretch of time in which a counter says nothing that can be used."""

    start: float
    end: float
    reason: str


class CounterCurve:
    """One GPU's joules over time. Where it has no counter, power is summed up instead, which is less sure."""

    def __init__(self, readings: Sequence[GpuReading]) -> None:
        """`readings` of one GPU, in order of time."""
        self.gpu = readings[0].gpu if readings else ""
        self.gaps: list[Gap] = []
        self.counted = all(reading.energy_joules is not None for reading in readings)
        self._times: list[float] = []
        self._joules: list[float] = []
        total, before = 0.0, None
        for reading in readings:
            if before is not None:
                if reading.at <= before.at:
                    self.gaps.append(Gap(reading.at, before.at, "the clock went back"))
                    continue
                total += self._step(before, reading)
            self._times.append(reading.at)
            self._joules.append(total)
            before = reading
        self._find_standstill(readings)

    def _step(self, before: GpuReading, after: GpuReading) -> float:
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

    def _find_standstill(self, readings: Sequence[GpuReading]) -> None:
        start = 0
        for index in range(1, len(self._joules)):
            if self._joules[index] > self._joules[start]:
                start = index
            elif self._times[index] - self._times[start] >= STILL_SECONDS and any(
                reading.power_watts for reading in readings
            ):
                gap = Gap(self._times[start], self._times[index], f"the energy counter of {self.gpu} stood still")
                if self.gaps and self.gaps[-1].start == gap.start:
                    self.gaps.pop()
                self.gaps.append(gap)

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
        after = bisect_right(self._times, at)
        if after == len(self._times):
            return self._joules[-1]
        left, right = self._times[after - 1], self._times[after]
        low, high = self._joules[after - 1], self._joules[after]
        return low + (high - low) * (at - left) / (right - left)

    def joules_between(self, start: float, end: float) -> float | None:
        """None where the readings do not cover the time, or a gap lies in it."""
        first, last = self.joules_at(start), self.joules_at(end)
        if first is None or last is None or self.gap_in(start, end) is not None:
            return None
        return last - first

    def gap_in(self, start: float, end: float) -> Gap | None:
        return next((gap for gap in self.gaps if gap.start < end and start < gap.end), None)
