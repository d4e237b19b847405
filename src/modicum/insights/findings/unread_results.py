"""C3: the parts of tool results that nothing later referred to."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Floats, History
from modicum.insights.segment_costs import is_kind, most_expensive, price_segments

FEWEST_TOKENS = 200
"""Shorter results are not judged: there is little to trim."""
FEWEST_UNREAD_TOKENS = 100
"""A few lines between others are no waste that anybody could avoid."""
STUB_TOKENS = 20
"""What is left of a result of which nothing was read: a tool call needs an answer."""


def find(history: History) -> Finding:
    shares = _read_shares(history)
    judged = ~np.isnan(shares) & ~history.segment_error & (history.segment_tokens >= FEWEST_TOKENS)
    judged &= is_kind(history, "tool_result", "document")
    kept = np.ceil(np.nan_to_num(shares, nan=1.0) * history.segment_tokens).astype(np.int64)
    unread = history.segment_tokens - np.maximum(kept, STUB_TOKENS)
    trimmed = judged & (unread >= FEWEST_UNREAD_TOKENS)
    tokens, usd = price_segments(history, trimmed, unread[trimmed])
    long = is_kind(history, "tool_result", "document") & (history.segment_tokens >= FEWEST_TOKENS)
    judged_tokens = int(history.segment_tokens[judged].sum())
    return Finding(
        id="C3",
        name="unread_results",
        title="Parts of tool results that nothing referred to",
        what="Lines of long tool results of which nothing comes again later: no name, no path, no number and no four "
        "words in a row, neither in what the model wrote or called nor in what the user wrote. The change keeps only "
        "the lines that were referred to, and those around them, when the result arrives.",
        finding_class=FindingClass.UPPER_BOUND,
        calls=len(np.unique(history.segment_call[trimmed])),
        tokens=tokens,
        gross_usd=usd,
        change=HistoryChange(segment_tokens=history.segment_tokens - np.where(trimmed, unread, 0))
        if trimmed.any()
        else None,
        remedy="Read by range or by pattern instead of whole files; let commands print failures and a summary; ask "
        "tools for the fields that are needed.",
        guard="A model may have read without quoting, and nobody knows in advance which lines it will need, so this is "
        f"an upper bound. Not counted: results below {FEWEST_TOKENS} tokens, fewer than {FEWEST_UNREAD_TOKENS} unread "
        "tokens, failures, results with fewer than five calls after them, and files that a later call named again if "
        "nothing of them was quoted.",
        examples=most_expensive(history, history.segment_call[trimmed]),
        lacks="" if judged.any() else _explain_lack(history),
        details={
            "results_judged": int(judged.sum()),
            "results_not_judged": int((long & ~judged).sum()),
            "results_trimmed": int(trimmed.sum()),
            "results_unread": int((judged & (shares == 0)).sum()),
            "unread_share": float(unread[trimmed].sum() / judged_tokens) if judged_tokens else 0.0,
        },
    )


def _read_shares(history: History) -> Floats:
    shares = history.segment_read_share
    return np.full(history.segments, np.nan) if shares is None else shares


def _explain_lack(history: History) -> str:
    if not is_kind(history, "tool_result", "document").any():
        return "tool results: these logs do not show them"
    return (
        "the text of tool results and replies, which the ledger does not keep: it is compared while logs are read "
        "('modicum import PATH', 'modicum audit PATH'), in conversations that go on for five calls or more"
    )
