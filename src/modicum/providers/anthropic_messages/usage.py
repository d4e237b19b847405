"""Anthropic's usage object, converted.

`input_tokens` excludes what was read from or written to the prompt cache; `cache_creation` splits the writes by time to
live. Output includes thinking; newer replies tell it apart in `output_tokens_details`. Source:
https://docs.claude.com/en/api/messages (usage) and https://docs.claude.com/en/docs/build-with-claude/prompt-caching.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Basis, Tier, Usage
from modicum.calls.usage import MOST_TOKENS, checked_count, is_counted
from modicum.providers.body_parsing import MainCounts
from modicum.providers.fields import mapping

MAIN_COUNTS = MainCounts(("input_tokens",), ("output_tokens",))


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usage` object of the Messages API, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    split = usage.get("cache_creation")
    if not isinstance(split, Mapping):
        split = {}
    counts = {
        "input_tokens": usage.get("input_tokens"),
        "cache_read_input_tokens": usage.get("cache_read_input_tokens"),
        "cache_creation_input_tokens": usage.get("cache_creation_input_tokens"),
        "ephemeral_5m_input_tokens": split.get("ephemeral_5m_input_tokens"),
        "ephemeral_1h_input_tokens": split.get("ephemeral_1h_input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "thinking_tokens": mapping(usage.get("output_tokens_details")).get("thinking_tokens"),
    }
    return buckets(*(checked_count(name, count) for name, count in counts.items()))


def bases_of(usage: Mapping[str, Any]) -> tuple[Basis, Basis]:
    """How a `usage` object as a whole and its output are known: what is null was not counted."""
    has_input = is_counted(usage, "input_tokens")
    return Basis.counted(has_input), Basis.counted(has_input and is_counted(usage, "output_tokens"))


def buckets(
    uncached: int, read: int, written: int, written_5m: int, written_1h: int, output: int, thinking: int = 0
) -> Usage:
    """The counts of a usage object as buckets. `written` is the total of the two writes, as a rule; `thinking` is the
    part of `output` that it is, where it is told.

    Raises:
        ValueError: a count is negative or more than any call can hold.
    """
    # Some gateways fill in only the total or only the split.
    short = max(written - written_1h, written_5m)
    if min(uncached, read, written, written_5m, written_1h, output, thinking) < 0:
        raise ValueError("a token count is negative")
    if max(uncached, read, written, written_5m, written_1h, output) > MOST_TOKENS:
        raise ValueError("a token count is more than any call can hold")
    thinking = min(thinking, output)
    return Usage(uncached, read, short, written_1h, output - thinking, thinking)


def tier(service_tier: str | None, speed: str | None) -> Tier:
    """The price lane: fast mode stands above the service tier."""
    return Tier.FAST if speed == "fast" else Tier.from_name(service_tier or "")


def tier_from(usage: Mapping[str, Any]) -> Tier:
    return tier(str(usage.get("service_tier")), str(usage.get("speed")))


def web_searches_from(usage: Mapping[str, Any]) -> int:
    tools = usage.get("server_tool_use")
    if not isinstance(tools, Mapping):
        return 0
    return checked_count("web_search_requests", tools.get("web_search_requests"))


def web_searches_in(usage: Mapping[str, Any]) -> int:
    """As `web_searches_from`; 0 where the figure is none."""
    try:
        return web_searches_from(usage)
    except ValueError:
        return 0


def wire_usage(usage: Usage) -> dict[str, Any]:
    """The way back: our buckets as the API's usage object. Its output includes reasoning."""
    wire: dict[str, Any] = {
        "input_tokens": usage.input_uncached,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
        "service_tier": "standard",
    }
    if usage.output_reasoning:
        wire["output_tokens_details"] = {"thinking_tokens": usage.output_reasoning}
    return wire
