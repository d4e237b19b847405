"""D1: schemas of tools that an agent was shown in every call and never called."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import hash_rows, is_kind, most_expensive, price_segments

FEWEST_CALLS = 30
"""None in 30 calls: with 95 % confidence the tool is used in fewer than one call of ten (rule of three)."""


def find(history: History) -> Finding:
    unused = find_unused_tools(history)
    tokens, usd = price_segments(history, unused)
    calls = np.unique(history.segment_call[unused])
    names = sorted({history.tools[code] for code in np.unique(history.segment_tool[unused])})
    schemas = is_kind(history, "tool_schema")
    return Finding(
        id="D1",
        name="unused_tools",
        title="Tools that are described and never called",
        what=f"Tool schemas that an agent sent with {FEWEST_CALLS} calls or more without using the tool once.",
        finding_class=FindingClass.UPPER_BOUND,
        calls=len(calls),
        tokens=tokens,
        gross_usd=usd,
        change=HistoryChange(segment_tokens=np.where(unused, 0, history.segment_tokens)) if len(calls) else None,
        remedy=f"Remove these tools from this agent, or load them on demand: {', '.join(names[:12]) or 'none'}.",
        guard=f"Agents (by project and name) with fewer than {FEWEST_CALLS} calls are not judged. A tool may be there "
        "for a rare case, so this is an upper bound.",
        examples=most_expensive(history, calls),
        lacks="" if schemas.any() else "tool schemas: these logs do not have them (agents do not log them)",
        details={"tools_shown": len(np.unique(history.segment_tool[schemas])), "tools_unused": len(names)},
    )


def find_unused_tools(history: History) -> Flags:
    agents = hash_rows(history.project, history.agent)
    _, agent = np.unique(agents, return_inverse=True)
    calls = np.bincount(agent, minlength=1)
    owner = agent[history.segment_call]
    used_kinds = is_kind(history, "tool_call", "tool_result")
    pair = hash_rows(owner, history.segment_tool)
    used = np.isin(pair, pair[used_kinds])
    return is_kind(history, "tool_schema") & ~used & (calls[owner] >= FEWEST_CALLS)
