"""E2: tool calls that failed and were tried again: the failed try was paid for, and every later call carries it."""

import re

import numpy as np

from modicum.insights.finding import Finding, FindingClass
from modicum.insights.findings.loops import find_repeated_results
from modicum.insights.history import Flags, History, Ints
from modicum.insights.repetition import backs_off, find_loops, find_runs
from modicum.insights.segment_costs import hash_rows, is_kind, most_expensive, remove_rounds

SHELLS = re.compile(r"bash|shell|exec|terminal|command|run|test", re.IGNORECASE)
STORM = 3


def find(history: History) -> Finding:
    failed = is_kind(history, "tool_result") & history.segment_error
    wasted = find_retried(history)
    rounds = remove_rounds(history, wasted)
    results = int(is_kind(history, "tool_result").sum())
    return Finding(
        id="E2",
        name="failed_tools",
        title="Tool calls that failed and were tried again",
        what="Failed tool results after which the same tool was called again at once, either with success or failing "
        "three or more times in a row. The cost is that of the failed try: its part of the context in all later calls, "
        "and the turn that asked for it.",
        finding_class=FindingClass.UPPER_BOUND,
        calls=len(rounds.calls),
        tokens=rounds.tokens,
        gross_usd=rounds.gross_usd,
        change=rounds.change,
        remedy="Say in the tool's description what it refuses (unread file, wrong path, missing argument); validate "
        "arguments before the call.",
        guard="Shell commands are counted only from the third time on that the same command failed with the same "
        "words: a test that fails is an answer. Not counted: failures after which another tool was used, and what the "
        "finding 'loops' counts.",
        examples=most_expensive(history, rounds.calls),
        lacks="" if is_kind(history, "tool_result").any() else "tool results: these logs do not hold them",
        details={
            "failed_results": int(failed.sum()),
            "failed_share": float(failed.sum() / results) if results else 0.0,
            **_count_storms(history),
        },
    )


def find_retried(history: History) -> Flags:
    places, failed, group = _list_results(history)
    found = np.zeros(history.segments, np.bool_)
    if not len(places):
        return found
    follows = np.zeros(len(places), np.bool_)
    follows[:-1] = group[:-1] == group[1:]
    mended = np.zeros(len(places), np.bool_)
    mended[:-1] = ~failed[1:]
    stormy = np.zeros(len(places), np.bool_)
    for storm in find_runs(failed, group, STORM):
        stormy[storm.start + 1 : storm.stop] = True
    shell = np.array([bool(SHELLS.search(tool)) for tool in history.tools], np.bool_)[history.segment_tool[places]]
    known = history.segment_tool[places] != history.code_of(history.tools, "")
    found[places] = (
        failed & known & np.where(shell, _find_same_failures(history, places, failed), (follows & mended) | stormy)
    )
    loops, _ = find_repeated_results(history)
    return found & ~loops


def _list_results(history: History) -> tuple[Ints, Flags, Ints]:
    """Tool results in order, whether each failed, and a code of its conversation and tool."""
    places = np.flatnonzero(is_kind(history, "tool_result"))
    group = hash_rows(history.conversation[history.segment_call[places]], history.segment_tool[places])
    return places, history.segment_error[places], group


def _find_same_failures(history: History, places: Ints, failed: Flags) -> Flags:
    """The same command that failed in the same words a third time in a row, however long it waited in between, and
    that never had another answer: it was not waiting for something that came.
    """
    questions = history.segment_detail[places]
    known = failed & (questions != 0) & (history.segment_digest[places] != 0)
    keys = np.where(known, hash_rows(questions, history.segment_digest[places]), -1)
    groups = history.conversation[history.segment_call[places]]
    return find_loops(keys, groups, questions=questions, longest_period=1) > 0


def _count_storms(history: History) -> dict[str, int]:
    """Three failures and more of one tool in a row, and those among them with the gaps of a backoff."""
    places, failed, group = _list_results(history)
    storms = find_runs(failed, group, STORM)
    times = history.started_s[history.segment_call[places]]
    return {"storms": len(storms), "storms_with_backoff": sum(backs_off(times[storm]) for storm in storms)}
