"""From raw samples to windows of some seconds: joules, steps and tokens that belong together.

Energy is interpolated to the moments at which the servers' counters were read. Windows are 5 s or longer with jittered
ends, so that no rhythm of the load or of the driver's sampling is in step with them. An interval that a reset, restart,
standstill or clock jump touches is left out and told as a problem; nothing is filled in.
"""

import itertools
import random
from collections.abc import Iterable, Sequence

import msgspec

from modicum.calls.problem import Problem
from modicum.energy.counter_curve import CounterCurve
from modicum.energy.samples import GpuReading, Sample, ServerReading

LEAST_WINDOW_S = 5.0
JITTER = 0.5
"""A window is up to this part longer than the least."""
WALL_DRIFT_S = 1.0
"""The wall clock jumped if it moved by so much more or less than the monotonic one within one interval."""


class Interval(msgspec.Struct, frozen=True):
    """What happened between two samples, or in several of them put together. Sums over GPUs and servers."""

    start: float
    end: float
    joules: float
    generated_tokens: float
    prompt_tokens: float
    """All of them, cached ones included."""
    cached_tokens: float | None
    steps: float | None
    running_seconds: float
    """Integral of running requests over time."""
    busy_seconds: float
    """Time in which at least one request was running."""
    waiting: float
    """Requests in the queue at the end."""
    slowed_by: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def uncached_prompt_tokens(self) -> float:
        """Prompt tokens that had to be computed. A server that does not count cached ones counts computed ones."""
        return max(0.0, self.prompt_tokens - (self.cached_tokens or 0.0))

    @property
    def quiet(self) -> bool:
        """Nothing ran and nothing was produced."""
        return self.busy_seconds == 0 and self.generated_tokens == 0 and self.prompt_tokens == 0


class Measured(msgspec.Struct, frozen=True):
    """All usable intervals of a recording, with what was left out."""

    intervals: tuple[Interval, ...]
    problems: tuple[Problem, ...]
    energy_counted: bool
    """False: at least one GPU has no energy counter, and power was summed up instead."""

    @property
    def seconds(self) -> float:
        return sum(interval.seconds for interval in self.intervals)


def measure(samples: Sequence[Sample], source: str) -> Measured:
    """Intervals between consecutive samples. `source` is named in problems."""
    problems: list[Problem] = []
    gpus = sorted({reading.gpu for sample in samples for reading in sample.gpus})
    curves = [CounterCurve(_readings(samples, gpu)) for gpu in gpus]
    intervals = []
    for number, (before, after) in enumerate(itertools.pairwise(samples), 1):
        try:
            intervals.append(_interval(before, after, curves))
        except ValueError as reason:
            problems.append(Problem(source, f"between samples {number} and {number + 1}: {reason}; left out"))
        drift = (after.wall - before.wall) - (after.at - before.at)
        if abs(drift) > WALL_DRIFT_S:
            problems.append(
                Problem(source, f"the wall clock jumped by {drift:+.1f} s after sample {number}; figures do not use it")
            )
    usable = _drop_last_without_energy(intervals, problems, source)
    return Measured(tuple(usable), tuple(problems), all(curve.counted for curve in curves))


def _drop_last_without_energy(intervals: list[Interval | None], problems: list[Problem], source: str) -> list[Interval]:
    """The last moments lie beyond the last energy reading: they are dropped without a word, others with one."""
    kept = [interval for interval in intervals if interval is not None]
    missing = sum(1 for interval in intervals[:-1] if interval is None)
    if missing:
        problems.append(Problem(source, f"{missing} intervals lie outside of the energy readings; left out"))
    return kept


def _readings(samples: Iterable[Sample], gpu: str) -> list[GpuReading]:
    return [reading for sample in samples for reading in sample.gpus if reading.gpu == gpu]


def _interval(before: Sample, after: Sample, curves: Sequence[CounterCurve]) -> Interval | None:
    """Raises:
    ValueError: the interval cannot be used; the message says why.
    """
    pairs = _pairs(before, after)
    start = sum(first.at for first, _ in pairs) / len(pairs)
    end = sum(last.at for _, last in pairs) / len(pairs)
    if end <= start:
        raise ValueError("the clock went back")
    for curve in curves:
        gap = curve.gap_in(start, end)
        if gap is not None:
            raise ValueError(gap.reason)
    joules = [curve.joules_between(start, end) for curve in curves]
    if not joules:
        raise ValueError("no GPU answered")
    if any(part is None for part in joules):
        return None
    seconds = end - start
    running = [((first.running or 0) + (last.running or 0)) / 2 for first, last in pairs]
    produced = sum(_grown(first, last, "generated_tokens") for first, last in pairs)
    # The gauge is a snapshot; half an interval is busy if only one of its ends is, all of it if tokens came anyway.
    ends = [any(first.running or 0 for first, _ in pairs), any(last.running or 0 for _, last in pairs)]
    busy = 1.0 if all(ends) else 0.5 if any(ends) or produced else 0.0
    slowed = {word for sample in (before, after) for gpu in sample.gpus for word in gpu.slowed_by}
    return Interval(
        start=start,
        end=end,
        joules=sum(part for part in joules if part is not None),
        generated_tokens=produced,
        prompt_tokens=sum(_grown(first, last, "prompt_tokens") for first, last in pairs),
        cached_tokens=_optional(pairs, "cached_tokens"),
        steps=_optional(pairs, "steps"),
        running_seconds=sum(running) * seconds,
        busy_seconds=busy * seconds,
        waiting=sum(last.waiting or 0 for _, last in pairs),
        slowed_by=tuple(sorted(slowed)),
    )


def _pairs(before: Sample, after: Sample) -> list[tuple[ServerReading, ServerReading]]:
    later = {reading.server: reading for reading in after.servers}
    if not before.servers or {reading.server for reading in before.servers} != set(later):
        raise ValueError("a server did not answer")
    pairs = [(first, later[first.server]) for first in before.servers]
    for first, last in pairs:
        if first.started is not None and last.started is not None and first.started != last.started:
            raise ValueError(f"{first.server} was restarted")
    return pairs


def _grown(first: ServerReading, last: ServerReading, counter: str) -> float:
    before, after = getattr(first, counter), getattr(last, counter)
    if before is None or after is None:
        raise ValueError(f"{first.server} does not count {counter.replace('_', ' ')}")
    if after < before:
        raise ValueError(f"{first.server}: the counter of {counter.replace('_', ' ')} was reset (a restart)")
    return float(after - before)


def _optional(pairs: Sequence[tuple[ServerReading, ServerReading]], counter: str) -> float | None:
    """The growth over all servers, or None where one of them does not count it."""
    if any(getattr(reading, counter) is None for pair in pairs for reading in pair):
        return None
    return sum(_grown(first, last, counter) for first, last in pairs)


def join(parts: Sequence[Interval]) -> Interval:
    """Neighbouring intervals as one."""
    return Interval(
        start=parts[0].start,
        end=parts[-1].end,
        joules=sum(part.joules for part in parts),
        generated_tokens=sum(part.generated_tokens for part in parts),
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        cached_tokens=_added([part.cached_tokens for part in parts]),
        steps=_added([part.steps for part in parts]),
        running_seconds=sum(part.running_seconds for part in parts),
        busy_seconds=sum(part.busy_seconds for part in parts),
        waiting=parts[-1].waiting,
        slowed_by=tuple(sorted({word for part in parts for word in part.slowed_by})),
    )


def _added(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def windows(intervals: Sequence[Interval], least_s: float = LEAST_WINDOW_S) -> tuple[Interval, ...]:
    """Windows of at least `least_s` with jittered ends. The jitter follows from the first interval's start, so that a
    replay cuts the same windows.
    """
    if not intervals:
        return ()
    jitter = random.Random(intervals[0].start)  # noqa: S311 - spreads window ends, keeps no secret
    found: list[Interval] = []
    parts: list[Interval] = []
    goal = least_s * (1 + JITTER * jitter.random())
    for interval in intervals:
        if parts and (abs(interval.start - parts[-1].end) > 1e-6 or interval.quiet != parts[-1].quiet):
            # A hole, or work that begins or ends: what came before is a window of its own if it is long enough.
            if sum(part.seconds for part in parts) >= least_s:
                found.append(join(parts))
            parts = []
        parts.append(interval)
        if sum(part.seconds for part in parts) >= goal:
            found.append(join(parts))
            parts, goal = [], least_s * (1 + JITTER * jitter.random())
    if parts and sum(part.seconds for part in parts) >= least_s:
        found.append(join(parts))
    return tuple(found)
