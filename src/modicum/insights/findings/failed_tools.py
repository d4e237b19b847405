"""E2: tool calls that failed and were tried again: the failed try was paid for and is carried on."""

import re

import numpy as np

from modicum.insights.carrying import dearest, emptied_calls, mixed, of_kind, rounds_usd, with_their_calls
from modicum.insights.finding import Change, Finding, FindingClass
from modicum.insights.findings.loops import repeated_results
from modicum.insights.history import Flags, History

SHELLS = re.compile(r"bash|shell|exec|terminal|command|run|test", re.IGNORECASE)
STORM = 3


def find(history: History) -> Finding:
    failed = of_kind(history, "tool_result") & history.segment_error
    wasted = retried(history)
    gone = with_their_calls(history, wasted)
    dropped = emptied_calls(history, gone)
    tokens, usd = rounds_usd(history, gone, dropped)
    calls = np.unique(history.segment_call[wasted])
    results = int(of_kind(history, "tool_result").sum())
    return Finding(
        id="E2",
        name="failed_tools",
        title="Tool calls that failed and were tried again",
        what="Failed results behind which the same tool was called again at once: with success, or failing three times "
        "and more in a row. Counted are the failed try, what it left in the context, and the turn that asked for it.",
        finding_class=FindingClass.UPPER_BOUND,
        calls=len(calls),
        tokens=tokens,
        gross_usd=usd,
        change=Change(
            segment_tokens=np.where(gone, 0, history.segment_tokens), dropped_calls=dropped if dropped.any() else None
        )
        if len(calls)
        else None,
        remedy="Say in the tool's description what it refuses (unread file, wrong path, missing argument); validate "
        "arguments before the call.",
        guard="Commands of a shell are not counted: a test that fails is an answer. Nor is a failure behind which "
        "another tool was used, nor what the loops count.",
        examples=dearest(history, calls),
        lacks="" if of_kind(history, "tool_result").any() else "tool results: these logs do not hold them",
        details={
            "failed_results": int(failed.sum()),
            "failed_share": float(failed.sum() / results) if results else 0.0,
        },
    )


def retried(history: History) -> Flags:
    places = np.flatnonzero(of_kind(history, "tool_result"))
    found = np.zeros(history.segments, np.bool_)
    if not len(places):
        return found
    failed = history.segment_error[places]
    group = mixed(history.conversation[history.segment_call[places]], history.segment_tool[places])
    follows = np.zeros(len(places), np.bool_)
    follows[:-1] = group[:-1] == group[1:]
    mended = np.zeros(len(places), np.bool_)
    mended[:-1] = ~failed[1:]
    shell = np.array([bool(SHELLS.search(tool)) for tool in history.tools], np.bool_)[history.segment_tool[places]]
    known = history.segment_tool[places] != history.word(history.tools, "")
    found[places] = failed & ~shell & known & ((follows & mended) | _in_storm(failed, group))
    loops, _ = repeated_results(history)
    return found & ~loops


def _in_storm(failed: Flags, group: np.ndarray) -> Flags:
    """Failures of one tool in a row, of which there are three or more: all behind the first."""
    again = np.zeros(len(failed), np.bool_)
    again[1:] = failed[1:] & failed[:-1] & (group[1:] == group[:-1])
    edges = np.flatnonzero(np.diff(np.concatenate(([False], again, [False])).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start < STORM - 1:
            again[start:end] = False
    return again
