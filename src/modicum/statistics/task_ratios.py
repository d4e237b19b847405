"""How many times as much: ratios of what the same tasks took under two conditions, with intervals over tasks.

Two ratios answer two questions. The geometric mean of each task's own ratio says what happens to a typical task, and no
large task rules it. The ratio of the sums says what happens to the bill. Both are measured by leaving out whole tasks
(or groups of them), never single runs: ten runs of one task are one observation of what tasks are like.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modicum.calls.words.counted_nouns import number_of
from modicum.statistics.jackknife import caution_of, jackknife
from modicum.statistics.ratios import WIDEST

Floats = NDArray[np.float64]

ENOUGH_GROUPS = 2


@dataclass(frozen=True)
class TaskRatio:
    """A ratio with its interval. Ends are None where no interval can be given; `no_interval` then says why."""

    tasks_count: int
    value: float | None
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    """Standard deviation of the logarithms between groups; for ratios of sums None."""
    no_interval: str = ""
    caution: str = ""
    """Why the interval may be too narrow; empty where the data give no reason."""


def geometric_ratio(
    before: ArrayLike, after: ArrayLike, groups: ArrayLike | None = None, *, confidence: float = 0.95
) -> TaskRatio:
    """The geometric mean over tasks of (after / before).

    Args:
        before: what each task took, above 0.
        after: the same tasks in the same order.
        groups: of each task; each its own where None.
        confidence: two-sided.

    Raises:
        ValueError: lengths differ, or a figure is negative or not finite.
    """
    first, second = _checked(before, after)
    count = len(first)
    if count == 0:
        return TaskRatio(0, None, no_interval="no task has both figures")
    if free := int(np.count_nonzero((first == 0) | (second == 0))):
        return TaskRatio(
            count,
            None,
            no_interval=f"{free} of {number_of(count, 'task')} took nothing under one arm: no ratio of them",
        )
    logs = np.log(second / first)
    sums, sizes = _grouped(logs, groups), _grouped(np.ones(count), groups)
    value = float(logs.mean())
    if reason := _why_none(sums):
        return TaskRatio(count, math.exp(value), no_interval=reason)
    without = (logs.sum() - sums) / (count - sizes)
    found = _interval(count, value, without, confidence, of_sums=False)
    error = jackknife(value, without, confidence).error
    return replace(found, spread=error * math.sqrt(len(sums))) if found.low is not None else found


def ratio_of_task_sums(
    before: ArrayLike,
    after: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    per_before: ArrayLike | None = None,
    per_after: ArrayLike | None = None,
    confidence: float = 0.95,
) -> TaskRatio:
    """Sum of `after` over sum of `before`; with `per_*` (successes) of what each unit of those took.

    Args:
        before: what each task took, 0 or more.
        after: the same tasks in the same order.
        groups: of each task; each its own where None.
        per_before: what was had for it, a figure a task.
        per_after: likewise.
        confidence: two-sided.

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
    # Leaving one task out must leave something to compare.
    if min(np.count_nonzero(part) for part in parts) < ENOUGH_GROUPS:
        return TaskRatio(count, value, no_interval="too few tasks have what is divided by")
    left = [np.log(part.sum() - part) for part in parts]
    return _interval(count, math.log(value), left[1] + left[2] - left[0] - left[3], confidence)


def _interval(count: int, value: float, without: Floats, confidence: float, *, of_sums: bool = True) -> TaskRatio:
    """From the logarithm of a ratio, and what it is without each group."""
    ratio = math.exp(value)
    reach = jackknife(value, without, confidence, of_sums=of_sums)
    if reach.error == 0:
        return TaskRatio(count, ratio, no_interval="every task shows the same ratio: its spread cannot be seen")
    if max(-reach.below, reach.above) > math.log(WIDEST):
        return TaskRatio(count, ratio, no_interval="too few tasks: any ratio would do")
    low, high = math.exp(value + reach.below), math.exp(value + reach.above)
    what = "tasks" if len(without) == count else "groups"
    return TaskRatio(count, ratio, low, high, caution=caution_of(value, without, what))


def tasks_needed_for_ratio(ratio: float, spread: float, *, power: float = 0.8, confidence: float = 0.95) -> int | None:
    """How many tasks show a ratio to differ from 1; None where no number would.

    Normal approximation on the logarithm: (z_error + z_power)^2 spread^2 / log(ratio)^2, and one more for the spread
    that has to be estimated.
    """
    effect = abs(math.log(ratio)) if ratio > 0 else 0.0
    if effect == 0:
        return None
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
