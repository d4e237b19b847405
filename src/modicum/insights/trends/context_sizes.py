"""Outcomes and calls by the size of the context: what a history shows, and what else may explain it.

Models are said to read long contexts worse. Whether one's own tasks with long contexts come to less can be seen; why
cannot. Hard tasks have long contexts *because* they are hard, so no figure here is a cause. Two looks go a step
further: the same difference between tasks of one model and project, and failed tools within the same sessions.
"""

import msgspec
import numpy as np

from modicum.insights.history import Flags, Floats, History, Ints
from modicum.statistics.proportions import wilson

EDGES = (0, 25_000, 50_000, 100_000, 150_000, 200_000)
"""Tokens of prompts from which each row begins."""
FEWEST_TASKS = 20
"""With an outcome, in both halves: below it no difference is shown."""
CONFOUNDERS = (
    "hard tasks take more calls, so their contexts grow long because they are hard",
    "models, projects, people and months differ in both; only model and project are held equal below",
    "a session that goes wrong goes on longer",
)


class ContextSizeRow(msgspec.Struct, frozen=True, kw_only=True):
    """Calls, and tasks, whose largest prompt of a main agent has this size."""

    from_tokens: int
    calls: int
    """With a prompt of this size."""
    cost_per_call_usd: float | None
    tool_results: int
    """That came for the replies of these calls."""
    failed_results: int
    failed_low: float | None
    """Of the share of results that failed, 95 %."""
    failed_high: float | None
    tasks: int
    calls_per_task: float | None
    """The median."""
    tasks_with_outcome: int
    reached: int
    """Of them, those with an outcome above 0."""
    reached_low: float | None
    reached_high: float | None


class ContextSizes(msgspec.Struct, frozen=True, kw_only=True):
    rows: list[ContextSizeRow]
    difference: float | None
    """Share of tasks with an outcome above 0: those with larger contexts (above the median) less the others."""
    difference_within: float | None
    """The same between tasks of one model and project, weighed by how many tasks can be compared."""
    tasks_within: int
    """Tasks in such groups."""
    failed_within: float | None
    """Share of tool results that failed behind prompts above a session's median, less that below it: the mean."""
    failed_within_low: float | None
    failed_within_high: float | None
    sessions_within: int
    confounders: list[str]
    lacks: str
    """Which data is missing; empty: none."""


def sum_by_context_size(history: History) -> ContextSizes:
    """What calls and tasks came to, by the size of their contexts. Main agents only."""
    main = history.agent == history.code_of(history.agents, "")
    size = np.where(main, history.prompt, 0)
    largest = np.zeros(len(history.tasks), dtype=np.int64)
    np.maximum.at(largest, history.task, size)
    calls_of = np.bincount(history.task[main], minlength=len(history.tasks))
    values = history.task_values if history.task_values is not None else np.full(len(history.tasks), np.nan)
    results, failed = _results_by_call(history)
    rows = []
    for number, start in enumerate(EDGES):
        end = EDGES[number + 1] if number + 1 < len(EDGES) else np.inf
        calls = main & (size >= start) & (size < end)
        tasks = (largest >= start) & (largest < end) & (calls_of > 0)
        if calls.any() or tasks.any():
            rows.append(_sum_row(history, start, (calls, tasks), (results, failed), (calls_of, values)))
    difference, within, tasks_within = _compare_tasks(history, main, largest, values)
    mean, low, high, sessions = _compare_within_sessions(history, main, results, failed)
    with_outcome = int((~np.isnan(values)).sum())
    lacks = (
        f"outcomes of at least {FEWEST_TASKS} tasks with smaller and as many with larger contexts ({with_outcome} have "
        "one): add them with 'modicum outcome import' or 'modicum outcome from-git'"
    )
    return ContextSizes(
        rows=rows,
        difference=difference,
        difference_within=within,
        tasks_within=tasks_within,
        failed_within=mean,
        failed_within_low=low,
        failed_within_high=high,
        sessions_within=sessions,
        confounders=list(CONFOUNDERS),
        lacks=lacks if difference is None else "",
    )


def _results_by_call(history: History) -> tuple[Ints, Ints]:
    """For every call how many tool results came for its reply, and how many of them were failures. (C,)

    A result enters the context with the call behind it.
    """
    results = (history.segment_kind == history.code_of(history.kinds, "tool_result")) & (history.segment_call > 0)
    call_before = history.segment_call[results] - 1
    same = ~history.first[history.segment_call[results]]
    failures = history.segment_error[results] & same
    count = np.bincount(call_before[same], minlength=history.calls)
    return count, np.bincount(call_before[failures], minlength=history.calls)


def _sum_row(
    history: History,
    start: int,
    chosen: tuple[Flags, Flags],
    of_results: tuple[Ints, Ints],
    of_tasks: tuple[Ints, Floats],
) -> ContextSizeRow:
    (calls, tasks), (results, failed), (calls_of, values) = chosen, of_results, of_tasks
    count, failures = int(results[calls].sum()), int(failed[calls].sum())
    judged = tasks & ~np.isnan(values)
    reached = int((values[judged] > 0).sum())
    failed_low, failed_high = wilson(failures, count) if count else (None, None)
    reached_low, reached_high = wilson(reached, int(judged.sum())) if judged.any() else (None, None)
    priced = calls & ~np.isnan(history.cost_usd)
    return ContextSizeRow(
        from_tokens=start,
        calls=int(calls.sum()),
        cost_per_call_usd=float(history.cost_usd[priced].mean()) if priced.any() else None,
        tool_results=count,
        failed_results=failures,
        failed_low=failed_low,
        failed_high=failed_high,
        tasks=int(tasks.sum()),
        calls_per_task=float(np.median(calls_of[tasks])) if tasks.any() else None,
        tasks_with_outcome=int(judged.sum()),
        reached=reached,
        reached_low=reached_low,
        reached_high=reached_high,
    )


def _compare_tasks(
    history: History, main: Flags, largest: Ints, values: Floats
) -> tuple[float | None, float | None, int]:
    """Larger against smaller contexts: over all tasks, and between those of one model and project."""
    judged = np.flatnonzero(~np.isnan(values) & (largest > 0))
    if len(judged) < 2 * FEWEST_TASKS:
        return None, None, 0
    large = largest[judged] > np.median(largest[judged])
    reached = values[judged] > 0
    if min(int(large.sum()), int((~large).sum())) < FEWEST_TASKS:
        return None, None, 0
    whole = float(reached[large].mean() - reached[~large].mean())
    first = np.full(len(history.tasks), -1, dtype=np.int64)
    calls = np.flatnonzero(main)[::-1]
    first[history.task[calls]] = calls  # the last that is written is the first call
    own = first[judged]
    group = np.unique(history.model[own] * len(history.projects) + history.project[own], return_inverse=True)[1]
    differences, weights, tasks = [], [], 0
    for one in np.unique(group):
        mine = group == one
        ups, downs = mine & large, mine & ~large
        if ups.any() and downs.any():
            differences.append(float(reached[ups].mean() - reached[downs].mean()))
            weights.append(int(ups.sum()) * int(downs.sum()) / int(mine.sum()))
            tasks += int(mine.sum())
    return whole, float(np.average(differences, weights=weights)) if differences else None, tasks


def _compare_within_sessions(
    history: History, main: Flags, results: Ints, failed: Ints
) -> tuple[float | None, float | None, float | None, int]:
    """Failed results behind larger prompts less those behind smaller ones, in the same session: mean and interval."""
    differences = []
    shown = main & (results > 0)
    for task in np.unique(history.task[shown]):
        mine = np.flatnonzero(shown & (history.task == task))
        large = history.prompt[mine] > np.median(history.prompt[mine])
        if large.any() and not large.all():
            shares = [failed[mine[part]].sum() / results[mine[part]].sum() for part in (large, ~large)]
            differences.append(float(shares[0] - shares[1]))
    if len(differences) < FEWEST_TASKS:
        return None, None, None, len(differences)
    mean, reach = float(np.mean(differences)), 1.96 * float(np.std(differences, ddof=1)) / len(differences) ** 0.5
    return mean, mean - reach, mean + reach, len(differences)
