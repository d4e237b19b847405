"""Whether a change raises what tasks take, per task and per resolved one, beyond its interval.

Four ratios may be tested: tokens and cost, per task (the geometric mean over tasks of each task's own ratio, where both
sides ran the same tasks) and per resolved task (ratio of sums, failures included). All are tested together at one
error, so that a change without any effect fails at most as often as that: most of it goes to the ratios per task, which
see a rise first, and tokens and cost share that as far as they do not vary together (multiplier bootstrap). More per
task is no fault where more tasks are resolved for it: then the ratio per resolved task alone decides.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from modicum.calls.task_result import TaskResult
from modicum.calls.words.counted_nouns import number_of
from modicum.experiments.comparison_arms import TaskRuns, gather_tasks
from modicum.experiments.comparison_input import check_results
from modicum.statistics.paired import paired_difference, simultaneous_confidence
from modicum.statistics.ratios import ratio_of_sums
from modicum.statistics.task_ratios import geometric_ratio, ratio_of_task_sums

MEASURES = ("total_tokens", "cost_usd")
FEWEST_COMMON = 2
ENOUGH_TO_SEE = 10
"""Tasks from which on it can be seen how tokens and cost vary together."""
SHARE_PER_TASK = 0.8
"""Of the error, for the ratios per task where those per resolved task are tested too."""
PER_TASK, PER_RESOLVED = "task", "resolved task"


class CheckRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is fixed before anybody looks at results."""

    allowed: float = 0.0
    """A rise up to this share is no fault."""
    error: float = 0.05
    """How often a change without effect may fail."""
    passing: float = 1.0
    """The least outcome that counts as resolved."""


class CheckedRatio(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as much is taken after the change."""

    measure: str
    per: str
    tasks: int
    before: float | None
    """Per task, or per resolved one."""
    after: float | None
    ratio: float | None
    low: float | None = None
    """Of the interval that decides: all that are tested hold at once."""
    high: float | None = None
    is_raised: bool = False
    """The whole interval lies above what is allowed, and nothing makes up for it."""
    no_interval: str = ""


class BuildCheck(msgspec.Struct, frozen=True, kw_only=True):
    is_raised: bool
    is_decided: bool
    """False: no ratio has an interval, so nothing can be said."""
    ratios: list[CheckedRatio]
    tasks_before: int
    tasks_after: int
    tasks_common: int
    """0: the sides are compared as two samples of tasks."""
    resolved_before: float | None
    """Share of graded tasks."""
    resolved_after: float | None
    remarks: list[str]


Tasks = Mapping[str, TaskRuns]
Sides = list[tuple[TaskRuns, TaskRuns]]


def check_build(before: Iterable[TaskResult], after: Iterable[TaskResult], rules: CheckRules) -> BuildCheck:
    """Compares a project's tasks before and after a change. Figures that none can be are unknown, and that is said."""
    scale = max(rules.passing, 1.0)
    sides = [check_results(results, score_max=scale) for results in (before, after)]
    first, second = (gather_tasks(side.results, rules.passing / scale) for side in sides)
    common = sorted(first.keys() & second.keys())
    if len(common) < FEWEST_COMMON:
        common = []
    pairs = [(first[task], second[task]) for task in common]
    if common:
        first, second = {task: first[task] for task in common}, {task: second[task] for task in common}
    graded = all(any(runs.passed for runs in side.values()) for side in (first, second))
    known = [name for name in MEASURES if _knows(first, name) and _knows(second, name)]
    of_tasks = rules.error * (SHARE_PER_TASK if graded else 1)
    task_confidence = _task_confidence(pairs, known, of_tasks)
    resolved_confidence = 1 - 2 * (rules.error - of_tasks) / max(len(known), 1)
    is_better = graded and _resolves_more(pairs, first, second)
    ratios: list[CheckedRatio] = []
    for measure in known:
        resolved = _resolved_ratio(measure, pairs, first, second, resolved_confidence) if graded else None
        of_task = _task_ratio(measure, pairs, first, second, task_confidence)
        excused = is_better or (resolved is not None and resolved.ratio is not None and resolved.ratio <= 1)
        ratios += [_judged(of_task, rules, excused=excused)]
        ratios += [_judged(resolved, rules, excused=False)] if resolved is not None else []
    return BuildCheck(
        is_raised=any(one.is_raised for one in ratios),
        is_decided=any(one.low is not None or one.is_raised for one in ratios),
        ratios=ratios,
        tasks_before=len(first),
        tasks_after=len(second),
        tasks_common=len(common),
        resolved_before=_resolved_share(first.values()),
        resolved_after=_resolved_share(second.values()),
        remarks=[
            *_remarks(first, second, common, known, graded=graded, is_better=is_better),
            *(_in_words_of_check(remark) for side in sides for remark in side.remarks),
        ],
    )


def _in_words_of_check(remark: str) -> str:
    """`compare` has another option for scores that run higher than 1."""
    return remark.replace("give --score-max 100", "give --passing with the least that is resolved")


def _task_confidence(pairs: Sides, known: Sequence[str], error: float) -> float:
    """Two-sided, of each ratio per task, so that a one-sided error holds for all of them."""
    apart = 1 - 2 * error / max(len(known), 1)
    rows = [
        [math.log(taken / spent) for name in known if (spent := one.mean(name)) and (taken := other.mean(name))]
        for one, other in pairs
    ]
    logs = [row for row in rows if len(row) == len(known)]
    if len(known) < 2 or len(logs) < ENOUGH_TO_SEE:
        return apart
    names = [one.group for one, _ in pairs]
    groups = names if len(logs) == len(pairs) and all(names) else None
    return min(simultaneous_confidence(np.transpose(logs), confidence=1 - 2 * error, clusters=groups), apart)


def _judged(ratio: CheckedRatio, rules: CheckRules, *, excused: bool) -> CheckedRatio:
    bound = 1 + rules.allowed
    above = ratio.low is not None and ratio.low > bound
    return msgspec.structs.replace(ratio, is_raised=above and not excused)


def _knows(tasks: Tasks, measure: str) -> bool:
    return any(runs.mean(measure) is not None for runs in tasks.values())


def _resolves_more(pairs: Sides, first: Tasks, second: Tasks) -> bool:
    """Whether more tasks are resolved, beyond the interval."""
    if not pairs:
        shares = _graded_shares(first), _graded_shares(second)
        spread = math.sqrt(sum(float(np.var(side)) / max(len(side), 1) for side in shares))
        return float(np.mean(shares[1]) - np.mean(shares[0])) > 1.96 * spread > 0
    graded = [(one.success, other.success) for one, other in pairs if one.graded and other.graded]
    return paired_difference([one or 0.0 for one, _ in graded], [other or 0.0 for _, other in graded]).low > 0


def _graded_shares(tasks: Tasks) -> list[float]:
    return [runs.success for runs in tasks.values() if runs.success is not None]


def _task_ratio(measure: str, pairs: Sides, first: Tasks, second: Tasks, confidence: float) -> CheckedRatio:
    if not pairs:
        return _unpaired(measure, PER_TASK, first, second, confidence)
    rows = _known_rows(pairs, measure)
    before, after = [row[2] for row in rows], [row[3] for row in rows]
    ratio = geometric_ratio(before, after, _groups(rows), confidence=confidence)
    low, high, reason = ratio.low, ratio.high, ratio.no_interval
    if low is None and ratio.value is not None and len(rows) >= FEWEST_COMMON and "same ratio" in reason:
        low = high = ratio.value  # nothing varies: a replay, or a mock
    return CheckedRatio(
        measure=measure,
        per=PER_TASK,
        tasks=len(rows),
        before=_mean(before),
        after=_mean(after),
        ratio=ratio.value,
        low=low,
        high=high,
        no_interval="" if low is not None else reason,
    )


def _resolved_ratio(measure: str, pairs: Sides, first: Tasks, second: Tasks, confidence: float) -> CheckedRatio:
    if not pairs:
        return _unpaired(measure, PER_RESOLVED, first, second, confidence)
    rows = [row for row in _known_rows(pairs, measure) if row[0].graded and row[1].graded]
    before, after = [row[2] for row in rows], [row[3] for row in rows]
    had = [row[0].success or 0.0 for row in rows], [row[1].success or 0.0 for row in rows]
    ratio = ratio_of_task_sums(before, after, _groups(rows), per_before=had[0], per_after=had[1], confidence=confidence)
    return CheckedRatio(
        measure=measure,
        per=PER_RESOLVED,
        tasks=len(rows),
        before=_per(before, had[0]),
        after=_per(after, had[1]),
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        no_interval=ratio.no_interval,
    )


def _unpaired(measure: str, per: str, first: Tasks, second: Tasks, confidence: float) -> CheckedRatio:
    """Two samples of tasks: the interval of the ratio follows from those of both sides (MOVER: Zou and Donner,
    Statistics in Medicine 27 (2008)), on the logarithm.
    """
    sides = []
    for tasks in (first, second):
        every = list(tasks.values())
        if per == PER_RESOLVED:
            every = [runs for runs in every if runs.graded]
        spent = [(figure, runs) for runs in every if (figure := runs.mean(measure)) is not None]
        had = [1.0 if per == PER_TASK else runs.success or 0.0 for _, runs in spent]
        # Each side's own interval, so that both together hold as often as is wanted.
        sides.append((ratio_of_sums([figure for figure, _ in spent], had, confidence=confidence), len(spent)))
    (one, count), (other, other_count) = sides
    checked = CheckedRatio(
        measure=measure,
        per=per,
        tasks=min(count, other_count),
        before=one.value,
        after=other.value,
        ratio=other.value / one.value if one.value and other.value is not None else None,
        no_interval=one.no_interval or other.no_interval,
    )
    if None in (one.low, one.high, other.low, other.high) or not (one.value and other.value and one.low and other.low):
        return checked
    change = math.log(other.value / one.value)
    down = math.hypot(math.log(other.value / other.low), math.log((one.high or one.value) / one.value))
    up = math.hypot(math.log((other.high or other.value) / other.value), math.log(one.value / one.low))
    return msgspec.structs.replace(checked, low=math.exp(change - down), high=math.exp(change + up))


def _known_rows(pairs: Sides, measure: str) -> list[tuple[TaskRuns, TaskRuns, float, float]]:
    return [
        (one, other, spent, taken)
        for one, other in pairs
        if (spent := one.mean(measure)) is not None and (taken := other.mean(measure)) is not None
    ]


def _groups(rows: Sequence[tuple[TaskRuns, TaskRuns, float, float]]) -> list[str] | None:
    if not any(row[0].group for row in rows):
        return None
    return [row[0].group or f"\0{number}" for number, row in enumerate(rows)]


def _mean(figures: Sequence[float]) -> float | None:
    return sum(figures) / len(figures) if figures else None


def _per(spent: Sequence[float], had: Sequence[float]) -> float | None:
    return sum(spent) / sum(had) if sum(had) else None


def _resolved_share(tasks: Iterable[TaskRuns]) -> float | None:
    return _mean([runs.success for runs in tasks if runs.success is not None])


def _remarks(
    first: Tasks, second: Tasks, common: Sequence[str], known: Sequence[str], *, graded: bool, is_better: bool
) -> list[str]:
    remarks = []
    if not common:
        remarks.append(
            f"No task ran on both sides, so they are two samples ({len(first):,} and "
            f"{number_of(len(second), 'task')}): a rise is found much later than with the same tasks on both (--pair "
            "says what makes tasks the same)."
        )
    if not graded:
        remarks.append("No task is known to be resolved on both sides, so figures are per task (--outcome).")
    if is_better:
        remarks.append("More tasks are resolved after the change, so more per task is no fault of its own.")
    remarks += [
        f"{name.replace('_', ' ').removesuffix(' usd')} is not known on both sides and is not checked."
        for name in MEASURES
        if name not in known
    ]
    return remarks
