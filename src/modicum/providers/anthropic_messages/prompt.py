"""A request of the Messages API block by block."""

from collections.abc import Iterator, Mapping
from typing import Any

from modicum.providers.fields import mapping, text
from modicum.providers.prompt import Field, PromptShape, Unit, forced_tool


def _units(index: int, message: Mapping[str, Any]) -> Iterator[Unit]:
    role, content = text(message.get("role")), message.get("content")
    if not isinstance(content, list):
        yield Unit(index, None, role, "", text(content), frozenset())
        return
    for place, block in enumerate(map(mapping, content)):
        link = text(block.get("tool_use_id")) or (text(block.get("id")) if block.get("type") == "tool_use" else "")
        kind = "tool" if block.get("type") == "tool_result" else role
        said = text(block.get("text")) if block.get("type") == "text" else None
        yield Unit(index, place, kind, "", said, frozenset([link] if link else []))


def _why_no_text(field: Field) -> str:
    form = mapping(field("output_config")).get("format") or field("output_format")
    return "it wants structured output" if form else forced_tool(field("tool_choice"))


SHAPE = PromptShape("messages", _units, _why_no_text, system="system", ends_with_user=True)
