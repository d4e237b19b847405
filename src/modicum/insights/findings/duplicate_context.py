"""C1: a block of text that is already in the context, put into it again."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import hash_rows, is_kind, is_live_duplicate, most_expensive, price_segments

FEWEST_TOKENS = 100
"""About 400 characters. Shorter blocks repeat by chance (`ok`, an empty result)."""


def find(history: History) -> Finding:
    doubled = find_duplicates(history)
    tokens, usd = price_segments(history, doubled)
    calls = np.unique(history.segment_call[doubled])
    sizes = np.where(doubled, 0, history.segment_tokens)
    return Finding(
        id="C1",
        name="duplicate_context",
        title="The same text twice in one context",
        what=f"Blocks of {FEWEST_TOKENS} tokens or more that were added although the same text, word for word, was "
        "still in the context: pasted again, attached again, or the same result of another tool call.",
        finding_class=FindingClass.REPLAYED,
        calls=len(calls),
        tokens=tokens,
        gross_usd=usd,
        change=HistoryChange(segment_tokens=sizes) if len(calls) else None,
        remedy="Refer to the earlier block instead of sending it again; attach files once per conversation.",
        guard="Counted only while the first copy is still in the context (a compaction ends that). Not counted: what "
        "the model itself wrote, and the same result of the same tool call, which is a re-read, a check or a loop.",
        examples=most_expensive(history, calls),
        lacks="" if history.segment_digest.any() else "digests of the text: the logs hold usage only",
        details={"blocks": int(doubled.sum())},
    )


def find_duplicates(history: History) -> Flags:
    among = (
        is_kind(history, "user", "tool_result", "document", "system", "tool_schema", "summary")
        & (history.segment_digest != 0)
        & (history.segment_tokens >= FEWEST_TOKENS)
    )
    # The same call with the same result may be a check, a poll or a loop; files read again are a finding of their own.
    same_call = hash_rows(history.segment_digest, history.segment_detail)
    asked_again = is_kind(history, "tool_result") & (history.segment_detail != 0)
    among_results = is_live_duplicate(history, same_call, among & asked_again)
    return is_live_duplicate(history, history.segment_digest, among) & ~among_results
