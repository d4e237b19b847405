"""C4: long tool results that every later call carries on."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import History
from modicum.insights.segment_costs import is_kind, most_expensive, price_segments

MOST_TOKENS = 2000


def find(history: History) -> Finding:
    long = np.flatnonzero(is_kind(history, "tool_result") & (history.segment_tokens > MOST_TOKENS))
    tokens, usd = price_segments(history, long, history.segment_tokens[long] - MOST_TOKENS)
    sizes = history.segment_tokens.copy()
    sizes[long] = MOST_TOKENS
    return Finding(
        id="C4",
        name="carried_results",
        title="Long tool results, sent with every later call",
        what=f"Tool results above {MOST_TOKENS:,} tokens. The part above that is written to the context once and sent "
        "again with every later call. The change cuts it when it arrives, so that the prompt cache stays intact.",
        finding_class=FindingClass.HEADROOM,
        calls=len(np.unique(history.segment_call[long])),
        tokens=tokens,
        gross_usd=usd,
        change=HistoryChange(segment_tokens=sizes) if len(long) else None,
        remedy=f"modicum audit --what-if cap_tool_results={MOST_TOKENS}; in the agent: limit what a read or a command "
        "returns, and let it read by range.",
        guard="Part of what is cut may be needed, and the agent would read it again. So this is a bound until an "
        "experiment has shown that outcomes stay as good. It is in no sum.",
        examples=most_expensive(history, history.segment_call[long]),
        lacks="" if is_kind(history, "tool_result").any() else "tool results: these logs do not show them",
        details={"results": len(long), "cap_tokens": MOST_TOKENS},
    )
