"""An experiment's tasks, graded: what can be said of the change, what cannot, and why.

No figure is given that could mislead: outcomes that are missing more often in one arm, that contradict each
other, or that are all alike get a sentence in its place.
"""

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.calls.words.percentages import percent
from modicum.experiments.experiment import Arm, ChangeKind, Experiment
from modicum.experiments.gate import Effect, Verdict, failed_calls_harm, measure_effect
from modicum.statistics.randomised import RatioInTime, evidence_of_wrong_lot, ratio_of_means

LOT_ERROR = 0.001
"""Chance ever to call a right lot wrong."""
MOST_CONTRADICTING = 0.05
"""Share of tasks whose outcomes contradict each other, above which nothing is concluded."""
MOST_UNAPPLIED = 0.1
LEAST_CALLS = 10
"""Calls below which nothing is said of how many the change was made to."""
NOTABLE_Z = 3.3
"""Standard errors from which on a drift is named."""

Floats = NDArray[np.float64]


class TrialTask(msgspec.Struct, frozen=True, kw_only=True):
    """One task of an experiment, with all its calls."""

    task: str
    arm: Arm
    began: datetime
    calls: int
    calls_failed: int
    calls_concerned: int
    """Calls that the experiment is about."""
    calls_applied: int
    """Those of them that were changed."""
    effective_tokens: float | None
    """None: of some call they are not known."""
    cost_usd: float | None
    outcome_low: float | None
    """The least and the most of its outcomes; None: there is none yet."""
    outcome_high: float | None


class SpendComparison(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks of the changed arm take, over what those of the hold-out take."""

    ratio: float | None
    low: float | None
    high: float | None
    tasks: int
    no_interval: str = ""

    @property
    def costs_more(self) -> bool:
        return self.low is not None and self.low > 1


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment says so far."""

    verdict: Verdict
    why: str
    """In one sentence."""
    tasks: dict[str, int]
    """Tasks by arm."""
    graded: dict[str, int]
    """Tasks with an outcome that counts, by arm."""
    effect: Effect | None
    """None: nothing can be said; `remarks` say why."""
    tokens: SpendComparison
    """Effective tokens of a task."""
    cost: SpendComparison
    """Dollars of a task."""
    remarks: tuple[str, ...] = ()
    """What a reader has to know beside the figures."""


def grade(one: Experiment, tasks: Sequence[TrialTask]) -> Grade:
    """What the tasks say of the change. They may come in any order; they are taken as they began."""
    ordered = sorted(tasks, key=lambda task: (task.began, task.task))
    usable, contradicting, beside = _usable(ordered)
    checks = (
        _find_wrong_lot(one, ordered, usable),
        _find_unapplied(one, ordered),
        _find_contradictions(one, contradicting, ordered),
    )
    trouble = [sentence for sentence in checks if sentence]
    remarks = _explain_ungraded(one, ordered, usable, contradicting, beside)
    if drift := _find_drift(usable):
        remarks.append(drift)
    values = np.array([task.outcome_high for task in usable], dtype=float)
    alike = len(values) > 0 and bool((values == values[0]).all())
    if alike:
        remarks.append(
            f"all {number_of(len(values), 'outcome is', 'outcomes are')} {values[0]:g}: an outcome that never differs "
            "cannot tell better from worse, so there is no verdict"
        )
    effect = None if alike else _effect(one, usable)
    tokens, cost = _compare(ordered, "effective_tokens"), _compare(ordered, "cost_usd")
    verdict, why = _decide(one, ordered, effect, trouble, cost if one.kind is ChangeKind.MODEL else tokens)
    return Grade(
        verdict=verdict,
        why=why,
        tasks=_by_arm(ordered),
        graded=_by_arm(usable),
        effect=None if trouble else effect,
        tokens=tokens,
        cost=cost,
        remarks=(*trouble, *remarks),
    )


def _decide(
    one: Experiment, tasks: Sequence[TrialTask], effect: Effect | None, trouble: list[str], spend: SpendComparison
) -> tuple[Verdict, str]:
    if failures := _find_failing_calls(one, tasks):
        return Verdict.ROLL_BACK, failures
    if trouble:
        return Verdict.STOP, trouble[0]
    if effect is None:
        return Verdict.GO_ON, f"nothing can be said yet: {_why_nothing(one, tasks)}"
    return _weigh(one, effect, spend)


def _find_failing_calls(one: Experiment, tasks: Sequence[TrialTask]) -> str:
    answered = np.array([1 - task.calls_failed / max(task.calls, 1) for task in tasks])
    if not failed_calls_harm(answered, _changed(tasks), 1 - one.hold_out, one.margin):
        return ""
    failed = {arm: sum(task.calls_failed for task in tasks if task.arm is arm) for arm in Arm}
    calls = {arm: sum(task.calls for task in tasks if task.arm is arm) for arm in Arm}
    return (
        f"calls fail: {failed[Arm.CHANGED]:,} of {calls[Arm.CHANGED]:,} with the change, "
        f"{failed[Arm.HOLD_OUT]:,} of {calls[Arm.HOLD_OUT]:,} in the hold-out"
    )


def _weigh(one: Experiment, effect: Effect, spend: SpendComparison) -> tuple[Verdict, str]:
    if effect.is_harm(one.margin):
        return Verdict.ROLL_BACK, f"it does harm: {_describe(effect)}"
    if not effect.is_safe:
        return Verdict.GO_ON, f"not decided: {_describe(effect)}; the accepted loss is {100 * one.margin:g} points"
    if spend.costs_more and effect.low <= 0:
        return Verdict.STOP, (
            f"it saves nothing: a task takes {_percent(spend)} more with the change, and {_describe(effect)}"
        )
    return Verdict.SAFE, f"a loss of {100 * one.margin:g} points is ruled out: {_describe(effect)}"


def _usable(tasks: Sequence[TrialTask]) -> tuple[list[TrialTask], int, int]:
    """Tasks whose outcome counts; how many contradict themselves, and how many have one that is no share."""
    usable, contradicting, beside = [], 0, 0
    for task in tasks:
        low, high = task.outcome_low, task.outcome_high
        if low is None or high is None:
            continue
        if not (math.isfinite(low) and math.isfinite(high)):
            beside += 1
        elif low != high:
            contradicting += 1
        elif not 0 <= high <= 1:
            beside += 1
        else:
            usable.append(task)
    return usable, contradicting, beside


def _effect(one: Experiment, usable: Sequence[TrialTask]) -> Effect | None:
    values = np.array([task.outcome_high for task in usable], dtype=float)
    return measure_effect(values, _changed(usable), 1 - one.hold_out, one.margin)


def _find_wrong_lot(one: Experiment, tasks: Sequence[TrialTask], usable: Sequence[TrialTask]) -> str:
    """Arms that do not hold the share that was drawn: then the arms differ in more than the change."""
    limit = -math.log(LOT_ERROR)
    all_, graded = _by_arm(tasks), _by_arm(usable)
    if evidence_of_wrong_lot(all_[Arm.CHANGED], len(tasks), 1 - one.hold_out) > limit:
        return (
            f"{number_of(all_[Arm.CHANGED], 'task has', 'tasks have')} the change and {all_[Arm.HOLD_OUT]:,} do not, "
            "which is not the lot of "
            f"{100 * (1 - one.hold_out):g} to {100 * one.hold_out:g}: calls of one arm do not reach the ledger, or "
            "others write the tag"
        )
    if evidence_of_wrong_lot(graded[Arm.CHANGED], len(usable), 1 - one.hold_out) > limit:
        return (
            f"outcomes are missing more often in one arm ({graded[Arm.CHANGED]:,} of "
            f"{number_of(all_[Arm.CHANGED], 'task')} with "
            f"the change have one, {graded[Arm.HOLD_OUT]:,} of {all_[Arm.HOLD_OUT]:,} in the hold-out): what is "
            "missing may be the failures"
        )
    return ""


def _find_unapplied(one: Experiment, tasks: Sequence[TrialTask]) -> str:
    if one.kind is not ChangeKind.MODEL:
        return ""
    changed = [task for task in tasks if task.arm is Arm.CHANGED]
    concerned, applied = sum(t.calls_concerned for t in changed), sum(t.calls_applied for t in changed)
    if concerned < LEAST_CALLS or applied >= (1 - MOST_UNAPPLIED) * concerned:
        return ""
    return (
        f"the change was made to {applied:,} of the {number_of(concerned, 'call')} that it is about: is the model "
        f"'{one.to}' still served, and may the callers' keys use it? The gateway's log says why (rule_not_applied)"
    )


def _find_contradictions(one: Experiment, contradicting: int, tasks: Sequence[TrialTask]) -> str:
    with_outcome = sum(task.outcome_low is not None for task in tasks)
    if contradicting < 2 or contradicting <= MOST_CONTRADICTING * with_outcome:
        return ""
    return (
        f"{contradicting:,} of {number_of(with_outcome, 'task')} have outcomes '{one.outcome}' that contradict each "
        "other: nobody knows which one is right"
    )


def _explain_ungraded(
    one: Experiment, tasks: Sequence[TrialTask], usable: Sequence[TrialTask], contradicting: int, beside: int
) -> list[str]:
    lines = []
    without = sum(task.outcome_low is None for task in tasks)
    if without and usable:
        lines.append(
            f"{number_of(without, 'task has', 'tasks have')} no outcome '{one.outcome}' yet and "
            f"{noun_for(without, 'is', 'are')} not graded"
        )
    if contradicting:
        lines.append(
            f"{number_of(contradicting, 'task has', 'tasks have')} outcomes that contradict each other and "
            f"{noun_for(contradicting, 'is', 'are')} not graded"
        )
    if beside:
        lines.append(
            f"{number_of(beside, 'task has', 'tasks have')} an outcome that is no share in 0..1 and "
            f"{noun_for(beside, 'is', 'are')} not graded: map the score into it first"
        )
    return lines


def _find_drift(usable: Sequence[TrialTask]) -> str:
    """Whether the hold-out's outcomes, which nobody changed, went up or down on the way."""
    held = np.array([task.outcome_high for task in usable if task.arm is Arm.HOLD_OUT], dtype=float)
    if len(held) < 40:
        return ""
    first, second = np.array_split(held, 2)
    spread = math.sqrt(first.var() / len(first) + second.var() / len(second))
    if abs(first.mean() - second.mean()) <= NOTABLE_Z * max(spread, 1e-9):
        return ""
    return (
        f"traffic drifts: the hold-out's outcomes went from {first.mean():.3g} to {second.mean():.3g} on the way. The "
        "arms are compared at the same time, so the difference stands, but it is an average over both times"
    )


def _compare(tasks: Sequence[TrialTask], field: str) -> SpendComparison:
    known = [task for task in tasks if getattr(task, field) is not None]
    unknown = len(tasks) - len(known)
    if not known:
        return SpendComparison(ratio=None, low=None, high=None, tasks=0, no_interval="of no task it is known")
    if unknown > MOST_CONTRADICTING * len(tasks):
        return SpendComparison(
            ratio=None,
            low=None,
            high=None,
            tasks=len(known),
            no_interval=f"of {number_of(unknown, 'task')} it is not known",
        )
    amounts = np.array([float(getattr(task, field)) for task in known])
    ratio: RatioInTime = ratio_of_means(amounts, _changed(known))
    return SpendComparison(
        ratio=ratio.value, low=ratio.low, high=ratio.high, tasks=len(known), no_interval=ratio.no_interval
    )


def _why_nothing(one: Experiment, tasks: Sequence[TrialTask]) -> str:
    if not tasks:
        return "the ledger holds no task of this experiment; do calls go through the gateway and name their task?"
    usable, _, beside = _usable(tasks)
    if not usable:
        if beside:
            return f"no outcome '{one.outcome}' is a share in 0..1"
        return f"none of {number_of(len(tasks), 'task')} has an outcome '{one.outcome}'; send them to POST /outcomes"
    if len({task.arm for task in usable}) < 2:
        return f"only one arm has outcomes ({number_of(len(usable), 'task')})"
    return "all outcomes are alike"


def _describe(effect: Effect) -> str:
    return (
        f"outcomes {100 * effect.difference:+.1f} points ({100 * effect.low:+.1f} to {100 * effect.high:+.1f}), "
        f"{effect.changed_mean:.3g} over {number_of(effect.changed_count, 'task')} with the change, "
        f"{effect.hold_out_mean:.3g} over {effect.hold_out_count:,} without"
    )


def _percent(spend: SpendComparison) -> str:
    assert spend.ratio is not None and spend.low is not None and spend.high is not None  # noqa: S101, PT018 - costs_more
    return f"{percent(spend.ratio - 1, 0)} [{100 * spend.low - 100:.0f}, {100 * spend.high - 100:.0f}]"


def _changed(tasks: Sequence[TrialTask]) -> NDArray[np.bool_]:
    return np.array([task.arm is Arm.CHANGED for task in tasks], dtype=bool)


def _by_arm(tasks: Sequence[TrialTask]) -> dict[str, int]:
    return {arm: sum(task.arm is arm for task in tasks) for arm in Arm}
