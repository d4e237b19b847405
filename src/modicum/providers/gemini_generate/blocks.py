"""What the model sees of Gemini's contents, and what it said in them.

Source: https://ai.google.dev/api/generate-content.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, canonical, tool_call, tool_result
from modicum.providers.fields import listed, mapping, text


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
