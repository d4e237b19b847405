"""Embeddings: input tokens only, no streams. Source: https://platform.openai.com/docs/api-reference/embeddings."""

import re
from typing import Any

import msgspec

from modicum.calls import SegmentKind
from modicum.providers import openai
from modicum.providers.blocks import Block, canonical
from modicum.providers.bodies import (
    UNREADABLE,
    asked,
    asked_object,
    counted,
    error_kind_of,
    model_named,
    unreadable,
    word,
)
from modicum.providers.dialect import ReplyFacts, RequestFacts
from modicum.providers.fields import listed, text
from modicum.providers.openai_chat import DIALECT as CHAT
from modicum.providers.openai_errors import error_body
from modicum.providers.stream import EventTail, SilentTail


class _Request(msgspec.Struct):
    model: str | None = None
    user: str | None = None


class _Reply(msgspec.Struct):
    id: Any = None
    model: Any = None
    usage: Any = None
    error: Any = None
    object: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)
_DEPLOYMENT = re.compile(r"/deployments/([^/?]+)/")


class OpenAIEmbeddings:
    """POST /v1/embeddings; on Azure /openai/deployments/{model}/embeddings."""

    name = "openai-embeddings"

    def request(self, body: bytes, path: str) -> RequestFacts:
        told = asked(_request, body)
        model = told.model
        if not model and (deployment := _DEPLOYMENT.search(path)):
            model = deployment[1]
        return RequestFacts(model=model_named(model), user=text(told.user))

    def segments(self, body: bytes) -> list[Block]:
        """One document per input; token ids stand as their JSON."""
        given = asked_object(body).get("input")
        if isinstance(given, str):
            return [Block(SegmentKind.DOCUMENT, given)]
        if any(isinstance(part, int) for part in listed(given)):
            return [Block(SegmentKind.DOCUMENT, canonical(given))]
        return [
            Block(SegmentKind.DOCUMENT, part if isinstance(part, str) else canonical(part)) for part in listed(given)
        ]

    def with_usage_asked(self, body: bytes) -> bytes:
        """The body itself: usage comes unasked."""
        return body

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            told = _reply.decode(body)
        except UNREADABLE:
            return unreadable(body)
        usage, problem = counted(openai.usage_from, told.usage)
        return ReplyFacts(
            reply_id=word(told.id),
            model=word(told.model),
            usage=usage,
            usage_final=usage is not None,
            complete=bytes(told.data).startswith(b"["),
            error_kind=error_kind_of({"error": told.error, "object": told.object}),
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> EventTail:  # noqa: ARG002 - there are no streams
        return SilentTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return error_body(status, message, kind)

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        return CHAT.error_event(status, message, kind)


DIALECT = OpenAIEmbeddings()
