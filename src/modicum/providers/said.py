"""What a reply said, as one text, for those who compare answers. Nothing is kept here."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from modicum.providers.bodies import UNREADABLE
from modicum.providers.fields import listed, mapping, text

_decode = msgspec.json.Decoder().decode


class Spoken(NamedTuple):
    text: str
    calls_tools: bool
    """Whether the reply asks for tools: then the agent's turn goes on."""


def spoken(dialect: str, reply: bytes, *, stream: bool) -> Spoken | None:
    """What stands in a whole reply, or in all of a stream's bytes; None where the dialect or the reply is unknown."""
    if dialect not in _WHOLE:
        return None
    try:
        pieces = list(_pieces(dialect, reply, stream=stream))
    except UNREADABLE:
        return None
    return Spoken("".join(said for said, _ in pieces), any(calls for _, calls in pieces))


def _pieces(dialect: str, reply: bytes, *, stream: bool) -> Iterator[tuple[str, bool]]:
    if not stream:
        yield from _WHOLE[dialect](mapping(_decode(reply)))
        return
    for line in reply.splitlines():
        if line.startswith(b"data:") and not line.endswith(b"[DONE]"):
            yield from _EVENT[dialect](mapping(_decode(line[5:])))


def _chat(reply: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for choice in listed(reply.get("choices"))[:1]:
        message = mapping(mapping(choice).get("message"))
        yield text(message.get("content")), bool(message.get("tool_calls"))


def _chat_event(event: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for choice in listed(event.get("choices")):
        if mapping(choice).get("index") in {0, None}:
            delta = mapping(mapping(choice).get("delta"))
            yield text(delta.get("content")), bool(delta.get("tool_calls"))


def _message(reply: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for block in listed(reply.get("content")):
        kind = mapping(block).get("type")
        yield text(mapping(block).get("text")) if kind == "text" else "", kind == "tool_use"


def _message_event(event: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    if event.get("type") == "content_block_start":
        yield "", mapping(event.get("content_block")).get("type") == "tool_use"
    elif event.get("type") == "content_block_delta":
        yield text(mapping(event.get("delta")).get("text")), False


def _response(reply: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for item in listed(reply.get("output")):
        kind = text(mapping(item).get("type"))
        yield "", kind == "function_call"
        if kind == "message":
            for part in listed(mapping(item).get("content")):
                yield text(mapping(part).get("text")), False


def _response_event(event: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    if event.get("type") == "response.completed":
        yield from _response(mapping(event.get("response")))


def _gemini(reply: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for candidate in listed(reply.get("candidates"))[:1]:
        for part in listed(mapping(mapping(candidate).get("content")).get("parts")):
            inner = mapping(part)
            yield "" if inner.get("thought") else text(inner.get("text")), "functionCall" in inner


_WHOLE = {
    "openai-chat": _chat,
    "anthropic-messages": _message,
    "openai-responses": _response,
    "gemini-generate": _gemini,
}
_EVENT = {
    "openai-chat": _chat_event,
    "anthropic-messages": _message_event,
    "openai-responses": _response_event,
    "gemini-generate": _gemini,
}
