"""What OpenAI's models take of reasoning, by their names. Source, 2026-11:
https://platform.openai.com/docs/guides/reasoning.
"""

import re
from collections.abc import Mapping
from typing import Any

_REASONS = re.compile(r"(?:^|/)(?:o[1-9]|gpt-(?:[5-9]|[1-9]\d))")
_CHATS = re.compile(r"-chat|-search")
_EFFORTS = ((2048, "low"), (8192, "medium"))


def effort_for_budget(thinking: Mapping[str, Any], model: str) -> str:
    """The effort that Anthropic's `thinking` stands for; empty where it says none, or the model takes none."""
    budget = thinking.get("budget_tokens")
    if thinking.get("type") != "enabled" or not isinstance(budget, int):
        return ""
    if not _REASONS.search(model) or _CHATS.search(model):
        return ""
    return next((effort for most, effort in _EFFORTS if budget <= most), "high")
