"""May the change stay? Outcomes of both arms in, a verdict with its reason out. It may be asked at any time and again.

Safe: a loss beyond the owner's margin is ruled out. Roll back: the change does harm for certain, and by the best
estimate more than the margin. Each holds with its own chance of error, however often one looks
(`statistics/betting.py`). docs/experiments.md has the method, benchmarks/results/experiments.md what it was tried on.
"""

import math
from enum import StrEnum
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.statistics.betting import evidence_above, last_evidence_above, lower_bound, tasks_for_evidence
from modicum.statistics.randomised import EffectFigures, effect_figures

ERROR = 0.05
"""Chance ever to find a change safe that loses the margin or more."""
HARM_ERROR = 0.04
"""Chance ever to roll a change back whose outcomes are no worse."""
FAILED_CALLS_ERROR = 0.01
"""Chance ever to roll a change back because of failed calls, where it makes none."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Verdict(StrEnum):
    GO_ON = "go_on"
    """Nothing is decided yet."""
    SAFE = "safe"
    """A loss beyond the margin is ruled out: the change may be kept."""
    ROLL_BACK = "roll_back"
    """The change does harm."""
    STOP = "stop"
    """This experiment cannot find out, or the change buys nothing."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Difference of a share, changed minus hold-out, with an interval that holds at any time."""

    changed_count: int
    hold_out_count: int
    changed_mean: float
    hold_out_mean: float
    low: float
    high: float
    evidence_safe: float
    """How often a bet against "a loss of the margin or more" was multiplied, as natural logarithm."""
    evidence_harm: float
    """The same against "no loss"."""
    more_tasks_until_safe: int | None
    """About how many more, if the change does no harm. None: no number is known."""
    more_tasks_until_harm: int | None
    """About how many more, if the loss is as large as it looks now. None: it looks like none beyond the margin."""

    @property
    def difference(self) -> float:
        return self.changed_mean - self.hold_out_mean

    @property
    def is_safe(self) -> bool:
        return self.evidence_safe >= -math.log(ERROR)

    def is_harm(self, margin: float, error: float = HARM_ERROR) -> bool:
        return self.evidence_harm >= -math.log(error) and self.difference < -margin


def measure_effect(values: Floats, changed: Flags, changed_share: float, margin: float) -> Effect | None:
    """The effect on outcomes in 0..1, one a task, in the order in which tasks began. None: one arm has no task."""
    count = int(changed.sum())
    if count in {0, len(changed)}:
        return None
    parts = effect_figures(values, changed, changed_share)
    means = float(values[changed].mean()), float(values[~changed].mean())
    difference = means[0] - means[1]
    low = lower_bound(parts.figures, parts.lowest, ERROR, (-1.0, 1.0))
    high = -lower_bound(-parts.figures, -parts.highest, ERROR, (-1.0, 1.0))
    # Outcomes all alike spread by what they might yet do, not by what they did.
    until_safe = tasks_for_evidence(parts.figures, parts.lowest, -margin, 0.0, ERROR)
    until_harm = (
        tasks_for_evidence(-parts.figures, -parts.highest, 0.0, -difference, HARM_ERROR)
        if difference < -margin
        else None
    )
    return Effect(
        changed_count=count,
        hold_out_count=len(changed) - count,
        changed_mean=means[0],
        hold_out_mean=means[1],
        low=low,
        high=high,
        evidence_safe=last_evidence_above(parts.figures, parts.lowest, -margin),
        evidence_harm=last_evidence_above(-parts.figures, -parts.highest, 0.0),
        more_tasks_until_safe=_more(until_safe, len(changed)),
        more_tasks_until_harm=_more(until_harm, len(changed)),
    )


def plan_tasks(base: float, margin: float, changed_share: float) -> int | None:
    """About how many tasks find a harmless change safe, where outcomes are failures and passes with a share `base` of
    passes.
    """
    spread = base * (1 - base) / (changed_share * (1 - changed_share))
    floor = -max(base / changed_share, (1 - base) / (1 - changed_share), (1 - base) / changed_share)
    reach = math.sqrt(spread)
    return tasks_for_evidence(np.array([-reach, reach]), np.full(2, min(floor, -reach)), -margin, 0.0, ERROR)


class FirstVerdicts(NamedTuple):
    """After how many tasks a gate that looks after every one of them decides; None: not among these."""

    safe: int | None
    roll_back: int | None


def find_first_verdicts(values: Floats, changed: Flags, changed_share: float, margin: float) -> FirstVerdicts:
    """What an owner would see who looked after every task."""
    parts = effect_figures(values, changed, changed_share)
    safe = evidence_above(parts.figures, parts.lowest, -margin) >= -math.log(ERROR)
    harm = evidence_above(-parts.figures, -parts.highest, 0.0) >= -math.log(HARM_ERROR)
    count = np.cumsum(changed)
    others = np.arange(1, len(values) + 1) - count
    difference = np.cumsum(values * changed) / np.maximum(count, 1) - np.cumsum(values * ~changed) / np.maximum(
        others, 1
    )
    harm &= (difference < -margin) & (count > 0) & (others > 0)
    return FirstVerdicts(_first(safe & (count > 0) & (others > 0)), _first(harm))


def failed_calls_harm(answered: Floats, changed: Flags, changed_share: float, margin: float) -> bool:
    """Whether tasks that have the change lose answers: the share of each task's calls that were answered."""
    if changed.sum() in {0, len(changed)}:
        return False
    parts: EffectFigures = effect_figures(answered, changed, changed_share)
    evidence = last_evidence_above(-parts.figures, -parts.highest, 0.0)
    loss = float(answered[~changed].mean() - answered[changed].mean())
    return evidence >= -math.log(FAILED_CALLS_ERROR) and loss > margin


def _first(flags: Flags) -> int | None:
    return int(np.argmax(flags)) + 1 if flags.any() else None


def _more(total: int | None, count: int) -> int | None:
    return None if total is None else max(0, total - count)
