"""Arms on the same tasks: how often each succeeds, what a success takes, and what may be concluded.

Rules that hold throughout. Failures are in every sum. Runs of one task are one observation of what tasks are like, so
intervals are over tasks (or groups of them). Arms are compared over the tasks that both ran. What is not known is left
out by name and never 0.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from modicum.calls.errors import UserError, accepted_are
from modicum.calls.outside.tabular import Tabular
from modicum.calls.task_result import TaskResult
from modicum.experiments.comparison_arms import ComparedArm, TaskRuns, gather_tasks, summarise_arm
from modicum.experiments.comparison_input import check_results
from modicum.experiments.comparison_pairs import ComparedPair, ComparisonRules, compare_pair
from modicum.experiments.comparison_sentences import describe_pair, describe_whole
from modicum.experiments.comparison_times import describe_times


class ParetoPoint(msgspec.Struct, frozen=True, kw_only=True):
    """An arm over the tasks that all arms ran: mean over tasks of each task's mean run."""

    name: str
    success: float
    spent: float
    """In the unit of the line."""
    on_line: bool
    """No other arm succeeds as often for less, or more often for as much. By point values, not by intervals."""


class ParetoLine(msgspec.Struct, frozen=True, kw_only=True):
    measure: str
    """`cost_usd`, or `total_tokens` where fewer than two arms know their cost."""
    tasks: int
    points: list[ParetoPoint]
    left_out: list[str]
    """Arms that do not know the measure."""


class ArmComparison(Tabular, msgspec.Struct, frozen=True, kw_only=True):
    """Arms on the same tasks, and each beside the baseline."""

    baseline: str
    rules: ComparisonRules
    arms: list[ComparedArm]
    pairs: list[ComparedPair]
    """Each other arm beside the baseline."""
    line: ParetoLine | None
    remarks: list[str]
    """What was left out, and what cannot be said, with the reason."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """The arms."""
        return [msgspec.structs.asdict(arm) for arm in self.arms]


def compare(
    results: Iterable[TaskResult], rules: ComparisonRules, *, names: Sequence[str] = (), baseline: str = ""
) -> ArmComparison:
    """Compares the arms of these results.

    Args:
        results: of all arms.
        rules: margin and levels.
        names: which arms, in this order; empty: all, as they come.
        baseline: the arm beside which the others are put; empty: the first.

    Raises:
        UserError: there is no such arm, or none at all.
    """
    checked = check_results(results, score_max=rules.score_max)
    by_arm: dict[str, list[TaskResult]] = {}
    for result in checked.results:
        by_arm.setdefault(result.arm, []).append(result)
    if not by_arm:
        why = f": {' '.join(checked.remarks)}" if checked.remarks else ""
        raise UserError(f"there are no results to compare{why}; 'modicum compare --help' shows what can be read")
    chosen = _choose_arms(list(by_arm), names, baseline)
    tasks = {name: gather_tasks(by_arm[name], rules.passing) for name in chosen}
    others = chosen[1:]
    pairs = [compare_pair(chosen[0], name, tasks, rules, comparisons=len(others)) for name in others]
    line = _draw_line(tasks)
    return ArmComparison(
        baseline=chosen[0],
        rules=rules,
        arms=[summarise_arm(name, by_arm[name], tasks[name], rules.passing, rules.repeats) for name in chosen],
        pairs=[msgspec.structs.replace(pair, sentences=describe_pair(pair, rules)) for pair in pairs],
        line=line,
        remarks=[
            *checked.remarks,
            *describe_whole(tasks, pairs, line is not None),
            *_describe_line(line),
            *describe_times({name: by_arm[name] for name in chosen}, chosen[0]),
        ],
    )


def _choose_arms(present: Sequence[str], names: Sequence[str], baseline: str) -> list[str]:
    """The baseline first."""
    for name in (*names, *([baseline] if baseline else [])):
        if name not in present:
            raise UserError(f"there is no arm '{name}'; {accepted_are(sorted(present))}")
    chosen = list(dict.fromkeys(names or present))
    if baseline:
        chosen = [baseline, *(name for name in chosen if name != baseline)]
    return chosen


def _draw_line(tasks: dict[str, dict[str, TaskRuns]]) -> ParetoLine | None:
    """None where fewer than two arms have tasks with a known outcome and cost in common."""
    for measure in ("cost_usd", "total_tokens"):
        known = {
            name: {task for task, runs in of_arm.items() if runs.graded and runs.mean(measure) is not None}
            for name, of_arm in tasks.items()
        }
        knowing = [name for name, of_arm in known.items() if of_arm]
        if len(knowing) > 1 and (common := set.intersection(*(known[name] for name in knowing))):
            break
    else:
        return None
    # Added up in one order, so that arms that are alike come to the same sum.
    ordered = sorted(common)
    means = {
        name: (
            sum(tasks[name][task].success or 0.0 for task in ordered) / len(ordered),
            sum(tasks[name][task].mean(measure) or 0.0 for task in ordered) / len(ordered),
        )
        for name in knowing
    }
    points = [
        ParetoPoint(name=name, success=success, spent=spent, on_line=not _is_beaten(success, spent, means.values()))
        for name, (success, spent) in means.items()
    ]
    left_out = [name for name in tasks if name not in means]
    return ParetoLine(measure=measure, tasks=len(common), points=points, left_out=left_out)


def _describe_line(line: ParetoLine | None) -> list[str]:
    if line is None or not line.left_out:
        return []
    noun = {"cost_usd": "cost"}.get(line.measure, "tokens")
    return [f"The line of best trade-offs is without {', '.join(line.left_out)}, whose {noun} nobody knows."]


def _is_beaten(success: float, spent: float, others: Iterable[tuple[float, float]]) -> bool:
    return any(other >= success and less <= spent and (other > success or less < spent) for other, less in others)
