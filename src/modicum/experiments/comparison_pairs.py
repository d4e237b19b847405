"""Two arms on the tasks that both ran: differences, ratios, and how many tasks would decide."""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import msgspec
import numpy as np

from modicum.experiments.comparison_arms import TaskRuns, groups_of
from modicum.statistics.paired import PairedDifference, paired_difference, pairs_needed
from modicum.statistics.task_ratios import TaskRatio, geometric_ratio, ratio_of_task_sums, tasks_needed_for_ratio

RATIO_MEASURES = ("cost_usd", "total_tokens", "completion_tokens", "seconds", "joules")


class ComparisonRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is fixed before anybody looks at results."""

    margin: float = 0.05
    """A loss of success up to this counts as the same."""
    confidence: float = 0.95
    passing: float = 1.0
    """The least outcome that counts as a success."""
    score_max: float = 1.0
    """The greatest outcome that the source gives."""
    repeats: int | None = None
    """k of pass^k; None: as many runs as every task has."""


class SuccessDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The arm's success minus that of the baseline, as shares."""

    tasks: int
    value: float
    low: float
    high: float
    discordant_share: float
    """Tasks whose success differs."""
    is_not_worse: bool
    """A loss beyond the margin is ruled out."""
    is_not_worse_among_all: bool
    """Also when all arms are judged together."""
    all_equal: bool
    """Every graded run of both arms came to the same."""
    tasks_needed: int | None
    """How many tasks would rule out a loss beyond the margin in 80 % of cases if there is none."""
    caution: str = ""
    """Why the interval may be too narrow."""


class ComparedRatio(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as much the arm takes as the baseline, on the same tasks."""

    tasks: int
    value: float | None
    """Geometric mean over tasks of each task's own ratio of mean runs."""
    low: float | None
    high: float | None
    no_interval: str
    of_sums: float | None
    """Ratio of the sums over tasks: what happens to the bill."""
    of_sums_low: float | None
    of_sums_high: float | None
    direction: int
    """-1: less, +1: more, as far as the verdict's interval and the sums say; 0: not shown."""
    direction_among_all: int
    """The same when all arms are judged together (Bonferroni)."""
    tasks_needed: int | None
    """How many tasks would show a ratio like this one in 80 % of cases."""
    caution: str = ""
    """Why the interval may be too narrow."""
    is_lower_bound: bool = False
    """The arm may have taken more than is known: less is then never shown."""
    is_upper_bound: bool = False
    """The baseline may have: more is then never shown."""


class ComparedPair(msgspec.Struct, frozen=True, kw_only=True):
    arm: str
    baseline: str
    tasks: int
    """That both ran."""
    tasks_of_arm_alone: int
    tasks_of_baseline_alone: int
    most_runs: int
    """Of one task under one arm."""
    comparisons: int
    """How many arms are judged together."""
    success: SuccessDifference | None
    """None: no task of both has outcomes."""
    ratios: dict[str, ComparedRatio]
    """By measure."""
    cost_per_success_ratio: ComparedRatio | None
    sentences: list[str] = []


def compare_pair(
    baseline: str,
    arm: str,
    tasks: Mapping[str, Mapping[str, TaskRuns]],
    rules: ComparisonRules,
    *,
    comparisons: int,
) -> ComparedPair:
    """The figures of `arm` beside `baseline`.

    Args:
        baseline: the name of the one.
        arm: the name of the other.
        tasks: the runs of every arm by task.
        rules: margin and levels.
        comparisons: how many such pairs are looked at.
    """
    first, second = tasks[baseline], tasks[arm]
    common = sorted(first.keys() & second.keys())
    before, after = [first[task] for task in common], [second[task] for task in common]
    return ComparedPair(
        arm=arm,
        baseline=baseline,
        tasks=len(common),
        tasks_of_arm_alone=len(second) - len(common),
        tasks_of_baseline_alone=len(first) - len(common),
        most_runs=max((runs.runs for runs in (*before, *after)), default=0),
        comparisons=comparisons,
        success=_difference(before, after, rules, comparisons),
        ratios={measure: _ratio(before, after, measure, rules, comparisons) for measure in RATIO_MEASURES},
        cost_per_success_ratio=_per_success_ratio(before, after, rules),
    )


def _together(rules: ComparisonRules, comparisons: int) -> float:
    """The confidence of each interval at which all hold at once."""
    return 1 - (1 - rules.confidence) / max(1, comparisons)


def _difference(
    before: Sequence[TaskRuns], after: Sequence[TaskRuns], rules: ComparisonRules, comparisons: int
) -> SuccessDifference | None:
    graded = [(one, other) for one, other in zip(before, after, strict=True) if one.graded and other.graded]
    if not graded:
        return None
    first = [one.success or 0.0 for one, _ in graded]
    second = [other.success or 0.0 for _, other in graded]
    groups = groups_of([one for one, _ in graded])
    plain = paired_difference(first, second, confidence=rules.confidence, clusters=groups)
    strict = paired_difference(first, second, confidence=_together(rules, comparisons), clusters=groups)
    return SuccessDifference(
        tasks=plain.pairs_count,
        value=plain.mean,
        low=plain.low,
        high=plain.high,
        discordant_share=plain.discordant_share,
        is_not_worse=plain.not_worse_than(rules.margin),
        is_not_worse_among_all=strict.not_worse_than(rules.margin),
        all_equal=len({*first, *second}) == 1 and first[0] in {0.0, 1.0},
        tasks_needed=_tasks_needed(plain, np.subtract(second, first), rules),
        caution=plain.caution,
    )


def _tasks_needed(difference: PairedDifference, changes: np.ndarray, rules: ComparisonRules) -> int | None:
    """If there is truly no difference. Without any change seen, what the interval needs to become narrow enough."""
    if rules.margin <= 0:
        return None
    error = (1 - rules.confidence) / 2
    effect = difference.design_effect
    needed = pairs_needed(rules.margin, float(np.mean(changes**2)), one_sided_error=error, design_effect=effect) or 0
    # The interval counts one made-up pair of each sign, and so has this width where no pair differs.
    least = NormalDist().inv_cdf(1 - error) * math.sqrt(2) / rules.margin - 2
    return max(needed, math.ceil(least), difference.pairs_count if difference.not_worse_than(rules.margin) else 1)


def _ratio(
    before: Sequence[TaskRuns], after: Sequence[TaskRuns], measure: str, rules: ComparisonRules, comparisons: int
) -> ComparedRatio:
    rows = [
        (one, other, spent, taken)
        for one, other in zip(before, after, strict=True)
        if (spent := one.mean(measure)) is not None and (taken := other.mean(measure)) is not None
    ]
    first, second = [row[2] for row in rows], [row[3] for row in rows]
    groups = groups_of([row[0] for row in rows])
    plain = geometric_ratio(first, second, groups, confidence=rules.confidence)
    strict = geometric_ratio(first, second, groups, confidence=_together(rules, comparisons))
    sums = ratio_of_task_sums(first, second, groups, confidence=rules.confidence)
    needed = (
        tasks_needed_for_ratio(plain.value, plain.spread, confidence=rules.confidence)
        if plain.value is not None and plain.spread is not None
        else None
    )
    bounded = measure == "total_tokens"
    low_bound = bounded and any(row[1].is_lower_bound for row in rows)
    high_bound = bounded and any(row[0].is_lower_bound for row in rows)

    def shown(direction: int) -> int:
        return 0 if (direction < 0 and low_bound) or (direction > 0 and high_bound) else direction

    return ComparedRatio(
        tasks=plain.tasks_count,
        value=plain.value,
        low=plain.low,
        high=plain.high,
        no_interval=plain.no_interval,
        of_sums=sums.value,
        of_sums_low=sums.low,
        of_sums_high=sums.high,
        direction=shown(_direction(plain, sums)),
        direction_among_all=shown(_direction(strict, sums)),
        tasks_needed=needed,
        caution=plain.caution,
        is_lower_bound=low_bound,
        is_upper_bound=high_bound,
    )


def _direction(ratio: TaskRatio, sums: TaskRatio) -> int:
    """A typical task and the bill must agree: one that saves on small tasks and costs on large ones saves nothing."""
    if ratio.high is not None and ratio.high < 1 and sums.value is not None and sums.value < 1:
        return -1
    if ratio.low is not None and ratio.low > 1 and sums.value is not None and sums.value > 1:
        return 1
    return 0


def _per_success_ratio(
    before: Sequence[TaskRuns], after: Sequence[TaskRuns], rules: ComparisonRules
) -> ComparedRatio | None:
    rows = [
        (one, other, spent, taken)
        for one, other in zip(before, after, strict=True)
        if one.graded
        and other.graded
        and (spent := one.mean("cost_usd")) is not None
        and (taken := other.mean("cost_usd")) is not None
    ]
    if not rows:
        return None
    ratio = ratio_of_task_sums(
        [row[2] for row in rows],
        [row[3] for row in rows],
        groups_of([row[0] for row in rows]),
        per_before=[row[0].success or 0.0 for row in rows],
        per_after=[row[1].success or 0.0 for row in rows],
        confidence=rules.confidence,
    )
    return ComparedRatio(
        tasks=ratio.tasks_count,
        value=ratio.value,
        low=ratio.low,
        high=ratio.high,
        no_interval=ratio.no_interval,
        of_sums=ratio.value,
        of_sums_low=ratio.low,
        of_sums_high=ratio.high,
        direction=_direction(ratio, ratio),
        direction_among_all=0,
        tasks_needed=None,
        caution=ratio.caution,
    )
