"""pass^k: the chance that k runs of one task all succeed. It falls where an agent is unreliable."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modicum.statistics.ratios import t_quantile


@dataclass(frozen=True)
class RepeatedPasses:
    k: int
    tasks_count: int
    """Tasks that ran at least k times; others say nothing of it."""
    value: float
    low: float | None
    high: float | None


def pass_hat_k(
    passed: Sequence[int], runs: Sequence[int], k: int, *, confidence: float = 0.95
) -> RepeatedPasses | None:
    """The mean over tasks of C(passed, k) / C(runs, k), which is free of bias; None where no task ran k times.

    The interval is Student's t over tasks, cut at 0 and 1; none where tasks show no spread.

    Raises:
        ValueError: a task passed more often than it ran, or k is below 1.
    """
    if k < 1 or any(not 0 <= yes <= all_runs for yes, all_runs in zip(passed, runs, strict=True)):
        raise ValueError("a task cannot pass more often than it ran")
    chances = [
        math.comb(yes, k) / math.comb(all_runs, k) for yes, all_runs in zip(passed, runs, strict=True) if all_runs >= k
    ]
    if not chances:
        return None
    value, count = float(np.mean(chances)), len(chances)
    error = float(np.std(chances, ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    if error == 0:
        return RepeatedPasses(k, count, value, None, None)
    reach = t_quantile((1 + confidence) / 2, count - 1) * error
    return RepeatedPasses(k, count, value, max(0.0, value - reach), min(1.0, value + reach))
