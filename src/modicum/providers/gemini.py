"""Gemini's usage objects and content, converted.

`promptTokenCount` includes what came from a cache; `candidatesTokenCount` leaves thoughts out, which are billed as
output; what the provider's own tools put into the prompt is counted beside it. So total = prompt + tool use +
candidates + thoughts. Source: https://ai.google.dev/api/generate-content#UsageMetadata.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Basis, SegmentKind, Tier, Usage
from modicum.calls.usage import checked_count, is_counted
from modicum.providers.blocks import Block, canonical, tool_call, tool_result
from modicum.providers.fields import listed, mapping, text

TIERS = {
    "flex": Tier.FLEX,
    "priority": Tier.PRIORITY,
    "on_demand_flex": Tier.FLEX,
    "on_demand_priority": Tier.PRIORITY,
    "batch": Tier.BATCH,
}


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
    said = text(usage.get("serviceTier")) or text(usage.get("trafficType"))
    return TIERS.get(said.lower(), Tier.STANDARD)


def part_blocks(parts: Any, kind: SegmentKind) -> list[Block]:
    """The parts of a content: a string, one part, or a list of parts. `kind` is what plain text counts as."""
    if isinstance(parts, str):
        return [Block(kind, parts)] if parts else []
    blocks = []
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, str):
            blocks.append(Block(kind, part))
        elif isinstance(part, Mapping):
            blocks += _part(part, kind)
    return blocks


def _part(part: Mapping[str, Any], kind: SegmentKind) -> list[Block]:
    if call := mapping(part.get("functionCall")):
        return [tool_call(call.get("name"), call.get("args"), call.get("id") or call.get("name"))]
    if answer := mapping(part.get("functionResponse")):
        response = answer.get("response")
        call_id = answer.get("id") or answer.get("name")
        failed = bool(mapping(response).get("error"))
        said = mapping(response).get("output") or mapping(response).get("error") or canonical(response)
        return [tool_result(said, call_id, tool=answer.get("name"), is_error=failed)]
    if data := part.get("inlineData") or part.get("fileData"):
        is_image = text(mapping(data).get("mimeType")).startswith("image/")
        return [Block(SegmentKind.IMAGE if is_image else SegmentKind.DOCUMENT, canonical(data))]
    said = part.get("text")
    if not isinstance(said, str) or not said:
        return []
    return [Block(SegmentKind.REASONING if part.get("thought") else kind, said)]


def content_blocks(content: Mapping[str, Any]) -> list[Block]:
    """A `Content`: a role and its parts."""
    kind = SegmentKind.ASSISTANT if content.get("role") == "model" else SegmentKind.USER
    return part_blocks(listed(content.get("parts")), kind)
