"""Changes as people type them: `cache_ttl=1h`, `cap_tool_results=2000`, `model:NAME=OTHER`, `tier=batch`."""

from dataclasses import dataclass

import numpy as np

from modicum.calls import Tier
from modicum.calls.errors import unknown_name
from modicum.insights.finding import FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.replay import check_model_price
from modicum.metering.prices import PriceBook

FORMS = (
    "cache_ttl=5m|1h|off",
    "cap_tool_results=TOKENS",
    "cap_output=TOKENS",
    "model:NAME=OTHER",
    "tier=batch|flex|priority",
)
LONGEST_COUNT = 9
"""Digits of a number of tokens."""
_TTL_S = {"5m": 300, "1h": 3600, "off": 0}


@dataclass(frozen=True)
class WhatIf:
    name: str
    """As it was typed."""
    finding_class: FindingClass
    change: HistoryChange


def parse_what_if(text: str, history: History, prices: PriceBook) -> WhatIf:
    """The change that a `--what-if` means for this history.

    Raises:
        UserError: it has none of the known forms, or names a model that is not there or has no price.
    """
    name, _, value = text.partition("=")
    if name == "cache_ttl" and value in _TTL_S:
        change = HistoryChange(ttl_seconds=np.full(history.calls, _TTL_S[value], dtype=np.int64))
        return WhatIf(text, FindingClass.REPLAYED, change)
    if name == "cap_tool_results" and _is_count(value):
        return WhatIf(text, FindingClass.HEADROOM, cap_tool_results(history, int(value)))
    if name == "cap_output" and _is_count(value):
        change = HistoryChange(max_output_tokens=np.full(history.calls, int(value), dtype=np.int64))
        return WhatIf(text, FindingClass.HEADROOM, change)
    if name.startswith("model:") and value:
        old = name.removeprefix("model:")
        olds = [model for model in history.models if model == old or model.startswith(f"{old}-")]
        if not olds:
            raise unknown_name("call to", old, sorted(history.models))
        check_model_price(prices, history, value)
        return WhatIf(text, FindingClass.HEADROOM, HistoryChange(models=dict.fromkeys(olds, value)))
    if name == "tier" and value in {tier.value for tier in Tier}:
        return WhatIf(text, FindingClass.HEADROOM, HistoryChange(tier=value))
    raise unknown_name("change that can be replayed called", text, FORMS)


def _is_count(value: str) -> bool:
    return value.isdecimal() and len(value) <= LONGEST_COUNT


def cap_tool_results(history: History, most_tokens: int) -> HistoryChange:
    """Every tool result cut to so many tokens when it arrives."""
    sizes = np.where(
        find_tool_results(history), np.minimum(history.segment_tokens, most_tokens), history.segment_tokens
    )
    return HistoryChange(segment_tokens=sizes)


def find_tool_results(history: History) -> Flags:
    found: Flags = history.segment_kind == history.code_of(history.kinds, "tool_result")
    return found
