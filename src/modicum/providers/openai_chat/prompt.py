"""A chat request message by message."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.fields import forced_tool, listed, mapping, only_text, text
from modicum.providers.openai.last_line import content_with_line
from modicum.providers.prompt import Field, MessagePart, PromptShape

_KINDS = {
    "system": SegmentKind.SYSTEM,
    "developer": SegmentKind.SYSTEM,
    "assistant": SegmentKind.ASSISTANT,
    "tool": SegmentKind.TOOL_RESULT,
    "function": SegmentKind.TOOL_RESULT,
}


def _parts(message: Mapping[str, Any]) -> Iterator[MessagePart]:
    kind = _KINDS.get(text(message.get("role")), SegmentKind.USER)
    if kind is SegmentKind.TOOL_RESULT:
        plain_text, answers = only_text(message.get("content")), text(message.get("tool_call_id"))
        yield MessagePart(kind, plain_text, answers=answers)
        return
    called = [mapping(call) for call in listed(message.get("tool_calls"))]
    has_calls = bool(called) or bool(message.get("function_call"))
    plain_text = None if has_calls else only_text(message.get("content"))
    yield MessagePart(
        SegmentKind.TOOL_CALL if has_calls else kind,
        plain_text,
        text(message.get("name")),
        calls=tuple(_call(call) for call in called),
    )


def _call(call: Mapping[str, Any]) -> tuple[str, str, Any]:
    inner = mapping(call.get("function")) or mapping(call.get("custom"))
    return text(call.get("id")), text(inner.get("name")), inner.get("arguments", inner.get("input"))


def _why_no_text(field: Field) -> str:
    kind = mapping(field("response_format")).get("type")
    if kind not in {None, "text"}:
        return "it wants structured output"
    if field("logprobs"):
        return "it wants log probabilities"
    if field("audio") or field("modalities") not in (None, ["text"]):
        return "it wants more than text"
    if field("n") not in {None, 1}:
        return "it wants several choices"
    return forced_tool(field("tool_choice"))


def _with_line(message: dict[str, msgspec.Raw], line: str, _request: Mapping[str, msgspec.Raw]) -> bool:
    """Not behind the model's own words, and not in a message that is marked for the cache as a whole."""
    role = bytes(message.get("role", b"")).strip()
    content = content_with_line(message.get("content"), line, "text")
    if role not in {b'"user"', b'"tool"'} or "cache_control" in message or content is None:
        return False
    message["content"] = content
    return True


SHAPE = PromptShape(
    "messages",
    _parts,
    _why_no_text,
    output_caps=("max_completion_tokens", "max_tokens"),
    effort=("reasoning_effort",),
    with_line=_with_line,
    cache_key="prompt_cache_key",
    result_marks=(b'"tool"', b'"function"'),
)
