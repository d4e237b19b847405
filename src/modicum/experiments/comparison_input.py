"""Results before they are compared: what contradicts itself, stands twice or cannot be a share is left out by name."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from modicum.calls.task_result import TaskResult
from modicum.calls.words.counted_nouns import noun_for, number_of

SHOWN_PLACES = 3
LEAST, MOST = 1e-12, 1e15
"""What a run can take, in dollars, tokens, seconds or joules; anything beyond is a fault of whoever wrote it."""
_FIGURES = ("prompt_tokens", "completion_tokens", "total_tokens", "cost_usd", "seconds", "joules")


@dataclass
class CheckedResults:
    results: list[TaskResult]
    remarks: list[str] = field(default_factory=list)
    """What was left out and why, in sentences."""


def check_results(results: Iterable[TaskResult], *, score_max: float = 1.0) -> CheckedResults:
    """The results that can be counted. Outcomes are divided by `score_max`."""
    checked = CheckedResults([])
    outside: list[TaskResult] = []
    negative: list[TaskResult] = []
    scaled = [_check_figures(result, score_max, outside, negative) for result in results]
    if outside:
        hint = "" if score_max != 1 else "; if scores run to 100, give --score-max 100"
        checked.remarks.append(
            f"{number_of(len(outside), 'outcome lies', 'outcomes lie')} outside 0..{score_max:g} and "
            f"{noun_for(len(outside), 'counts', 'count')} as not graded{_places(outside)}{hint}."
        )
    if negative:
        checked.remarks.append(
            f"{number_of(len(negative), 'run has', 'runs have')} a negative or impossible figure, taken for "
            f"unknown{_places(negative)}."
        )
    checked.remarks += _describe_free(scaled)
    checked.results = _drop_repeated(scaled, checked.remarks)
    return checked


def _check_figures(
    result: TaskResult, score_max: float, outside: list[TaskResult], negative: list[TaskResult]
) -> TaskResult:
    changes: dict[str, float | None] = {}
    if result.outcome is not None:
        share = result.outcome / score_max
        # A sum of parts may miss 1 by a rounding.
        if not math.isfinite(share) or not -1e-9 <= share <= 1 + 1e-9:
            outside.append(result)
            changes["outcome"] = None
        elif share != result.outcome or not 0 <= share <= 1:
            changes["outcome"] = min(1.0, max(0.0, share))
    wrong = [
        name
        for name in _FIGURES
        if (figure := getattr(result, name)) is not None and not (figure == 0 or LEAST <= figure <= MOST)
    ]
    if wrong:
        negative.append(result)
        changes.update(dict.fromkeys(wrong))
    return msgspec.structs.replace(result, **changes) if changes else result


def _drop_repeated(results: Sequence[TaskResult], remarks: list[str]) -> list[TaskResult]:
    """Each run once. A run that stands twice with other figures is contradictory, and nobody knows which is true."""
    of_run: dict[tuple[str, str, str], list[TaskResult]] = {}
    for result in results:
        if result.run_id:
            of_run.setdefault((result.arm, result.task, result.run_id), []).append(result)
    contradictory, repeated = [], 0
    dropped: set[tuple[str, str, str]] = set()
    for key, rows in of_run.items():
        if len(rows) == 1:
            continue
        if len({_content(row) for row in rows}) > 1:
            contradictory.append(rows[0])
            dropped.add(key)
        else:
            repeated += len(rows) - 1
    if contradictory:
        remarks.append(
            f"{number_of(len(contradictory), 'run stands', 'runs stand')} more than once with different outcomes or "
            f"figures; nobody can say which is true, so they are left out{_places(contradictory)}."
        )
    if repeated:
        remarks.append(
            f"{number_of(repeated, 'row repeats', 'rows repeat')} a run that is there already and "
            f"{noun_for(repeated, 'counts', 'count')} once."
        )
    once: list[TaskResult] = []
    counted: set[tuple[str, str, str]] = set()
    for result in results:
        key = (result.arm, result.task, result.run_id)
        if result.run_id and (key in dropped or key in counted):
            continue
        counted.add(key)
        once.append(result)
    return once


def _describe_free(results: Sequence[TaskResult]) -> list[str]:
    """A cost of 0 is what some tools write for a model whose price they do not know."""
    free: dict[str, int] = {}
    for result in results:
        if result.cost_usd == 0 and result.total_tokens:
            free[result.arm] = free.get(result.arm, 0) + 1
    return [
        f"{arm}: {number_of(count, 'run')} took tokens and cost $0 by their source: free, or of a price that it did "
        "not know; every cost of this arm rests on that."
        for arm, count in free.items()
    ]


def _content(result: TaskResult) -> tuple[float | None, ...]:
    return (result.outcome, *(getattr(result, name) for name in _FIGURES))


def _places(results: Sequence[TaskResult]) -> str:
    places = [result.place for result in results if result.place][:SHOWN_PLACES]
    more = f" and {len(results) - len(places):,} more" if len(results) > len(places) else ""
    return f" ({', '.join(places)}{more})" if places else ""
