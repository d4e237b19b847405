"""Rows of runs -> results that are compared, and what has to be known beside them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from modicum.calls.task_result import TaskResult
from modicum.calls.words.counted_nouns import number_of
from modicum.experiments.evaluation.eval_task import EvalRow


def results_of_rows(rows: Iterable[EvalRow]) -> list[TaskResult]:
    """The cost of judges is in none of them."""
    return [
        TaskResult(
            arm=row.arm,
            task=row.task,
            run_id=row.run_id,
            outcome=row.outcome,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            total_tokens=row.total_tokens,
            cost_usd=row.cost_usd,
            seconds=row.seconds,
            started_at=row.started_at,
            group=row.group,
            place=row.run_id,
        )
        for row in rows
    ]


def sum_judges(rows: Iterable[EvalRow]) -> float | None:
    """What judges cost; None where there was none."""
    costs = [row.judge_cost_usd for row in rows if row.judge_cost_usd is not None]
    return sum(costs) if costs else None


def describe_run(
    rows: Sequence[EvalRow], not_made: int, failures: Mapping[str, int], budget_usd: float | None
) -> list[str]:
    """What was not run or not graded, and why."""
    remarks = []
    if not_made and budget_usd is not None:
        remarks.append(
            f"{number_of(not_made, 'run was', 'runs were')} not made: the next might have passed the budget of "
            f"${budget_usd:g}; the same command with a larger --budget goes on."
        )
    remarks += [
        f"{number_of(count, 'run has', 'runs have')} no reply: {reason}; the same command tries them again."
        for reason, count in failures.items()
    ]
    notes = Counter(row.note for row in rows if row.outcome is None)
    remarks += [
        (f"{number_of(count, 'run')} could not be graded: {note or 'no reason'}.") for note, count in notes.items()
    ]
    others = {row.arm: row.answered_by for row in rows if row.answered_by and not _is_same(row)}
    remarks += [f"{arm} was answered by {model}." for arm, model in others.items()]
    return remarks


def _is_same(row: EvalRow) -> bool:
    """Providers answer with a dated name of the model that was asked; an arm may bear a prompt's name."""
    model = row.arm.partition("/")[0]
    return row.answered_by.startswith(model) or "-" not in model
