"""F1: conversations that only looked things up, on a model made for harder work."""

import re

import numpy as np

from modicum.context.tool_work import READS, WRITES
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import is_kind, most_expensive

MOST_OUTPUT_TOKENS = 400
SMALLER = (
    (r"claude-(opus|sonnet|3-[57]-sonnet|3-opus)", "claude-haiku-4-5"),
    (r"gpt-4o(?!-mini)", "gpt-4o-mini"),
    (r"gpt-4\.1(?!-mini|-nano)", "gpt-4.1-mini"),
    (r"gpt-5(?!.*(mini|nano))", "gpt-5-mini"),
    (r"gemini-2\.5-pro", "gemini-2.5-flash"),
    (r"gemini-3.*-pro", "gemini-3-flash-preview"),
)
"""A model of the same maker one size down (their model pages, 2026)."""


def find(history: History) -> Finding:
    models = {model: other for model in history.models if (other := find_smaller_model(model))}
    small = find_small_work(history) & np.isin(history.model, [history.models.index(model) for model in models])
    tokens = history.prompt + history.output_visible + history.output_reasoning
    return Finding(
        id="F1",
        name="oversized_models",
        title="Small work on a large model",
        what=f"Conversations in which every reply had fewer than {MOST_OUTPUT_TOKENS} tokens and only tools that read "
        "were called. They are replayed on a smaller model of the same maker, which starts with an empty cache.",
        finding_class=FindingClass.HEADROOM,
        calls=int(small.sum()),
        tokens=int(tokens[small].sum()),
        gross_usd=float(np.nansum(history.cost_usd[small])),
        change=HistoryChange(models=models, model_calls=small) if small.any() else None,
        remedy="Give lookup work to a subagent with the smaller model, and check the result with an experiment: "
        + ("; ".join(f"{model} -> {other}" for model, other in sorted(models.items())[:3]) or "no smaller model known"),
        guard="Whole conversations only, because a change of model in the middle would lose the cache. Whether the "
        "smaller model does as well is not known, so this is headroom and in no sum.",
        examples=most_expensive(history, small),
    )


def find_smaller_model(model: str) -> str:
    """The smaller model, or empty where none is known."""
    return next((other for pattern, other in SMALLER if re.search(pattern, model)), "")


def find_small_work(history: History) -> Flags:
    """Calls of conversations that only looked things up."""
    if not history.calls:
        return np.zeros(0, np.bool_)
    output = history.output_visible + history.output_reasoning
    writes = np.array([bool(WRITES.search(tool)) or not READS.search(tool) for tool in history.tools], np.bool_)
    acted = np.zeros(history.calls, np.bool_)
    if len(writes):
        did = is_kind(history, "tool_call") & writes[history.segment_tool]
        acted[history.segment_call[did]] = True
    large = (output >= MOST_OUTPUT_TOKENS) | acted
    starts = np.flatnonzero(history.first)
    any_large = np.add.reduceat(large.astype(np.int64), starts) > 0
    found: Flags = ~any_large[np.cumsum(history.first) - 1]
    return found
