"""pass^k: the chance that k runs of one task all succeed. It falls where an agent is unreliable."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modicum.statistics.proportions import share_over_tasks


@dataclass(frozen=True)
class RepeatedPasses:
    k: int
    tasks_count: int
    """Tasks that ran at least k times; others say nothing of it."""
    value: float
    low: float
    high: float


def pass_hat_k(
    passed: Sequence[int], runs: Sequence[int], k: int, *, confidence: float = 0.95
) -> RepeatedPasses | None:
    """The mean over tasks of C(passed, k) / C(runs, k), which is free of bias; None where no task ran k times.

    The interval is that of a share over tasks: a task's chance spreads at most as much as its pass or fail would.

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
    low, high = share_over_tasks(np.clip(chances, 0.0, 1.0), confidence=confidence)
    return RepeatedPasses(k, len(chances), float(np.mean(chances)), low, high)
