"""What can be seen of a task while it runs: counts that only grow, after each of its calls.

Nothing here looks ahead: a count after a call holds what stood in that call's prompt and what came back, and no more.
So what is learned from tasks that ended can be applied to one that has not.
"""

from dataclasses import dataclass

import numpy as np

from modicum.insights.history import Flags, Floats, History, Ints
from modicum.insights.segment_costs import hash_rows, is_kind

SIGNS = ("calls", "failed_calls", "failed_tools", "repeated_results", "prompt_tokens", "completion_tokens")
WORDS = {
    "calls": "calls",
    "failed_calls": "calls that ended in an error",
    "failed_tools": "tool results that were errors",
    "repeated_results": "tool results that were there before, word for word",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "completion tokens",
}


@dataclass(frozen=True)
class TaskSigns:
    """Calls in order, task after task. (T,): one value a task; (C,): one a call."""

    tasks: list[str]
    first: Ints
    """Where the calls of each task begin. (T,)"""
    calls: Ints
    """How many it has. (T,)"""
    began_s: Floats
    last_s: Floats
    """When its first and its last call began. (T,)"""
    tokens: Floats
    """Prompt and completion tokens so far. (C,)"""
    running: dict[str, Floats]
    """Each sign, after each call. (C,)"""

    @property
    def tokens_in_all(self) -> Floats:
        """(T,)"""
        return np.asarray(self.tokens[self.first + self.calls - 1], np.float64)

    def calls_until(self, sign: str, at_least: float) -> Ints:
        """After how many calls of a task a sign has come so far; more than it has: it never has. (T,)"""
        below = np.add.reduceat((self.running[sign] < at_least).astype(np.int64), self.first)
        return np.asarray(below + 1, np.int64)


def task_signs(history: History) -> TaskSigns:
    """The signs of every task of a history that has a name."""
    named = np.array([bool(task) for task in history.tasks], np.bool_)[history.task] & (history.is_ping == 0)
    places = np.flatnonzero(named)
    order = places[np.lexsort((history.started_s[places], history.task[places]))]
    task = history.task[order]
    first = np.flatnonzero(np.diff(task, prepend=-1))
    counts = np.diff(first, append=len(order))
    started = history.started_s[order]
    added = {name: values[order] for name, values in _added(history).items()}
    running = {name: _sum_within(values, first, counts) for name, values in added.items()}
    return TaskSigns(
        tasks=[history.tasks[code] for code in task[first]],
        first=first,
        calls=counts,
        began_s=started[first],
        last_s=started[first + counts - 1] if len(first) else started,
        tokens=running["prompt_tokens"] + running["completion_tokens"],
        running=running,
    )


def _added(history: History) -> dict[str, Floats]:
    """What each call adds to each sign. (C,)"""
    failing = np.array([status == "error" for status in history.statuses], np.bool_)
    results = is_kind(history, "tool_result")
    return {
        "calls": np.ones(history.calls),
        "failed_calls": failing[history.status].astype(np.float64),
        "failed_tools": _per_call(history, results & history.segment_error),
        "repeated_results": _per_call(history, _find_repeats(history, results)),
        "prompt_tokens": history.prompt.astype(np.float64),
        "completion_tokens": (history.output_visible + history.output_reasoning).astype(np.float64),
    }


def _per_call(history: History, segments: Flags) -> Floats:
    return np.asarray(np.bincount(history.segment_call[segments], minlength=history.calls), np.float64)


def _find_repeats(history: History, results: Flags) -> Flags:
    """Tool results of the same arguments and words as one before them in their conversation."""
    places = np.flatnonzero(results & (history.segment_digest != 0) & (history.segment_detail != 0))
    again = np.zeros(history.segments, np.bool_)
    if len(places):
        conversation = history.conversation[history.segment_call[places]]
        keys = hash_rows(conversation, history.segment_digest[places], history.segment_detail[places])
        _, earliest = np.unique(keys, return_index=True)
        again[places] = True
        again[places[earliest]] = False
    return again


def _sum_within(values: Floats, first: Ints, counts: Ints) -> Floats:
    """Running sums that begin anew with each task."""
    if not len(first):
        return values
    sums = np.cumsum(values)
    before = np.repeat(sums[first] - values[first], counts)
    return np.asarray(sums - before, np.float64)
