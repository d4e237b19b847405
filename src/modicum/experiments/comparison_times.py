"""When arms ran: a difference between arms that never ran at the same time may be that of the times."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from modicum.calls.task_result import TaskResult

LEAST_TOGETHER = 0.1
"""Share of the runs of each arm that must lie in the time that both have in common, or they ran apart."""
LEAST_RUNS = 40
NOTABLE_Z = 3.3
"""Standard errors from which on a drift is named."""


def describe_times(of_arm: Mapping[str, Sequence[TaskResult]], baseline: str) -> list[str]:
    """What one must know of the times of these arms; nothing where a source does not say them."""
    times = {name: sorted(run.started_at for run in runs if run.started_at) for name, runs in of_arm.items()}
    remarks = []
    for name, own in times.items():
        base = times[baseline]
        if name != baseline and own and base and _ran_apart(own, base):
            remarks.append(
                f"{name} ran from {own[0]:%Y-%m-%d %H:%M} to {own[-1]:%Y-%m-%d %H:%M}, {baseline} from "
                f"{base[0]:%Y-%m-%d %H:%M} to {base[-1]:%Y-%m-%d %H:%M}: hardly at the same time, so what changed in "
                "between (traffic, what a model's name stands for, load, prices) is in every difference."
            )
    return remarks + [drift for name, runs in of_arm.items() if (drift := _describe_drift(name, runs))]


def _ran_apart(one: Sequence[datetime], other: Sequence[datetime]) -> bool:
    since, until = max(one[0], other[0]), min(one[-1], other[-1])
    shares = [sum(since <= at <= until for at in times) / len(times) for times in (one, other)]
    return min(shares) < LEAST_TOGETHER


def _describe_drift(name: str, runs: Sequence[TaskResult]) -> str:
    """Whether an arm's own outcomes went up or down on the way."""
    dated = sorted((run.started_at, run.outcome) for run in runs if run.started_at and run.outcome is not None)
    if len(dated) < LEAST_RUNS or dated[0][0] == dated[-1][0]:
        return ""
    first, second = np.array_split(np.array([outcome for _, outcome in dated], dtype=float), 2)
    spread = math.sqrt(first.var() / len(first) + second.var() / len(second))
    if abs(first.mean() - second.mean()) <= NOTABLE_Z * max(spread, 1e-9):
        return ""
    return (
        f"{name} drifts: its mean outcome went from {first.mean():.3g} in the earlier half of its runs to "
        f"{second.mean():.3g} in the later one. Figures are averages over both times; between arms that ran by turns "
        "the difference stands."
    )
