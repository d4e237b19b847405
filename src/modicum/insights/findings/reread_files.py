"""C2: a file, a search or a listing read again while the same answer was still in the context."""

import numpy as np

from modicum.context.tool_work import READS, WRITES
from modicum.insights.finding import Finding, FindingClass
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import (
    hash_rows,
    is_kind,
    is_live_duplicate,
    most_expensive,
    remove_rounds,
)


def find(history: History) -> Finding:
    again = find_rereads(history)
    rounds = remove_rounds(history, again)
    return Finding(
        id="C2",
        name="reread_files",
        title="Unchanged files read again",
        what="Results of reading tools that came back word for word for the same arguments, while the first result was "
        "still in the context.",
        finding_class=FindingClass.REPLAYED,
        calls=len(rounds.calls),
        tokens=rounds.tokens,
        gross_usd=rounds.gross_usd,
        change=rounds.change,
        remedy="Tell the agent that an unchanged file need not be read again, or let its read tool answer "
        '"unchanged since your last read".',
        guard="The result must be exactly the same, and the earlier one still in the context. Not counted: a read "
        "directly after a write, which is a check, and shell commands, which may be polls.",
        examples=most_expensive(history, rounds.calls),
        lacks="" if history.segment_detail.any() else "tool calls: these logs do not say what was read",
        details={"reads": int(again.sum())},
    )


def find_rereads(history: History) -> Flags:
    """Tool results that repeat one that is alive."""
    reading = np.array([bool(READS.search(tool)) and not WRITES.search(tool) for tool in history.tools], np.bool_)
    writing = np.array([bool(WRITES.search(tool)) for tool in history.tools], np.bool_)
    among: Flags = (
        is_kind(history, "tool_result")
        & (history.segment_digest != 0)
        & (history.segment_detail != 0)
        & ~history.segment_error
    )
    if not among.any():
        return among
    among &= reading[history.segment_tool] & ~_find_reads_after_writes(history, writing)
    again: Flags = is_live_duplicate(history, hash_rows(history.segment_digest, history.segment_detail), among)
    return again


def _find_reads_after_writes(history: History, writing: Flags) -> Flags:
    """Tool results that came directly behind the result of a writing tool: the agent looks at what it did."""
    results = np.flatnonzero(is_kind(history, "tool_result"))
    conversation = history.conversation[history.segment_call[results]]
    found = np.zeros(history.segments, np.bool_)
    wrote = writing[history.segment_tool[results[:-1]]] & (conversation[1:] == conversation[:-1])
    found[results[1:]] = wrote
    return found
