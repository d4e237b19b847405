"""On which tasks edits fell: what each rule would have taken out of tool results, by what became of the task."""

import msgspec
import numpy as np

from modicum.insights.history import History


class EditsByOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, on tasks that reached an outcome and on those that did not. No cause: hard tasks are longer."""

    rule: str
    tasks_passed: int
    """With an outcome above 0, in which it would have shortened a result."""
    tasks_failed: int
    """Whose every outcome is 0, likewise."""
    results_passed: int
    results_failed: int
    tokens_passed: int
    """Taken out of these results, once."""
    tokens_failed: int
    share_passed: float | None
    """Of the tokens of all tool results of tasks that passed. None: they have none."""
    share_failed: float | None


def sum_edits_by_outcome(history: History) -> list[EditsByOutcome]:
    """A row for each rule and set of rules that would have shortened a result of a task with an outcome, by name."""
    if history.task_values is None or np.isnan(history.task_values).all():
        return []
    task = history.task[history.segment_call]
    value = history.task_values[task]
    is_result = history.segment_kind == history.code_of(history.kinds, "tool_result")
    passed, failed = is_result & (value > 0), is_result & (value == 0)
    rows = []
    for rule, shares in sorted(history.shortened_shares.items()):
        removed = history.segment_tokens - np.ceil(history.segment_tokens * shares).astype(np.int64)
        edited = removed > 0
        good, bad = edited & passed, edited & failed
        if not (good.any() or bad.any()):
            continue
        rows.append(
            EditsByOutcome(
                rule=rule,
                tasks_passed=len(np.unique(task[good])),
                tasks_failed=len(np.unique(task[bad])),
                results_passed=int(good.sum()),
                results_failed=int(bad.sum()),
                tokens_passed=int(removed[good].sum()),
                tokens_failed=int(removed[bad].sum()),
                share_passed=_share(removed[good].sum(), history.segment_tokens[passed].sum()),
                share_failed=_share(removed[bad].sum(), history.segment_tokens[failed].sum()),
            )
        )
    return rows


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
