"""Traces as results of tasks, and what made up their prompts: for a change that is read from logs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from modicum.calls import Basis, Call, Entry, Segment, SegmentKind, UserError
from modicum.calls.task_result import TaskResult

PAIRS = ("task", "branch", "project", "agent")


def pairing_of(pair: str) -> Callable[[Call], str]:
    """What makes tasks of two sides the same.

    Raises:
        UserError: it is none of what there is.
    """
    name = pair.removeprefix("tag:")
    if name != pair and name:
        return lambda call: call.tags.get(name, "")
    if pair not in PAIRS:
        raise UserError(f"--pair '{pair:.64}' is not known; accepted are {', '.join(PAIRS)}, tag:NAME")
    return lambda call: str(getattr(call, pair))


class TracedSide(NamedTuple):
    """One side of a change, as its traces show it."""

    results: list[TaskResult]
    parts: dict[str, float]
    """Tokens per task of what prompts were made of, each as often as it was sent; empty where nobody looked."""
    calls_per_task: float
    calls_without_task: int


def trace_tasks(entries: Iterable[Entry], pair: str, outcomes: Mapping[str, float]) -> TracedSide:
    """The tasks of these entries: a task of the trace is a run of the task that `pair` names.

    Args:
        entries: of one side.
        pair: `task`, `branch`, `project`, `agent` or `tag:NAME`.
        outcomes: of tasks of the trace, by their name there; others are not graded.
    """
    key_of = pairing_of(pair)
    runs: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    nameless = 0
    for entry in entries:
        key = key_of(entry.call)
        if key and entry.call.task:
            runs[key, entry.call.task].append(entry)
        else:
            nameless += entry.call.calls_count
    results = [_result(key, run, of_run, outcomes.get(run)) for (key, run), of_run in runs.items()]
    every = [entry for of_run in runs.values() for entry in of_run]
    count = max(len(runs), 1)
    parts = {name: tokens / count for name, tokens in _sum_parts(entry.call for entry in every).items()}
    return TracedSide(results, parts, sum(entry.call.calls_count for entry in every) / count, nameless)


def _result(key: str, run: str, entries: list[Entry], outcome: float | None) -> TaskResult:
    calls = [entry.call for entry in entries]
    counted = all(Basis.UNKNOWN not in {call.usage_basis, call.output_basis} for call in calls)
    costs = [entry.cost.usd for entry in entries]
    return TaskResult(
        arm="",
        task=key,
        run_id=run,
        outcome=outcome,
        prompt_tokens=sum(call.usage.prompt_tokens for call in calls) if counted else None,
        completion_tokens=sum(call.usage.completion_tokens for call in calls) if counted else None,
        total_tokens=sum(call.usage.total_tokens for call in calls) if counted else None,
        is_lower_bound=any(Basis.LOWER_BOUND in {call.usage_basis, call.output_basis} for call in calls),
        cost_usd=None if None in costs else float(sum(usd for usd in costs if usd is not None)),
    )


def _sum_parts(calls: Iterable[Call]) -> dict[str, float]:
    """Prompt tokens by what they were: a segment counts in every call that carried it."""
    conversations: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        if call.anatomy is not None:
            conversations[call.task, call.conversation or call.task].append(call)
    sums: dict[str, float] = defaultdict(float)
    for of_one in conversations.values():
        context: list[Segment] = []
        for call in sorted(of_one, key=lambda one: (one.turn, one.started)):
            assert call.anatomy is not None  # noqa: S101 - chosen above
            context = context[: call.anatomy.kept_segments] + list(call.anatomy.added)
            for segment in context:
                sums[_part(segment)] += segment.tokens
    return dict(sums)


def _part(segment: Segment) -> str:
    words = _WORDS.get(segment.kind, segment.kind.value.replace("_", " "))
    return f"{words} of {segment.tool}" if segment.tool else words


_WORDS = {
    SegmentKind.TOOL_RESULT: "results",
    SegmentKind.TOOL_CALL: "calls",
    SegmentKind.TOOL_SCHEMA: "schema",
    SegmentKind.SYSTEM: "system prompt",
    SegmentKind.UNLOGGED: "prompt that no log holds",
}
