"""The responses API. A stream tells usage unasked: its last event holds the whole response.

Sources: https://platform.openai.com/docs/api-reference/responses,
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers import openai
from modicum.providers.blocks import Block
from modicum.providers.bodies import (
    UNREADABLE,
    asked,
    asked_object,
    counted,
    encoded,
    error_kind_of,
    model_named,
    output_of,
    session_of,
    texts_of,
    unreadable,
    word,
)
from modicum.providers.dialect import DialectError, ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai_errors import error_body
from modicum.providers.stream import EventTail


class _Request(msgspec.Struct):
    model: str | None = None
    stream: bool | None = None
    background: bool | None = None
    max_output_tokens: int | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    conversation: Any = None
    metadata: Any = None


class _Item(msgspec.Struct):
    type: Any = None


class _Reply(msgspec.Struct):
    """The fields of a response that are read; `output` is decoded only where it must be."""

    id: Any = None
    model: Any = None
    status: Any = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None
    object: Any = None
    incomplete_details: Any = None
    output: msgspec.Raw = msgspec.Raw(b"[]")


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)
_items = msgspec.json.Decoder(list[_Item])


class OpenAIResponses:
    """POST /v1/responses."""

    name = "openai-responses"

    def request(self, body: bytes, path: str) -> RequestFacts:  # noqa: ARG002 - the path tells nothing here
        """As `Dialect.request`; a background response is refused, for its usage comes with no reply of this call."""
        told = asked(_request, body)
        if told.background:
            raise DialectError(400, "'background' is not served here: its tokens would be counted nowhere")
        conversation = told.conversation if isinstance(told.conversation, str) else mapping(told.conversation).get("id")
        return RequestFacts(
            model=model_named(told.model),
            stream=bool(told.stream),
            most_output_tokens=told.max_output_tokens,
            user=text(told.user or told.safety_identifier),
            session=text(conversation) or session_of(told.prompt_cache_key),
            metadata=texts_of(told.metadata) if told.metadata else {},
        )

    def segments(self, body: bytes) -> list[Block]:
        return openai.request_blocks(asked_object(body))

    def with_usage_asked(self, body: bytes) -> bytes:
        """The body itself: usage comes unasked."""
        return body

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            return _facts(_reply.decode(body))
        except UNREADABLE:
            return unreadable(body)

    def tail(self, usage_asked: bool) -> EventTail:  # noqa: ARG002 - usage comes unasked
        return ResponseTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return error_body(status, message, kind)

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        code = text(kind) or f"status_{status}"
        event = {"type": "error", "sequence_number": 0, "code": code, "message": text(message), "param": None}
        return b"event: error\ndata: %b\n\n" % encoded(event)


def _facts(told: _Reply) -> ReplyFacts:
    usage, problem = counted(openai.usage_from, told.usage)
    made, made_size = ("", 0) if usage else output_of(_output_blocks(told.output))
    status = text(told.status)
    return ReplyFacts(
        reply_id=word(told.id),
        model=word(told.model),
        usage=usage,
        usage_final=usage is not None,
        tier=openai.tier_from({"service_tier": told.service_tier}),
        web_searches=_web_searches(told.output),
        finish_reason=word(mapping(told.incomplete_details).get("reason")) or word(status),
        complete=status in {"completed", "incomplete"},
        error_kind=error_kind_of({"error": told.error, "object": told.object}) or ("error" * (status == "failed")),
        output_text=made,
        output_chars=made_size,
        problem=problem,
    )


def _web_searches(output: msgspec.Raw) -> int:
    if b'"web_search_call"' not in bytes(output):
        return 0
    try:
        return sum(item.type == "web_search_call" for item in _items.decode(output))
    except UNREADABLE:
        return 0


def _output_blocks(output: msgspec.Raw) -> list[Block]:
    try:
        items = listed(msgspec.json.decode(output))
    except UNREADABLE:
        return []
    return [block for item in items for block in openai.item_blocks(mapping(item))]


class ResponseTail(EventTail):
    """The first event names id and model, the last one holds the response."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:response\.(?:completed|incomplete|failed)"|error"\s*[,}])')

    def told(self, event: Mapping[str, Any]) -> None:
        if event.get("type") == "error":
            inner = mapping(event.get("error")) or event
            self.error_kind = word(inner.get("code")) or word(inner.get("type")) or "error"
            return
        response = mapping(event.get("response"))
        output = listed(response.get("output"))
        self.reply_id = word(response.get("id")) or self.reply_id
        self.model = word(response.get("model")) or self.model
        if response.get("service_tier"):
            self.tier = openai.tier_from(response)
        if text(event.get("type")) not in {"response.completed", "response.incomplete", "response.failed"}:
            return
        self.usage, self.usage_problem = counted(openai.usage_from, response.get("usage"))
        self.usage_final = True
        self.web_searches = sum(mapping(item).get("type") == "web_search_call" for item in output)
        self.finish_reason = word(openai.finish_reason_from(response))
        self.complete = event.get("type") != "response.failed"
        if not self.complete:
            self.error_kind = word(mapping(response.get("error")).get("code")) or "error"

    def said(self, event: Mapping[str, Any]) -> str:
        if text(event.get("type")).endswith(".delta"):
            return text(event.get("delta"))
        item = mapping(event.get("item"))
        return text(item.get("name")) if event.get("type") == "response.output_item.added" else ""


DIALECT = OpenAIResponses()
