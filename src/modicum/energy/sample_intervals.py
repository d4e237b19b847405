"""From raw samples to intervals: what was drawn and served between two samples.

Energy is interpolated to the moments at which the servers' counters were read. An interval that a reset, restart,
standstill, change of model or clock jump touches is left out and told as a problem; nothing is filled in. Samples come
in one by one, and an interval comes out as soon as no later sample can change it: live and replayed are the same.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from modicum.calls.energy_window import name_regime
from modicum.calls.problem import Problem
from modicum.energy.counter_curve import CounterCurve
from modicum.energy.samples import Sample, ServerReading
from modicum.energy.window_cutter import Interval

WALL_DRIFT_S = 1.0
"""The wall clock jumped if it moved by so much more or less than the monotonic one."""


class MeasuredIntervals(msgspec.Struct, frozen=True):
    """All usable intervals of a recording, with what was left out."""

    intervals: tuple[Interval, ...]
    problems: tuple[Problem, ...]
    energy_counted: bool
    """False: at least one GPU has no energy counter, and power was summed up instead."""

    @property
    def seconds(self) -> float:
        return sum(interval.seconds for interval in self.intervals)


class _SamplePair(msgspec.Struct, frozen=True):
    """Two samples, one after the other, and what was known when the second one came."""

    number: int
    before: Sample
    after: Sample
    regime: str
    wall_offset: float


class _ExcludedTime(msgspec.Struct):
    """Intervals next to each other that were left out for the same reason."""

    first: int
    last: int
    reason: str

    def __str__(self) -> str:
        many = self.last - self.first
        return f"between samples {self.first} and {self.last}: {self.reason}; " + (
            f"{many:,} intervals left out" if many > 1 else "left out"
        )


class IntervalBuilder:
    """Takes samples in order of time and gives intervals.

    A *regime* is all that the energy of a step depends on beside the load: which models the servers have loaded, since
    when they run, and the GPUs' power limits (`calls.energy_window.regime_of`).

    Args:
        source: is named in problems.
        gpus: whose energy is summed up. Time in which one of them said nothing is not measured.
    """

    def __init__(self, source: str, gpus: Sequence[str]) -> None:
        self._source = source
        self._curves = {gpu: CounterCurve(gpu=gpu) for gpu in gpus}
        self._limits: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._generated: dict[str, float] = {}
        self._waiting: deque[_SamplePair] = deque()
        self._last: Sample | None = None
        self._number = 0
        self._wall_offset = 0.0
        self._holes: list[_ExcludedTime] = []
        self._jumps: list[str] = []

    def add(self, sample: Sample) -> list[Interval]:
        """Intervals that are settled by now, in order of time."""
        for reading in sample.gpus:
            if reading.gpu in self._curves:
                self._curves[reading.gpu].add(reading)
            if reading.power_limit_watts is not None:
                self._limits[reading.gpu] = reading.power_limit_watts
        self._note_resets(sample)
        self._number += 1
        if self._last is None:
            self._wall_offset = sample.wall - sample.at
        else:
            regime, offset = self._regime(sample), self._wall_offset
            self._waiting.append(_SamplePair(self._number - 1, self._last, sample, regime, offset))
            drift = sample.wall - sample.at - offset
            if abs(drift) > WALL_DRIFT_S:
                self._jumps.append(
                    f"the wall clock jumped by {drift:+.1f} s after sample {self._number - 1}; no figure depends on it"
                )
                self._wall_offset = sample.wall - sample.at
        self._last = sample
        return list(self._settled(sample.at))

    def finish(self) -> list[Interval]:
        """What was waiting for another energy reading, as far as it can be used without."""
        found: list[Interval] = []
        while self._waiting:
            pair = self._waiting.popleft()
            interval = self._interval(pair, reports_gap=bool(self._waiting))
            if interval is not None:
                found.append(interval)
        return found

    @property
    def problems(self) -> tuple[Problem, ...]:
        messages = [*map(str, self._holes), *self._jumps]
        return tuple(Problem(self._source, text) for text in messages)

    @property
    def energy_counted(self) -> bool:
        return all(curve.counted is not False for curve in self._curves.values())

    def _settled(self, now: float) -> Iterator[Interval]:
        while self._waiting:
            pair = self._waiting[0]
            until = max((reading.at for reading in pair.after.servers), default=pair.after.at)
            if not all(curve.settled(until, now) for curve in self._curves.values()):
                return
            self._waiting.popleft()
            interval = self._interval(pair)
            for curve in self._curves.values():
                curve.forget(min(pair.before.at, pair.after.at))
            if interval is not None:
                yield interval

    def _interval(self, pair: _SamplePair, *, reports_gap: bool = True) -> Interval | None:
        """`reports_gap`: False for the very last moments, which always lie beyond the last energy reading."""
        curves = list(self._curves.values())
        try:
            found = _measure_interval(pair, curves)
        except ValueError as reason:
            self._left_out(pair.number, str(reason))
            return None
        if found is None and reports_gap:
            silent = [curve.gpu for curve in curves if curve.end is None or curve.end < pair.after.at]
            self._left_out(pair.number, f"no energy reading{' of ' if silent else ''}{', '.join(silent)}")
        return found

    def _left_out(self, number: int, reason: str) -> None:
        last = self._holes[-1] if self._holes else None
        if last is not None and last.last == number and last.reason == reason:
            last.last = number + 1
        else:
            self._holes.append(_ExcludedTime(number, number + 1, reason))

    def _regime(self, sample: Sample) -> str:
        servers = sorted(sample.servers, key=lambda reading: reading.server)
        limits = [watts for _, watts in sorted(self._limits.items())]
        started = [self._started.get(one.server) if one.started is None else one.started for one in servers]
        return name_regime([(one.model, at) for one, at in zip(servers, started, strict=True)], limits)

    def _note_resets(self, sample: Sample) -> None:
        """A server that does not say when it started is seen to have done so when its counters begin again."""
        for reading in sample.servers:
            if reading.generated_tokens is None:
                continue
            if reading.generated_tokens < self._generated.get(reading.server, 0.0):
                self._started[reading.server] = sample.wall
            self._generated[reading.server] = reading.generated_tokens


def measure_intervals(samples: Sequence[Sample], source: str, gpus: Sequence[str] = ()) -> MeasuredIntervals:
    """Intervals between consecutive samples, all at once. Without `gpus`: all that are in the samples."""
    measuring = IntervalBuilder(source, gpus or list_gpus(samples))
    found = [interval for sample in samples for interval in measuring.add(sample)] + measuring.finish()
    return MeasuredIntervals(tuple(found), measuring.problems, measuring.energy_counted)


def list_gpus(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(sorted({reading.gpu for sample in samples for reading in sample.gpus}))


def _measure_interval(pair: _SamplePair, curves: Sequence[CounterCurve]) -> Interval | None:
    """What was drawn and served between two samples; None where an energy reading is still to come.

    Raises:
        ValueError: the interval cannot be used; the message says why.
    """
    pairs = _pair_readings(pair.before, pair.after)
    start = sum(first.at for first, _ in pairs) / len(pairs)
    end = sum(last.at for _, last in pairs) / len(pairs)
    if end <= start:
        raise ValueError("the clock went back")
    for curve in curves:
        gap = curve.gap_in(start, end)
        if gap is not None:
            raise ValueError(gap.reason)
    if not curves:
        raise ValueError("no GPU answered")
    joules = [curve.joules_between(start, end) for curve in curves]
    if any(part is None for part in joules):
        return None
    seconds = end - start
    running = [((first.running or 0) + (last.running or 0)) / 2 for first, last in pairs]
    produced = sum(_measure_growth(first, last, "generated_tokens") for first, last in pairs)
    # The gauge is a snapshot; half an interval is busy if only one of its ends is, all of it if tokens came anyway.
    ends = [any(first.running or 0 for first, _ in pairs), any(last.running or 0 for _, last in pairs)]
    busy = 1.0 if all(ends) else 0.5 if any(ends) or produced else 0.0
    return Interval(
        start=start,
        end=end,
        joules=sum(part for part in joules if part is not None),
        generated_tokens=produced,
        prompt_tokens=sum(_measure_growth(first, last, "prompt_tokens") for first, last in pairs),
        cached_tokens=_measure_optional_growth(pairs, "cached_tokens"),
        steps=_measure_optional_growth(pairs, "steps"),
        drafted_tokens=_measure_optional_growth(pairs, "drafted_tokens"),
        first_tokens=_measure_optional_growth(pairs, "first_tokens"),
        running_seconds=sum(running) * seconds,
        busy_seconds=busy * seconds,
        waiting=sum(last.waiting or 0 for _, last in pairs),
        slowed_by=_list_slowed(pair.before, pair.after),
        regime=pair.regime,
        wall_offset=pair.wall_offset,
    )


def _list_slowed(*samples: Sample) -> tuple[str, ...]:
    return tuple(sorted({word for sample in samples for gpu in sample.gpus for word in gpu.slowed_by}))


def _pair_readings(before: Sample, after: Sample) -> list[tuple[ServerReading, ServerReading]]:
    later = {reading.server: reading for reading in after.servers}
    if not before.servers or {reading.server for reading in before.servers} != set(later):
        raise ValueError("a server did not answer")
    pairs = [(first, later[first.server]) for first in before.servers]
    for first, last in pairs:
        if first.started is not None and last.started is not None and first.started != last.started:
            raise ValueError(f"{first.server} was restarted")
        if first.model != last.model:
            raise ValueError(f"{first.server} changed its model from '{first.model}' to '{last.model}'")
    return pairs


def _measure_growth(first: ServerReading, last: ServerReading, counter: str) -> float:
    before, after = getattr(first, counter), getattr(last, counter)
    if before is None or after is None:
        raise ValueError(f"{first.server} does not count {counter.replace('_', ' ')}")
    if after < before:
        raise ValueError(f"{first.server}: the counter of {counter.replace('_', ' ')} was reset (a restart)")
    return float(after - before)


def _measure_optional_growth(pairs: Sequence[tuple[ServerReading, ServerReading]], counter: str) -> float | None:
    """The growth over all servers, or None where one of them does not count it."""
    if any(getattr(reading, counter) is None for pair in pairs for reading in pair):
        return None
    return sum(_measure_growth(first, last, counter) for first, last in pairs)
