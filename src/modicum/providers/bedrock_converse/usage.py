"""The usage of Converse: input beside what was read from and written to the prompt cache, writes split by time to live.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html (2026-11).
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Charges, Tier, Usage
from modicum.calls.usage import checked_count
from modicum.providers.body_parsing import MainCounts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.token_buckets import disjoint
from modicum.providers.usage_guard import KnownFields, unknown_numbers

MAIN_COUNTS = MainCounts(("inputTokens",), ("outputTokens",))
KNOWN: KnownFields = {
    "inputTokens": "priced",
    "outputTokens": "priced",
    "totalTokens": "part of both",
    "cacheReadInputTokens": "priced",
    "cacheWriteInputTokens": "priced",
    "cacheReadInputTokenCount": "the same as cacheReadInputTokens, in older replies",
    "cacheWriteInputTokenCount": "the same as cacheWriteInputTokens, in older replies",
    "cacheDetails": {"inputTokens": "priced"},
}
_LONG = "1h"


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usage` object of Converse, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    read = usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount"))
    write = usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount"))
    written = checked_count("cacheWriteInputTokens", write)
    details = [mapping(detail) for detail in listed(usage.get("cacheDetails"))]
    long = sum(checked_count("cacheDetails", one.get("inputTokens")) for one in details if one.get("ttl") == _LONG)
    return disjoint(
        checked_count("inputTokens", usage.get("inputTokens")),
        checked_count("outputTokens", usage.get("outputTokens")),
        read=checked_count("cacheReadInputTokens", read),
        written=(max(written - long, 0), long),
        total=checked_count("totalTokens", usage.get("totalTokens")),
        inside=False,
    )


def charges_from(usage: Mapping[str, Any]) -> Charges:
    """What of it nobody here has a meter for."""
    return Charges(caveats=tuple(unknown_numbers(usage, KNOWN)))


def tier_from(reply: Mapping[str, Any]) -> Tier:
    """The price lane, as the reply (or the last event) names it."""
    return Tier.from_name(text(mapping(reply.get("serviceTier")).get("type")))


def wire_usage(usage: Usage) -> dict[str, Any]:
    """The way back."""
    return {
        "inputTokens": usage.uncached_tokens,
        "outputTokens": usage.completion_tokens,
        "totalTokens": usage.total_tokens,
        "cacheReadInputTokens": usage.cache_read_tokens,
        "cacheWriteInputTokens": usage.cache_write_tokens,
    }
