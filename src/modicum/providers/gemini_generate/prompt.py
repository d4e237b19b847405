"""A request of generateContent part by part. Google's JSON takes field names in camelCase and in snake_case.

Effort is not written: Gemini 2.5 takes a number of tokens, Gemini 3 a level, and each refuses the other's field.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.body_parsing import snake_case
from modicum.providers.fields import listed, mapping, text
from modicum.providers.prompt import Field, MessagePart, PromptShape

_CALL, _RESULT = "functionCall", "functionResponse"
_TEXTS = ("output", "result", "error", "content")
"""The one field of a function's response that is its text, as the official clients write it."""
_decode = msgspec.json.Decoder().decode


def _either(holder: Mapping[str, Any], name: str) -> Any:
    """A field in either spelling."""
    return holder.get(name, holder.get(snake_case(name)))


def _with_call_ids(messages: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Results follow their calls by name and order, where there are no ids: the API gives them for some models only."""
    numbers, waiting = count(), defaultdict[str, deque[str]](deque)
    return [
        {**message, "parts": [_with_id(mapping(part), numbers, waiting) for part in listed(message.get("parts"))]}
        for message in messages
    ]


def _with_id(part: Mapping[str, Any], numbers: Iterator[int], waiting: Mapping[str, deque[str]]) -> Mapping[str, Any]:
    if call := mapping(_either(part, _CALL)):
        name = text(call.get("name"))
        own = text(call.get("id")) or f"{name} {next(numbers)}"
        waiting[name].append(own)
        return {**part, _CALL: {**call, "id": own}}
    if result := mapping(_either(part, _RESULT)):
        calls, own = waiting[text(result.get("name"))], text(result.get("id"))
        if own in calls:
            calls.remove(own)
        elif calls and not own:
            own = calls.popleft()
        return {**part, _RESULT: {**result, "id": own}}
    return part


def _parts(message: Mapping[str, Any]) -> Iterator[MessagePart]:
    plain = SegmentKind.ASSISTANT if text(message.get("role")) == "model" else SegmentKind.USER
    for place, part in enumerate(map(mapping, listed(message.get("parts")))):
        if call := mapping(part.get(_CALL)):
            made = text(call.get("id")), text(call.get("name")), call.get("args")
            yield MessagePart(SegmentKind.TOOL_CALL, block=place, calls=(made,))
        elif result := mapping(part.get(_RESULT)):
            response = mapping(result.get("response"))
            content = response.get(_text_field(response))
            yield MessagePart(
                SegmentKind.TOOL_RESULT,
                content if isinstance(content, str) else None,
                block=place,
                answers=text(result.get("id")),
                is_error="error" in response,
            )
        elif data := mapping(_either(part, "inlineData") or _either(part, "fileData")):
            is_image = text(_either(data, "mimeType")).startswith("image/")
            yield MessagePart(SegmentKind.IMAGE if is_image else SegmentKind.DOCUMENT, block=place)
        else:
            kind = SegmentKind.REASONING if part.get("thought") is True else plain
            content = part.get("text")
            yield MessagePart(kind, content if isinstance(content, str) else None, block=place)


def _text_field(response: Mapping[str, Any]) -> str:
    """The field that is all of a function's response; empty: it is more than a text."""
    return next((name for name in _TEXTS if name in response and len(response) == 1), "")


def _with_text(part: msgspec.Raw, replaced: str) -> msgspec.Raw:
    fields: dict[str, Any] = _decode(part)
    name = next((name for name in (_RESULT, snake_case(_RESULT)) if name in fields), "")
    if name:
        response = fields[name]["response"]
        fields[name] = {**fields[name], "response": {_text_field(response): replaced}}
    else:
        fields["text"] = replaced
    return msgspec.Raw(msgspec.json.encode(fields))


def _why_no_text(field: Field) -> str:
    config = mapping(field("generationConfig"))
    if _either(config, "responseMimeType") not in {None, "", "text/plain"}:
        return "it wants structured output"
    if _either(config, "responseLogprobs"):
        return "it wants log probabilities"
    if _either(config, "responseModalities") not in (None, [], ["TEXT"]):
        return "it wants more than text"
    if _either(config, "candidateCount") not in {None, 1}:
        return "it wants several choices"
    calling = mapping(_either(mapping(field("toolConfig")), "functionCallingConfig"))
    return "it wants a tool call" if text(calling.get("mode")).upper() == "ANY" else ""


def _as_parts(content: str) -> dict[str, Any]:
    return {"parts": [{"text": content}]}


def _as_user_message(content: str) -> dict[str, Any]:
    return {"role": "user", **_as_parts(content)}


SHAPE = PromptShape(
    "contents",
    _parts,
    _why_no_text,
    system="systemInstruction",
    ends_with_user=True,
    output_caps=("maxOutputTokens",),
    options="generationConfig",
    blocks="parts",
    schemas="functionDeclarations",
    snake_case=True,
    with_call_ids=_with_call_ids,
    with_text=_with_text,
    as_instructions=_as_parts,
    as_user_message=_as_user_message,
    result_marks=(b"unctionResponse", b"function_response"),
)
