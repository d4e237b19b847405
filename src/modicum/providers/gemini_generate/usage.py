"""Gemini's usage objects, converted.

`promptTokenCount` includes what came from a cache; `candidatesTokenCount` leaves thoughts out, which are billed as
output; what the provider's own tools put into the prompt is counted beside it. So total = prompt + tool use +
candidates + thoughts. Source: https://ai.google.dev/api/generate-content#UsageMetadata.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Basis, Tier, Usage
from modicum.calls.usage import checked_count, is_counted
from modicum.providers.fields import text


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usageMetadata` object, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    return buckets(
        prompt=checked_count("promptTokenCount", usage.get("promptTokenCount")),
        read=checked_count("cachedContentTokenCount", usage.get("cachedContentTokenCount")),
        tool_use=checked_count("toolUsePromptTokenCount", usage.get("toolUsePromptTokenCount")),
        candidates=checked_count("candidatesTokenCount", usage.get("candidatesTokenCount")),
        thoughts=checked_count("thoughtsTokenCount", usage.get("thoughtsTokenCount")),
    )


def bases_of(usage: Mapping[str, Any]) -> tuple[Basis, Basis]:
    """How a `usageMetadata` object as a whole and its output are known. A prompt that is null was not counted; counts
    of the output are left out where they are 0.
    """
    basis = Basis.counted(is_counted(usage, "promptTokenCount"))
    return basis, basis


def buckets(*, prompt: int, read: int, tool_use: int, candidates: int, thoughts: int) -> Usage:
    """The five counts as buckets. More cached than prompt tokens can only mean that they were counted beside it."""
    uncached = prompt - read if prompt >= read else prompt
    return Usage(
        input_uncached=uncached + tool_use, cache_read=read, output_visible=candidates, output_reasoning=thoughts
    )


def tier_from(usage: Mapping[str, Any]) -> Tier:
    """The price lane: `serviceTier` (Gemini API) or `trafficType` (Vertex)."""
    return Tier.from_name(text(usage.get("serviceTier")) or text(usage.get("trafficType")))


def wire_usage(usage: Usage) -> dict[str, Any]:
    """The way back: our buckets as a `usageMetadata` object."""
    wire: dict[str, Any] = {"promptTokenCount": usage.prompt_tokens, "totalTokenCount": usage.total_tokens}
    if usage.output_visible:
        wire["candidatesTokenCount"] = usage.output_visible
    if usage.output_reasoning:
        wire["thoughtsTokenCount"] = usage.output_reasoning
    if usage.cache_read:
        wire["cachedContentTokenCount"] = usage.cache_read
    return wire
