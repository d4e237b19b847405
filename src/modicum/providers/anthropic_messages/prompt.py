"""A request of the Messages API block by block."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.anthropic_messages.cache_marks import MARK, set_marks, set_ttl
from modicum.providers.fields import forced_tool, mapping, only_text, text
from modicum.providers.prompt import Field, MessagePart, PromptShape

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


def _with_line(message: dict[str, msgspec.Raw], line: str, request: Mapping[str, msgspec.Raw]) -> bool:
    """A block of its own, so that what is marked before it stays as it is. Where the model thinks, a text behind
    results of tools makes some models forget what they thought, and their cache with it: there it goes into the result,
    if that has no mark.
    """
    content, added = message.get("content"), {"type": "text", "text": line}
    if bytes(message.get("role", b"")).strip() != b'"user"' or MARK in request or content is None:
        return False
    given = _decode(content)
    if isinstance(given, str):
        message["content"] = msgspec.Raw(_encode([*([{"type": "text", "text": given}] if given else []), added]))
        return True
    if not isinstance(given, list) or not given:
        return False
    blocks, last = _raws.decode(content), mapping(given[-1])
    if last.get("type") == "tool_result" and text(mapping(_thinking(request)).get("type")) not in {"", "disabled"}:
        inner = last.get("content") or []
        if MARK in last or not isinstance(inner, str | list):
            return False
        inner = [{"type": "text", "text": inner}] if isinstance(inner, str) else inner
        blocks[-1] = msgspec.Raw(_encode({**last, "content": [*inner, added]}))
    else:
        blocks.append(msgspec.Raw(_encode(added)))
    message["content"] = msgspec.Raw(_encode(blocks))
    return True


def _thinking(request: Mapping[str, msgspec.Raw]) -> Any:
    return _decode(request["thinking"]) if "thinking" in request else None


_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode

SHAPE = PromptShape(
    "messages",
    _parts,
    _why_no_text,
    system="system",
    ends_with_user=True,
    output_caps=("max_tokens",),
    effort=("output_config", "effort"),
    with_line=_with_line,
    with_ttl=set_ttl,
    with_marks=set_marks,
    mark=f'"{MARK}"'.encode("ascii"),
    result_marks=(b"tool_result",),
)
