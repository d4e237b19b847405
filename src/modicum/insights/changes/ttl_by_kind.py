"""A time to live for each kind of conversation, beside the best one for all, and the best two for agent and subagents.

What is best is chosen on one half of the tasks and paid on the other, in turn: a setting that is only best for the
tasks that it was chosen from saves nothing here.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.context.tool_work import READS, WRITES
from modicum.insights.finding import HistoryChange
from modicum.insights.history import Floats, History, Ints
from modicum.insights.replay import Replay

AS_IT_WAS = "as it was"
TOOLS = ("reads", "writes", "other tools", "no tools")


@dataclass(frozen=True)
class TtlChoice:
    """The change, and what was chosen for which kind."""

    change: HistoryChange
    notes: tuple[str, ...]


def choose_ttl(replays: Replay, settings: Mapping[str, Ints]) -> TtlChoice:
    """The best time to live for each kind of conversation.

    Args:
        replays: of the history.
        settings: for each time to live that is offered here, its seconds for every call (-1: as it was).
    """
    history = replays.history
    courses = {AS_IT_WAS: replays.base.cost_usd} | {
        name: replays.run([HistoryChange(ttl_seconds=ttl)]).changed.cost_usd for name, ttl in settings.items()
    }
    unset = np.full(history.calls, -1, dtype=np.int64)
    arrays = {AS_IT_WAS: unset, **settings}
    subagent = (history.agent != history.code_of(history.agents, "")).astype(np.int64)
    tools = _main_tools(history)
    whole = replays.base.total_usd or 1.0
    notes = []
    for title, kind in (
        ("one for all", np.zeros(history.calls, np.int64)),
        ("one for agent and subagents each", subagent),
    ):
        ttl, _ = _choose(history, kind, courses, arrays)
        saved = replays.run([HistoryChange(ttl_seconds=ttl)]).saving_share
        notes.append(f"the best that an agent's settings give, {title}: {percent(saved, sign='+')}")
    kinds = subagent * len(TOOLS) + tools
    ttl, chosen = _choose(history, kinds, courses, arrays)
    for kind in np.unique(kinds).tolist():
        of_kind = kinds == kind
        cost = {name: float(np.nansum(course[of_kind])) for name, course in courses.items()}
        shares = ", ".join(
            f"{name} {percent((cost[AS_IT_WAS] - cost[name]) / whole, 2, sign='+')}" for name in settings
        )
        who = "subagents" if kind >= len(TOOLS) else "main agent"
        words = " or ".join(dict.fromkeys(chosen[kind]))
        notes.append(
            f"{who}, {TOOLS[kind % len(TOOLS)]} ({number_of(int(of_kind.sum()), 'call')}): {words} ({shares} of the "
            "bill)"
        )
    return TtlChoice(HistoryChange(ttl_seconds=ttl), tuple(notes))


def _choose(
    history: History, kind: Ints, courses: Mapping[str, Floats], arrays: Mapping[str, Ints]
) -> tuple[Ints, dict[int, list[str]]]:
    """For each kind and half of the tasks what cost least on the other half; and what was chosen."""
    half = np.array([zlib.crc32(task.encode()) & 1 for task in history.tasks], np.int64)[history.task]
    ttl = np.full(history.calls, -1, dtype=np.int64)
    chosen: dict[int, list[str]] = {}
    for one in np.unique(kind).tolist():
        for here in (0, 1):
            other = (kind == one) & (half != here)
            best = min(courses, key=lambda name, seen=other: float(np.nansum(courses[name][seen])))  # type: ignore[misc]
            chosen.setdefault(one, []).append(best)
            mine = (kind == one) & (half == here)
            ttl[mine] = arrays[best][mine]
    return ttl, chosen


def _main_tools(history: History) -> Ints:
    """For every call what most tool calls of its conversation did: a place in `TOOLS`. (C,)"""
    calls = history.segment_kind == history.code_of(history.kinds, "tool_call")
    words = np.array([0 if READS.search(tool) else 1 if WRITES.search(tool) else 2 for tool in history.tools], np.int64)
    number = np.cumsum(history.first) - 1
    counts = np.zeros((int(number.max(initial=0)) + 1, 3), dtype=np.int64)
    np.add.at(counts, (number[history.segment_call[calls]], words[history.segment_tool[calls]]), 1)
    most = np.where(counts.sum(axis=1) == 0, len(TOOLS) - 1, counts.argmax(axis=1))
    return np.asarray(most[number], np.int64)
