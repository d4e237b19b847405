"""A1: calls that were paid for and gave nothing: errors, broken replies, and replies cut short and asked for again."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.repetition import backs_off, find_runs
from modicum.insights.segment_costs import find_codes, is_kind, most_expensive

RETRY_SECONDS = 600.0
STORM = 3


def find(history: History) -> Finding:
    broken = np.isin(history.status, find_codes(history.statuses, "error", "aborted"))
    cut_short = np.isin(history.finish_reason, find_codes(history.finish_reasons, "length", "max_tokens", "MAX_TOKENS"))
    paid = np.nan_to_num(history.cost_usd) > 0
    wasted = paid & ((broken & ~_find_used_replies(history)) | (cut_short & ~broken & _find_sent_again(history)))
    tokens = history.prompt + history.output_visible + history.output_reasoning
    return Finding(
        id="A1",
        name="failed_calls",
        title="Calls that failed and were paid for",
        what="Calls that ended in an error or broke off, and whose reply no later call used; and calls whose reply was "
        "cut at its token limit and which were then sent again.",
        finding_class=FindingClass.EXACT,
        calls=int(wasted.sum()),
        tokens=int(tokens[wasted].sum()),
        gross_usd=float(history.cost_usd[wasted].sum()),
        change=HistoryChange(dropped_calls=wasted) if wasted.any() else None,
        remedy="Raise max_tokens where replies are cut short; let the client retry with backoff on 429 and 5xx only, "
        "and keep what was streamed before a break.",
        guard="Not counted: a broken reply that the conversation went on with, and a reply cut short whose call was "
        f"not sent again within {RETRY_SECONDS / 60:.0f} minutes. Failed calls without tokens cost nothing.",
        examples=most_expensive(history, wasted),
        details={"failed_calls_free": int((broken & ~paid).sum()), **_count_storms(history, broken)},
    )


def _count_storms(history: History, broken: Flags) -> dict[str, int]:
    """Three failed calls and more in a row, and those among them with the gaps of a backoff; paid for or not."""
    storms = find_runs(broken, history.conversation, STORM)
    backed = sum(backs_off(history.started_s[storm]) for storm in storms)
    return {"storms": len(storms), "storms_with_backoff": backed}


def _find_used_replies(history: History) -> Flags:
    """Whether the next call of the conversation carries the reply: something the model said came with it."""
    is_reply = is_kind(history, "assistant", "reasoning", "tool_call")
    carries = np.bincount(history.segment_call[is_reply], minlength=history.calls) > 0
    return _shift_back(history, carries)


def _find_sent_again(history: History) -> Flags:
    """Whether the next call sends the same prompt again soon, without the reply in it."""
    same = np.zeros(history.calls, np.bool_)
    same[:-1] = (
        (history.prompt[1:] == history.prompt[:-1])
        & (history.model[1:] == history.model[:-1])
        & (history.started_s[1:] - history.started_s[:-1] <= RETRY_SECONDS)
    )
    return same & _shift_back(history, np.ones(history.calls, np.bool_)) & ~_find_used_replies(history)


def _shift_back(history: History, flags: Flags) -> Flags:
    """For every call the flag of the next call in its conversation; False for the last."""
    found = np.zeros(history.calls, np.bool_)
    found[:-1] = flags[1:] & ~history.first[1:]
    return found
