"""The trade between speed and energy: one point per concurrency, and three of them that people ask for.

"Tokens per second" is two things. One user's stream is fastest at the smallest batch; the server's sum is largest at
the biggest. Three times the speed for each user costs a multiple of the energy per token; three times the sum saves
energy. Both speeds are therefore always shown.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from modicum.energy.bench import BenchPoint


class CurvePoint(msgspec.Struct, frozen=True):
    """All repeats at one concurrency, medians; `spread` is the relative standard deviation of joules per token."""

    concurrency: int
    repeats: int
    time_between_tokens_s: float
    time_to_first_token_s: float
    tokens_per_second: float
    tokens_per_second_each: float
    joules_per_generated_token: float | None
    tokens_per_watt: float | None
    mean_watts: float | None
    spread: float | None
    """None with fewer than two repeats."""


class CurveChoices(msgspec.Struct, frozen=True):
    fastest: CurvePoint
    """Shortest time between tokens: best for each user."""
    most_tokens_per_watt: CurvePoint | None
    """None: no energy was measured."""
    cheapest_within: CurvePoint | None
    """Most tokens per second, so least hire per token, among points within the limit; None: no point is."""
    within_s: float | None


def make_curve(points: Sequence[BenchPoint]) -> tuple[CurvePoint, ...]:
    return tuple(
        _merge_repeats([point for point in points if point.concurrency == concurrency])
        for concurrency in sorted({point.concurrency for point in points})
    )


def _merge_repeats(points: Sequence[BenchPoint]) -> CurvePoint:
    joules = [p.joules_per_generated_token for p in points if p.joules_per_generated_token is not None]
    watts = [p.mean_watts for p in points if p.mean_watts is not None]
    energy = float(np.median(joules)) if joules else None
    return CurvePoint(
        concurrency=points[0].concurrency,
        repeats=len(points),
        time_between_tokens_s=float(np.median([p.time_between_tokens_s[0] for p in points])),
        time_to_first_token_s=float(np.median([p.time_to_first_token_s[0] for p in points])),
        tokens_per_second=float(np.median([p.tokens_per_second for p in points])),
        tokens_per_second_each=float(np.median([p.tokens_per_second_each for p in points])),
        joules_per_generated_token=energy,
        tokens_per_watt=1 / energy if energy else None,
        mean_watts=float(np.median(watts)) if watts else None,
        spread=float(np.std(joules, ddof=1) / np.mean(joules)) if len(joules) > 1 else None,
    )


def choose_points(points: Sequence[CurvePoint], within_s: float | None) -> CurveChoices:
    """`points` is not empty."""
    measured = [point for point in points if point.tokens_per_watt is not None]
    inside = [point for point in points if within_s is not None and point.time_between_tokens_s <= within_s]
    return CurveChoices(
        fastest=min(points, key=lambda point: point.time_between_tokens_s),
        most_tokens_per_watt=max(measured, key=lambda point: point.tokens_per_watt or 0, default=None),
        cheapest_within=max(inside, key=lambda point: point.tokens_per_second, default=None),
        within_s=within_s,
    )


class SpeedPrice(msgspec.Struct, frozen=True):
    """What more speed costs in energy per token: two points of one load, one some times as fast as the other."""

    faster: CurvePoint
    slower: CurvePoint
    speed_ratio: float
    energy_ratio: float
    """Joules per token of the faster one over the slower one."""


class SpeedPrices(msgspec.Struct, frozen=True):
    """`Three times the speed` has two meanings, and they cost opposite things."""

    each: SpeedPrice | None
    """Each user's stream is faster (a smaller batch). None: no two points are so far apart."""
    together: SpeedPrice | None
    """All streams together are faster (a larger batch)."""


def price_speed(points: Sequence[CurvePoint], times: float = 3.0) -> SpeedPrices:
    """The pairs whose speeds are nearest to `times` apart, within a tenth; of those, the one that costs the most."""
    measured = [point for point in points if point.joules_per_generated_token]
    return SpeedPrices(
        _find_pair(measured, times, lambda point: point.tokens_per_second_each),
        _find_pair(measured, times, lambda point: point.tokens_per_second),
    )


def _find_pair(points: Sequence[CurvePoint], times: float, speed: Callable[[CurvePoint], float]) -> SpeedPrice | None:
    pairs = [
        SpeedPrice(
            faster,
            slower,
            speed(faster) / speed(slower),
            (faster.joules_per_generated_token or 0.0) / (slower.joules_per_generated_token or 1.0),
        )
        for faster in points
        for slower in points
        if speed(slower) > 0 and 0.9 <= speed(faster) / speed(slower) / times <= 1.1
    ]
    return max(pairs, key=lambda pair: pair.energy_ratio, default=None)


def count_users(points: Sequence[CurvePoint], within_s: float, gpus: int) -> float | None:
    """Streams at once per GPU with at most `within_s` between tokens; None: not even the least loaded point is so fast,
    or no GPU is known.
    """
    inside = [point.concurrency for point in points if point.time_between_tokens_s <= within_s]
    return max(inside) / gpus if inside and gpus else None
