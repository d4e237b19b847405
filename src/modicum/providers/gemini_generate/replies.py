"""GenerateContentResponses written, as a whole or as a stream, and their words."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modicum.calls import Usage
from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping, text
from modicum.providers.gemini_generate.usage import wire_usage
from modicum.providers.planned_reply import PlannedReply, ReplyWriter
from modicum.providers.reply_text import Pieces, TextReaders

FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}

Json = dict[str, Any]


def whole(plan: PlannedReply) -> bytes:
    parts: list[Json] = [{"text": plan.text}] if plan.pieces else []
    return encode(_response(plan, parts + _calls(plan), plan.usage, FINISH_REASONS[plan.finish]))


def _calls(plan: PlannedReply) -> list[Json]:
    return [{"functionCall": {"name": call.name, "args": call.arguments}} for call in plan.calls]


def _response(plan: PlannedReply, parts: list[Json], usage: Usage | None, finish: str = "") -> Json:
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    wire: Json = {"candidates": [candidate], "modelVersion": plan.model, "responseId": plan.reply_id}
    if usage:
        wire["usageMetadata"] = wire_usage(usage)
    return wire


def responses(plan: PlannedReply) -> Iterator[Json]:
    """The elements of a stream; usage grows with the text."""
    for place, piece in enumerate(plan.pieces):
        yield _response(plan, [{"text": piece}], _so_far(plan, place + 1))
    yield _response(plan, _calls(plan) or [{"text": ""}], plan.usage, FINISH_REASONS[plan.finish])


def _so_far(plan: PlannedReply, pieces: int) -> Usage | None:
    if plan.usage is None:
        return None
    words = sum(len(piece.split()) for piece in plan.pieces[:pieces])
    return msgspec.structs.replace(plan.usage, output_visible=words)


def events(plan: PlannedReply) -> Iterator[bytes]:
    return (b"data: %b\r\n\r\n" % encode(response) for response in responses(plan))


def array(plan: PlannedReply) -> Iterator[bytes]:
    """The same for a caller who did not ask for server-sent events."""
    for place, response in enumerate(responses(plan)):
        yield (b"[" if place == 0 else b",\r\n") + msgspec.json.format(encode(response)) + b"\n"
    yield b"]\n"


def _words_in(reply: Mapping[str, Any]) -> Pieces:
    for candidate in listed(reply.get("candidates"))[:1]:
        for part in listed(mapping(mapping(candidate).get("content")).get("parts")):
            inner = mapping(part)
            yield "" if inner.get("thought") else text(inner.get("text")), "functionCall" in inner


WRITER = ReplyWriter(whole, events, array)
WORDS = TextReaders(_words_in, _words_in)
