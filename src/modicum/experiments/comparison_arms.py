"""One arm alone: its tasks, its success, and what a run and a success take, failures included."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from modicum.calls.task_result import TaskResult
from modicum.statistics.proportions import share_over_tasks
from modicum.statistics.ratios import ratio_of_sums
from modicum.statistics.repeated_passes import pass_hat_k

MEASURES = ("cost_usd", "total_tokens", "prompt_tokens", "completion_tokens", "seconds", "joules")
"""What runs take, by the names of the fields of a result."""


class ComparedFigure(msgspec.Struct, frozen=True, kw_only=True):
    value: float | None
    low: float | None = None
    high: float | None = None
    runs: int
    """Runs whose figures are known, and so are in it."""
    no_interval: str = ""


class PassHatK(msgspec.Struct, frozen=True, kw_only=True):
    k: int
    tasks: int
    """Tasks that ran at least k times."""
    value: float
    low: float | None
    high: float | None


class ComparedArm(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    tasks: int
    runs: int
    runs_without_outcome: int
    runs_passed: int
    success: ComparedFigure
    """Mean over tasks of the share of runs that passed. The interval takes each task for one trial."""
    mean_outcome: float | None
    """Mean over tasks of the outcome itself, where outcomes are not only 0 and 1."""
    pass_hat_k: PassHatK | None
    sums: dict[str, float | None]
    """By measure, over the runs that know it; None where none does."""
    per_run: dict[str, float | None]
    runs_counted: dict[str, int]
    """By measure: how many runs know it."""
    per_success: dict[str, ComparedFigure]
    """Sum over all graded runs that know it, failed ones included, by the runs that passed."""


@dataclass
class TaskRuns:
    """All runs of one task under one arm."""

    group: str = ""
    runs: int = 0
    graded: int = 0
    passed: int = 0
    outcomes: float = 0.0
    is_partial: bool = False
    """An outcome is neither 0 nor 1."""
    is_lower_bound: bool = False
    """Of a run more tokens may have been taken than are known."""
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def success(self) -> float | None:
        """Share of the graded runs that passed; None where none was graded."""
        return self.passed / self.graded if self.graded else None

    def mean(self, measure: str) -> float | None:
        """Of what a run takes, where every run says it."""
        return self.sums[measure] / self.runs if self.counts.get(measure) == self.runs else None


def is_passed(outcome: float, passing: float) -> bool:
    """A sum of parts may miss 1 by a rounding."""
    return outcome >= passing - 1e-9


def groups_of(tasks: Sequence[TaskRuns]) -> list[str] | None:
    """The group of each task, a task without one being its own; None where none has any."""
    if not any(task.group for task in tasks):
        return None
    return [task.group or f"\0{number}" for number, task in enumerate(tasks)]


def gather_tasks(results: Iterable[TaskResult], passing: float) -> dict[str, TaskRuns]:
    """The runs of one arm by task."""
    tasks: dict[str, TaskRuns] = {}
    for result in results:
        task = tasks.setdefault(result.task, TaskRuns())
        task.group = task.group or result.group
        task.runs += 1
        task.is_lower_bound |= result.is_lower_bound
        if result.outcome is not None:
            task.graded += 1
            task.passed += is_passed(result.outcome, passing)
            task.outcomes += result.outcome
            task.is_partial |= result.outcome not in {0.0, 1.0}
        for measure in MEASURES:
            if (figure := getattr(result, measure)) is not None:
                task.sums[measure] = task.sums.get(measure, 0.0) + figure
                task.counts[measure] = task.counts.get(measure, 0) + 1
    return tasks


def summarise_arm(
    name: str, results: Sequence[TaskResult], tasks: dict[str, TaskRuns], passing: float, repeats: int | None
) -> ComparedArm:
    """The figures of one arm over all of its own runs."""
    graded = [task for task in tasks.values() if task.graded]
    sums: dict[str, float | None] = {}
    per_run: dict[str, float | None] = {}
    counts: dict[str, int] = {}
    for measure in MEASURES:
        figures = [figure for result in results if (figure := getattr(result, measure)) is not None]
        counts[measure] = len(figures)
        sums[measure] = sum(figures) if figures else None
        per_run[measure] = sum(figures) / len(figures) if figures else None
    passed = sum(task.passed for task in graded)
    is_partial = any(task.is_partial for task in graded)
    return ComparedArm(
        name=name,
        tasks=len(tasks),
        runs=len(results),
        runs_without_outcome=sum(result.outcome is None for result in results),
        runs_passed=passed,
        success=_success(graded),
        mean_outcome=sum(task.outcomes / task.graded for task in graded) / len(graded) if is_partial else None,
        pass_hat_k=_pass_hat_k(graded, repeats),
        sums=sums,
        per_run=per_run,
        runs_counted=counts,
        per_success={
            measure: _per_success(results, measure, passing) for measure in ("cost_usd", "total_tokens", "joules")
        },
    )


def _success(graded: Sequence[TaskRuns]) -> ComparedFigure:
    runs = sum(task.graded for task in graded)
    if not graded:
        return ComparedFigure(value=None, runs=0, no_interval="no outcomes")
    shares = [task.success or 0.0 for task in graded]
    low, high = share_over_tasks(shares, groups_of(graded))
    return ComparedFigure(value=sum(shares) / len(graded), low=low, high=high, runs=runs)


def _pass_hat_k(graded: Sequence[TaskRuns], repeats: int | None) -> PassHatK | None:
    """By default for as many runs as every task has; None where that is one."""
    k = repeats or min((task.graded for task in graded), default=0)
    if k < 2:
        return None
    chance = pass_hat_k([task.passed for task in graded], [task.graded for task in graded], k)
    if chance is None:
        return None
    return PassHatK(k=k, tasks=chance.tasks_count, value=chance.value, low=chance.low, high=chance.high)


def _per_success(results: Sequence[TaskResult], measure: str, passing: float) -> ComparedFigure:
    rows = [
        (figure, float(is_passed(result.outcome, passing)), result.group or result.task)
        for result in results
        if result.outcome is not None and (figure := getattr(result, measure)) is not None
    ]
    if not rows:
        return ComparedFigure(value=None, runs=0, no_interval="not known")
    spent, passed, clusters = zip(*rows, strict=True)
    ratio = ratio_of_sums(spent, passed, clusters)
    reason = "no success to divide by" if ratio.value is None else ratio.no_interval
    return ComparedFigure(value=ratio.value, low=ratio.low, high=ratio.high, runs=len(rows), no_interval=reason)
