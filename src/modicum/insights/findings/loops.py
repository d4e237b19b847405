"""E1: an agent that goes in circles: the same call with the same result a third time, or a cycle of up to six."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History, Ints
from modicum.insights.repetition import WAIT_SECONDS, find_loops
from modicum.insights.segment_costs import (
    add_tool_calls,
    find_emptied_calls,
    hash_inputs,
    hash_rows,
    is_kind,
    most_expensive,
    price_rounds,
)


def find(history: History) -> Finding:
    results, periods = find_repeated_results(history)
    removed = add_tool_calls(history, results)
    rounds = find_repeated_rounds(history)
    requesting = find_emptied_calls(history, removed)
    tokens, usd = price_rounds(history, removed, requesting)
    # What agents sent each other is priced apart from repeated tool calls, so that no segment is counted twice.
    messages = is_kind(history, "user", "tool_result", "document") & rounds[history.segment_call] & ~removed
    message_tokens, message_usd = price_rounds(history, messages, rounds, rounds)
    removed, dropped = removed | messages, requesting | rounds
    places = np.unique(np.concatenate((history.segment_call[results], np.flatnonzero(rounds))))
    return Finding(
        id="E1",
        name="loops",
        title="Agents going in circles",
        what="The same tool call with the same arguments and the same result three times in a row, cycles of two to "
        "six such calls repeated three times, and agents that send each other the same words a third time. What came "
        "after the second time is counted.",
        finding_class=FindingClass.REPLAYED,
        calls=len(places),
        tokens=tokens + message_tokens,
        gross_usd=usd + message_usd,
        change=HistoryChange(segment_tokens=np.where(removed, 0, history.segment_tokens), dropped_calls=dropped)
        if len(places)
        else None,
        remedy="Stop an agent at the third identical call, and tell it so: a limit on identical calls in the agent's "
        "settings, or the gateway's loop guard.",
        guard=f"Polls are not counted: {WAIT_SECONDS:.0f} seconds or more pass between two calls, or the answer "
        "changes in the end. Nor are the pages of a list: their arguments or their results differ.",
        examples=most_expensive(history, places),
        lacks="" if history.segment_detail.any() else "tool calls and their answers: these logs do not show them",
        details={
            "loops_of_one": int((periods == 1).sum()),
            "loops_of_several": int((periods > 1).sum()),
            "rounds_between_agents": int(rounds.sum()),
            "tasks": len(np.unique(history.task[places])),
        },
    )


def find_repeated_results(history: History) -> tuple[Flags, Ints]:
    """Tool results that are a third or later repeat, and the period of each one's loop."""
    places = np.flatnonzero(is_kind(history, "tool_result") & ~_find_awaited(history))
    known = (history.segment_detail[places] != 0) & (history.segment_digest[places] != 0)
    questions = history.segment_detail[places]
    keys = np.where(known, hash_rows(questions, history.segment_digest[places]), -1)
    groups = history.conversation[history.segment_call[places]]
    periods = find_loops(keys, groups, questions=questions)
    found = np.zeros(history.segments, np.bool_)
    found[places[periods > 0]] = True
    return found, periods[periods > 0]


def _find_awaited(history: History) -> Flags:
    """Tool results that took long to come."""
    gaps = np.zeros(history.calls)
    gaps[1:] = history.started_s[1:] - history.finished_s[:-1]
    gaps[history.first] = 0.0
    return np.nan_to_num(gaps)[history.segment_call] >= WAIT_SECONDS


def find_repeated_rounds(history: History) -> Flags:
    """Calls of tasks with several agents in which an agent gets, for the third time, what it got before, in the same
    order. (C,)
    """
    # Calls without a task are compared within their conversation; its number, made negative, is no number of a task.
    has_no_task = history.task == history.code_of(history.tasks, "")
    group = np.where(has_no_task, -1 - history.conversation, history.task)
    order = np.lexsort((history.started_s, group))
    inputs = hash_inputs(history)[order]
    keys = np.where(inputs >= 0, hash_rows(history.agent[order], inputs), -1)
    periods = find_loops(keys, group[order])
    found = np.zeros(history.calls, np.bool_)
    for place in np.flatnonzero(periods > 1):
        around = history.agent[order[place - periods[place] + 1 : place + 1]]
        found[order[place]] = len(np.unique(around)) > 1
    return found
