"""Calls by kind: the model, who made them, and what their conversation mostly did with tools.

The tools are judged over whole conversations, because another model in the middle of one loses the prompt cache.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from modicum.calls import Call, Entry
from modicum.calls.anatomy import SegmentKind
from modicum.context.tool_work import ToolWork, work_of

MAIN, SUBAGENT = "main", "subagent"
READING, WRITING, OTHER_TOOLS, NO_TOOLS, UNKNOWN = "reads", "writes", "other tools", "no tools", "unknown"


class CallKind(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that are alike. Means are over calls whose usage is known."""

    provider: str
    model: str
    agent: str
    """`main`, the name of an agent or app, or `subagent` where the log has only an id of one run."""
    tools: str
    """What most tool calls of their conversations did; `unknown` where no content was looked at."""
    calls: int
    conversations: int
    cost_usd: Decimal | None
    """Of the calls whose cost is known; None where none is."""
    calls_unpriced: int
    share_of_cost: float | None
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    largest_call_tokens: int
    """Prompt and reply of the largest call."""
    tasks_with_outcome: int
    tasks_reached: int
    """Of them, those with an outcome above 0."""
    sources: list[str]

    @property
    def is_with_tools(self) -> bool:
        return self.tools not in {NO_TOOLS, UNKNOWN}


class KindEntries(msgspec.Struct, frozen=True):
    kind: CallKind
    entries: list[Entry]


def group_calls(entries: Iterable[Entry], task_values: Mapping[str, float]) -> list[KindEntries]:
    """The calls by kind, the dearest first; calls of no price last.

    Args:
        entries: of the ledger.
        task_values: the largest outcome of each task that has one.
    """
    booked: list[Entry] = []
    tools: dict[str, Counter[str]] = {}
    tasks_of_agent: dict[str, set[str]] = {}
    for entry in entries:
        call = entry.call
        if not call.calls_count and not call.usage.total_tokens:  # answered from memory: no model was asked
            continue
        if call.anatomy is not None:
            tools.setdefault(_conversation(call), Counter()).update(_tool_kinds(call))
        tasks_of_agent.setdefault(call.agent, set()).add(call.task)
        booked.append(msgspec.structs.replace(entry, call=msgspec.structs.replace(call, anatomy=None)))
    groups: dict[tuple[str, str, str, str], list[Entry]] = {}
    for entry in booked:
        call = entry.call
        agent = _name_agent(call, len(tasks_of_agent[call.agent]))
        key = call.provider, call.model, agent, _main_kind(tools.get(_conversation(call)))
        groups.setdefault(key, []).append(entry)
    whole = sum((entry.cost.usd or Decimal(0) for entry in booked), Decimal(0))
    kinds = [KindEntries(_sum_kind(key, group, whole, task_values), group) for key, group in groups.items()]
    return sorted(
        kinds,
        key=lambda each: (each.kind.cost_usd is None, -(each.kind.cost_usd or 0), -each.kind.calls, each.kind.model),
    )


def _conversation(call: Call) -> str:
    return call.conversation or call.task or call.call_id


def _tool_kinds(call: Call) -> Iterable[str]:
    assert call.anatomy is not None  # noqa: S101 - only such are given
    for segment in call.anatomy.added:
        if segment.kind is SegmentKind.TOOL_CALL:
            yield _KINDS.get(work_of(segment.tool), OTHER_TOOLS)


_KINDS = {ToolWork.WRITES: WRITING, ToolWork.READS: READING}


def _main_kind(counts: Counter[str] | None) -> str:
    if counts is None:
        return UNKNOWN
    # A tie goes to what needs more of a model.
    order = (WRITING, OTHER_TOOLS, READING)
    return max(order, key=lambda kind: counts[kind]) if counts else NO_TOOLS


def _name_agent(call: Call, tasks: int) -> str:
    """An id names an agent of one task; a name comes again in others."""
    if not call.agent:
        return call.owner.app or MAIN
    return call.agent if tasks > 1 else SUBAGENT


def _sum_kind(
    key: tuple[str, str, str, str], entries: list[Entry], whole: Decimal, task_values: Mapping[str, float]
) -> CallKind:
    provider, model, agent, tools = key
    calls = [entry.call for entry in entries]
    costs = [entry.cost.usd for entry in entries if entry.cost.usd is not None]
    cost = sum(costs, Decimal(0)) if costs else None
    graded = {call.task for call in calls if call.task in task_values}
    return CallKind(
        provider=provider,
        model=model,
        agent=agent,
        tools=tools,
        calls=sum(call.calls_count for call in calls),
        conversations=len({_conversation(call) for call in calls}),
        cost_usd=cost,
        calls_unpriced=sum(entry.call.calls_count for entry in entries if entry.cost.usd is None),
        share_of_cost=float(cost / whole) if whole and cost is not None else None,
        prompt_tokens=sum(call.usage.prompt_tokens for call in calls),
        completion_tokens=sum(call.usage.completion_tokens for call in calls),
        cached_tokens=sum(call.usage.cache_read_tokens for call in calls),
        largest_call_tokens=max(call.usage.total_tokens // max(call.calls_count, 1) for call in calls),
        tasks_with_outcome=len(graded),
        tasks_reached=sum(task_values[task] > 0 for task in graded),
        sources=sorted({call.source for call in calls}),
    )
