"""Tasks of the ledger as results: the arm is a dimension of their calls, the outcome theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from modicum.calls.task_result import TaskResult, total_of
from modicum.calls.words.counted_nouns import noun_for, number_of

Row = Mapping[str, Any]


@dataclass
class LedgerResults:
    results: list[TaskResult] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def results_of_ledger(rows: Iterable[Row], by: str, pair: str) -> LedgerResults:
    """The tasks that belong to one arm, and in sentences why others are left out.

    Args:
        rows: of the question `task_arms`, with `joules` and `calls_measured` where energy was measured.
        by: what names the arms, as it was typed.
        pair: what tasks are matched by, as it was typed.
    """
    of_task: dict[str, list[Row]] = {}
    for row in rows:
        of_task.setdefault(row["task"], []).append(row)
    ledger = LedgerResults()
    several = unmatched = contradictory = nameless = 0
    for task, parts in of_task.items():
        if len({part["name"] for part in parts}) > 1:
            several += 1
        elif not parts[0]["name"]:
            nameless += 1
        elif len(parts) > 1 or not parts[0]["case_name"]:
            unmatched += 1
        else:
            contradictory += _is_contradictory(parts[0])
            ledger.results.append(_result(task, parts[0]))
    if several:
        ledger.remarks.append(
            f"{number_of(several, 'task')} worked under more than one {by}: their outcome is that of no arm alone, so "
            "they are left out; a tag that names the arm (--by tag:NAME) keeps them."
        )
    if nameless:
        ledger.remarks.append(
            f"{number_of(nameless, 'task has', 'tasks have')} no {by} and {noun_for(nameless, 'is', 'are')} left out."
        )
    if unmatched:
        ledger.remarks.append(
            f"{number_of(unmatched, 'task has', 'tasks have')} no {pair}, or several, and cannot be matched; left out."
        )
    if contradictory:
        ledger.remarks.append(
            f"{number_of(contradictory, 'task has', 'tasks have')} contradictory values of this outcome, so not "
            "graded: nobody can say which is true."
        )
    return ledger


def _is_contradictory(row: Row) -> bool:
    return bool(row["value_low"] != row["value_high"])


def _result(task: str, row: Row) -> TaskResult:
    counted = not row["calls_uncounted"]
    prompt = int(row["prompt_tokens"]) if counted else None
    completion = int(row["completion_tokens"]) if counted else None
    measured = row.get("calls_measured", 0) == row["calls"] and row["calls"] > 0
    graded = row["value_low"] is not None and not _is_contradictory(row)
    return TaskResult(
        arm=row["name"],
        task=row["case_name"],
        run_id=task,
        outcome=float(row["value_low"]) if graded else None,
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total_of(prompt, completion),
        cost_usd=None if row["calls_unpriced"] or row["cost_usd"] is None else float(row["cost_usd"]),
        seconds=None if row["calls_endless"] else float(row["seconds"]),
        joules=float(row["joules"]) if measured else None,
        started_at=row.get("began"),
        place=f"task {task}",
    )
