"""From intervals between samples to windows of some seconds: joules, steps and tokens that belong together.

Windows are 5 s or longer with jittered ends, so that no rhythm of the load or of the driver's sampling is in step with
them. A window ends where work begins or ends, at a hole, and where the regime changes.
"""

import random
from collections.abc import Iterable, Sequence

import msgspec

LEAST_WINDOW_S = 5.0
JITTER = 0.5
"""A window is up to this part longer than the least."""


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
    drafted_tokens: float | None = None
    """Tokens that speculative decoding proposed; None: there is none, or the server does not count it."""
    first_tokens: float | None = None
    """Requests whose first token came; None: the server does not count them."""
    slowed_by: tuple[str, ...] = ()
    regime: str = ""
    """What the energy of a step depends on and was the same all the time: see `Measuring`."""
    wall_offset: float = 0.0
    """What to add to `start` for seconds since 1970."""

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


def join_intervals(parts: Sequence[Interval]) -> Interval:
    """Neighbouring intervals as one."""
    return Interval(
        start=parts[0].start,
        end=parts[-1].end,
        joules=sum(part.joules for part in parts),
        generated_tokens=sum(part.generated_tokens for part in parts),
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        cached_tokens=_sum_known([part.cached_tokens for part in parts]),
        steps=_sum_known([part.steps for part in parts]),
        drafted_tokens=_sum_known([part.drafted_tokens for part in parts]),
        first_tokens=_sum_known([part.first_tokens for part in parts]),
        running_seconds=sum(part.running_seconds for part in parts),
        busy_seconds=sum(part.busy_seconds for part in parts),
        waiting=parts[-1].waiting,
        slowed_by=tuple(sorted({word for part in parts for word in part.slowed_by})),
        regime=parts[0].regime,
        wall_offset=parts[0].wall_offset,
    )


def _sum_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


class WindowCutter:
    """Cuts intervals into windows as they come. The jitter follows from the first interval's start, so that a replay
    cuts the same windows.
    """

    def __init__(self, least_s: float = LEAST_WINDOW_S) -> None:
        self._least_s = least_s
        self._jitter: random.Random | None = None
        self._parts: list[Interval] = []
        self._seconds = self._goal = 0.0

    def add(self, interval: Interval) -> list[Interval]:
        """The windows that this interval closes. What is left before a hole or a pause is shorter than the least."""
        if self._jitter is None:
            self._jitter = random.Random(interval.start)  # noqa: S311 - spreads window ends, keeps no secret
            self._set_goal()
        closed = self.finish() if self._parts and _is_gap(self._parts[-1], interval) else []
        self._parts.append(interval)
        self._seconds += interval.seconds
        if self._seconds >= self._goal:
            closed += self.finish()
            self._set_goal()
        return closed

    def finish(self) -> list[Interval]:
        """The window under way, as long as it is."""
        found = [join_intervals(self._parts)] if self._parts else []
        self._parts, self._seconds = [], 0.0
        return found

    def _set_goal(self) -> None:
        assert self._jitter is not None  # noqa: S101 - the first interval sets it
        self._goal = self._least_s * (1 + JITTER * self._jitter.random())


def _is_gap(before: Interval, after: Interval) -> bool:
    return (
        abs(after.start - before.end) > 1e-6
        or after.quiet != before.quiet
        or after.regime != before.regime
        or after.wall_offset != before.wall_offset
    )


def cut_windows(
    intervals: Iterable[Interval], least_s: float = LEAST_WINDOW_S, *, keep_short: bool = False
) -> tuple[Interval, ...]:
    """All windows of a recording. Those shorter than `least_s` are left out of a fit (nothing is known so badly); a sum
    over all time needs them (`keep_short`).
    """
    cutter = WindowCutter(least_s)
    found = [window for interval in intervals for window in cutter.add(interval)] + cutter.finish()
    return tuple(window for window in found if keep_short or window.seconds >= least_s)


def shift_to_wall_time(intervals: Iterable[Interval]) -> list[Interval]:
    """The same intervals in seconds since 1970."""
    return [
        msgspec.structs.replace(one, start=one.start + one.wall_offset, end=one.end + one.wall_offset, wall_offset=0.0)
        for one in intervals
    ]
