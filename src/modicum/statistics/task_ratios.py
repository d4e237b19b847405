"""How many times as much: ratios of what the same tasks took under two conditions, with intervals over tasks.

Two ratios answer two questions. The geometric mean of each task's own ratio says what happens to a typical task, and no
large task rules it. The ratio of the sums says what happens to the bill. Tasks (or groups of them) are drawn again by
lot, never single runs: ten runs of one task are one observation of what tasks are like.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modicum.statistics.ratios import t_quantile

Floats = NDArray[np.float64]

DRAWS = 100_000
MOST_PLACES = 5_000_000
ENOUGH_GROUPS = 2


@dataclass(frozen=True)
class TaskRatio:
    """A ratio with two intervals: that of the bootstrap, and a wider one for verdicts.

    Ends are None where no interval can be given; `no_interval` then says why.
    """

    tasks_count: int
    value: float | None
    low: float | None = None
    high: float | None = None
    sure_low: float | None = None
    """The lower of the bootstrap's end and of Student's t: with few tasks the bootstrap alone is too narrow."""
    sure_high: float | None = None
    spread: float | None = None
    """Standard deviation of the logarithms between groups; for ratios of sums None."""
    no_interval: str = ""


def geometric_ratio(
    before: ArrayLike, after: ArrayLike, groups: ArrayLike | None = None, *, confidence: float = 0.95, seed: int = 0
) -> TaskRatio:
    """The geometric mean over tasks of (after / before).

    Args:
        before: what each task took, above 0.
        after: the same tasks in the same order.
        groups: of each task; each its own where None.
        confidence: two-sided.
        seed: of the bootstrap.

    Raises:
        ValueError: lengths differ, or a figure is negative or not finite.
    """
    first, second = _checked(before, after)
    count = len(first)
    if count == 0:
        return TaskRatio(0, None, no_interval="no task has both figures")
    if free := int(np.count_nonzero((first == 0) | (second == 0))):
        return TaskRatio(
            count, None, no_interval=f"{free} of {count} tasks took nothing under one arm: no ratio of them"
        )
    logs = np.log(second / first)
    sums, sizes = _grouped(logs, groups), _grouped(np.ones(count), groups)
    value = float(logs.mean())
    if reason := _why_none(sums):
        return TaskRatio(count, math.exp(value), no_interval=reason)
    drawn = _draws(len(sums), seed)
    means = (drawn @ sums) / (drawn @ sizes)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    number = len(sums)
    # Residuals of whole groups, as in the ratio of two sums: sum of logarithms over number of tasks.
    rest = sums - value * sizes
    error = math.sqrt(float((rest**2).sum()) * number / (number - 1)) / count
    if error < 1e-12:
        return TaskRatio(
            count, math.exp(value), no_interval="every task shows the same ratio: its spread cannot be seen"
        )
    reach = t_quantile((1 + confidence) / 2, number - 1) * error
    return TaskRatio(
        count,
        math.exp(value),
        math.exp(low),
        math.exp(high),
        math.exp(min(float(low), value - reach)),
        math.exp(max(float(high), value + reach)),
        error * math.sqrt(number),
    )


def ratio_of_task_sums(
    before: ArrayLike,
    after: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    per_before: ArrayLike | None = None,
    per_after: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> TaskRatio:
    """Sum of `after` over sum of `before`; with `per_*` (successes) of what each unit of those took.

    Args:
        before: what each task took, 0 or more.
        after: the same tasks in the same order.
        groups: of each task; each its own where None.
        per_before: what was had for it, a figure a task.
        per_after: likewise.
        confidence: two-sided.
        seed: of the bootstrap.

    Raises:
        ValueError: lengths differ, or a figure is negative or not finite.
    """
    first, second = _checked(before, after)
    count = len(first)
    units = [np.ones(count) if per is None else np.asarray(per, dtype=float) for per in (per_before, per_after)]
    parts = [_grouped(figures, groups) for figures in (first, second, *units)]
    below = parts[0].sum() * parts[3].sum()
    if count == 0 or below == 0 or parts[2].sum() == 0:
        return TaskRatio(count, None, no_interval="nothing to divide by")
    value = float(parts[1].sum() * parts[2].sum() / below)
    if reason := _why_none(parts[0]):
        return TaskRatio(count, value, no_interval=reason)
    if value == 0:
        return TaskRatio(count, value, no_interval="every figure is 0")
    drawn = _draws(len(parts[0]), seed)
    sums = [drawn @ part for part in parts]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = sums[1] * sums[2] / (sums[0] * sums[3])
    if np.mean(~np.isfinite(ratios)) > (1 - confidence) / 4:
        return TaskRatio(count, value, no_interval="too few tasks have what is divided by")
    low, high = np.quantile(ratios[np.isfinite(ratios)], [(1 - confidence) / 2, (1 + confidence) / 2])
    return TaskRatio(count, value, float(low), float(high), float(low), float(high))


def tasks_needed_for_ratio(ratio: float, spread: float, *, power: float = 0.8, confidence: float = 0.95) -> int | None:
    """How many tasks show a ratio to differ from 1; None where no number would.

    Normal approximation on the logarithm: (z_error + z_power)^2 spread^2 / log(ratio)^2, and one more for the spread
    that has to be estimated.
    """
    effect = abs(math.log(ratio)) if ratio > 0 else 0.0
    if effect == 0:
        return None
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + confidence) / 2) + NormalDist().inv_cdf(power)
    return max(3, math.ceil((z * spread / effect) ** 2) + 1)


def _checked(before: ArrayLike, after: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"pairs need two equally long lists, not {first.shape} and {second.shape}")
    for figures in (first, second):
        if not np.isfinite(figures).all() or (figures < 0).any():
            raise ValueError("a figure is negative or not finite")
    return first, second


def _grouped(figures: Floats, groups: ArrayLike | None) -> Floats:
    if groups is None:
        return figures
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    return np.bincount(place, weights=figures).astype(np.float64, copy=False)


def _why_none(sums: Floats) -> str:
    if len(sums) < ENOUGH_GROUPS:
        return "one task (or group) alone has no spread, however often it ran"
    return ""


@lru_cache(maxsize=4)
def _draws(count: int, seed: int) -> Floats:
    """How often each group comes in each draw. Fewer draws of many groups, so that memory stays bounded."""
    draws = max(2_000, min(DRAWS, MOST_PLACES // count))
    chances = np.full(count, 1 / count)
    return np.random.default_rng(seed).multinomial(count, chances, size=draws).astype(np.float64)
