"""What the model sees of a request of the Messages API, and what it said in a message.

Source: https://docs.claude.com/en/api/messages.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, canonical, plain, schemas, tool_call, tool_result
from modicum.providers.fields import listed, mapping, text


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
