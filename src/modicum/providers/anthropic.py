"""Anthropic's usage object, converted.

`input_tokens` excludes what was read from or written to the prompt cache; `cache_creation` splits the writes by time to
live. Output includes thinking; newer replies tell it apart in `output_tokens_details`. Source:
https://docs.claude.com/en/api/messages (usage) and https://docs.claude.com/en/docs/build-with-claude/prompt-caching.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from modicum.calls import Basis, SegmentKind, Tier, Usage
from modicum.calls.usage import MOST_TOKENS, checked_count, is_counted
from modicum.providers.blocks import Block, canonical, plain, schemas, tool_call, tool_result
from modicum.providers.fields import listed, mapping, text

TIERS = {"batch": Tier.BATCH, "priority": Tier.PRIORITY, "standard": Tier.STANDARD}


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
    return Tier.FAST if speed == "fast" else TIERS.get(service_tier or "", Tier.STANDARD)


def tier_from(usage: Mapping[str, Any]) -> Tier:
    return tier(str(usage.get("service_tier")), str(usage.get("speed")))


def web_searches_from(usage: Mapping[str, Any]) -> int:
    tools = usage.get("server_tool_use")
    if not isinstance(tools, Mapping):
        return 0
    return checked_count("web_search_requests", tools.get("web_search_requests"))


def joined(events: Iterable[Any]) -> Mapping[str, Any]:
    """A streamed reply as the message that it would have been, without its content.

    The first event holds the input counts, the last ones the final output count.
    """
    body: dict[str, Any] = {}
    for event in events:
        said = mapping(event)
        if isinstance(said.get("message"), Mapping):
            body.update(said["message"])
        if said.get("type") == "message_delta":
            body["stop_reason"] = mapping(said.get("delta")).get("stop_reason")
            final = {name: count for name, count in mapping(said.get("usage")).items() if count is not None}
            body["usage"] = {**mapping(body.get("usage")), **final}
    return body


def request_blocks(request: Mapping[str, Any]) -> list[Block]:
    """What the model sees of a request, in the order in which the prompt cache does: tools, system, messages."""
    blocks = schemas(request.get("tools"))
    system = request.get("system")
    if isinstance(system, str):
        blocks.append(Block(SegmentKind.SYSTEM, system))
    told = (plain(part) for part in listed(system))
    blocks += [Block(SegmentKind.SYSTEM, said) for said in told if not said.startswith(_BILLING_LINE)]
    for message in listed(request.get("messages")):
        blocks += content_blocks(mapping(message))
    return blocks


_BILLING_LINE = "x-anthropic-billing-header:"
"""Claude Code's first system block since 2.1.77. The API takes it out before the model sees the prompt; it holds a
checksum of the request, so that no context would begin as the one before it."""


def content_blocks(message: Mapping[str, Any]) -> list[Block]:
    """A message: a role, and a text or a list of content blocks."""
    kind = SegmentKind.ASSISTANT if message.get("role") == "assistant" else SegmentKind.USER
    content = message.get("content")
    if isinstance(content, str):
        return [Block(kind, content)]
    return [_block(kind, mapping(part)) for part in listed(content)]


def _block(kind: SegmentKind, part: Mapping[str, Any]) -> Block:
    said = text(part.get("type"))
    if said in {"thinking", "redacted_thinking"}:
        return Block(SegmentKind.REASONING, plain(part.get("thinking") or part.get("data")))
    if said.endswith("tool_use"):
        return tool_call(part.get("name"), part.get("input"), part.get("id"))
    if said.endswith("tool_result"):
        return tool_result(part.get("content"), part.get("tool_use_id"), is_error=part.get("is_error") is True)
    if said == "image":
        return Block(SegmentKind.IMAGE, canonical(part.get("source")))
    if said in {"document", "search_result"}:
        return Block(SegmentKind.DOCUMENT, canonical(part))
    return Block(kind, plain(part))
