"""D2: what every conversation begins with: system prompt, tool schemas and all that is sent before the task."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass
from modicum.insights.history import History
from modicum.insights.segment_costs import is_kind, most_expensive, price_segments


def find(history: History) -> Finding:
    fixed = is_kind(history, "prefix", "system", "tool_schema")
    tokens, usd = price_segments(history, fixed)
    firsts = np.flatnonzero(history.first)
    spent = float(np.nansum(history.cost_usd))
    return Finding(
        id="D2",
        name="fixed_overhead",
        title="What every conversation begins with",
        what="System prompt, tool schemas and instructions: sent before the task is, and carried by every call.",
        finding_class=FindingClass.INFO,
        calls=len(firsts) if fixed.any() else 0,
        tokens=tokens,
        gross_usd=usd,
        remedy="Shorten instruction files, switch off servers and tools that are not used, load the rest on demand.",
        guard="This is no claim of a saving: much of it is what makes the agent work.",
        examples=most_expensive(history, firsts),
        lacks="" if fixed.any() else "the parts of prompts: these logs do not show what a prompt begins with",
        details={
            "first_prompt_median_tokens": float(np.median(history.prompt[firsts])) if len(firsts) else 0.0,
            "share_of_cost": usd / spent if spent else 0.0,
        },
    )
