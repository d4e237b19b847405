"""Completions of plain text written, as a whole or as chunks, and their words."""

from collections.abc import Iterator, Mapping
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.usage import chat_usage
from modicum.providers.planned_reply import PlannedReply, ReplyWriter
from modicum.providers.reply_text import Pieces, TextReaders


def _wire(plan: PlannedReply, words: str, finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "text": words, "logprobs": None, "finish_reason": finish}
    head = {"id": f"cmpl-{plan.reply_id}", "object": "text_completion", "created": plan.created, "model": plan.model}
    return {**head, "choices": [choice]}


def whole(plan: PlannedReply) -> bytes:
    usage = {"usage": chat_usage(plan.usage)} if plan.usage else {}
    return encode(_wire(plan, plan.text, _finish(plan)) | usage)


def _finish(plan: PlannedReply) -> str:
    return "length" if plan.finish == "length" else "stop"


def events(plan: PlannedReply) -> Iterator[bytes]:
    for piece in plan.pieces:
        yield b"data: %b\n\n" % encode(_wire(plan, piece, None))
    yield b"data: %b\n\n" % encode(_wire(plan, "", _finish(plan)))
    if plan.usage and plan.usage_asked:
        yield b"data: %b\n\n" % encode({**_wire(plan, "", None), "choices": [], "usage": chat_usage(plan.usage)})
    yield b"data: [DONE]\n\n"


def _words_in(reply: Mapping[str, Any]) -> Pieces:
    for choice in listed(reply.get("choices"))[:1]:
        yield text(mapping(choice).get("text")), False


WRITER = ReplyWriter(whole, events)
WORDS = TextReaders(_words_in, _words_in)
