"""A request of the Messages API block by block."""

from collections.abc import Iterator, Mapping
from typing import Any

from modicum.calls import SegmentKind
from modicum.providers.anthropic_messages.cache_marks import MARK, set_marks, shorten_marks
from modicum.providers.fields import mapping, text
from modicum.providers.prompt import Field, MessagePart, PromptShape, forced_tool, only_text

_KINDS = {
    "thinking": SegmentKind.REASONING,
    "redacted_thinking": SegmentKind.REASONING,
    "image": SegmentKind.IMAGE,
    "document": SegmentKind.DOCUMENT,
}


def _parts(message: Mapping[str, Any]) -> Iterator[MessagePart]:
    role, content = text(message.get("role")), message.get("content")
    plain = _ROLES.get(role, SegmentKind.USER)
    if not isinstance(content, list):
        yield MessagePart(plain, text(content))
        return
    for place, block in enumerate(map(mapping, content)):
        kind = text(block.get("type"))
        if kind == "tool_result":
            answers, is_error = text(block.get("tool_use_id")), block.get("is_error") is True
            plain_text = only_text(block.get("content"))
            yield MessagePart(SegmentKind.TOOL_RESULT, plain_text, block=place, answers=answers, is_error=is_error)
        elif kind == "tool_use":
            call = text(block.get("id")), text(block.get("name")), block.get("input")
            yield MessagePart(SegmentKind.TOOL_CALL, block=place, calls=(call,))
        else:
            plain_text = text(block.get("text")) if kind == "text" else None
            yield MessagePart(_KINDS.get(kind, plain), plain_text, block=place)


_ROLES = {"system": SegmentKind.SYSTEM, "assistant": SegmentKind.ASSISTANT}


def _why_no_text(field: Field) -> str:
    form = mapping(field("output_config")).get("format") or field("output_format")
    return "it wants structured output" if form else forced_tool(field("tool_choice"))


SHAPE = PromptShape(
    "messages",
    _parts,
    _why_no_text,
    system="system",
    ends_with_user=True,
    output_caps=("max_tokens",),
    effort=("output_config", "effort"),
    with_short_marks=shorten_marks,
    with_marks=set_marks,
    mark=f'"{MARK}"'.encode("ascii"),
)
