"""The Messages API. A stream tells usage unasked: input in its first event, the final output in `message_delta`.

Sources: https://docs.claude.com/en/api/messages, https://docs.claude.com/en/docs/build-with-claude/streaming,
https://docs.claude.com/en/api/errors.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers import anthropic
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
    texts_of,
    unreadable,
    word,
)
from modicum.providers.dialect import ReplyFacts, RequestFacts
from modicum.providers.fields import mapping, text
from modicum.providers.stream import EventTail

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}

SERVER_FAULT = 500


class _Request(msgspec.Struct):
    model: str | None = None
    stream: bool | None = None
    max_tokens: int | None = None
    metadata: Any = None


class _Reply(msgspec.Struct):
    id: Any = None
    type: Any = None
    model: Any = None
    usage: Any = None
    stop_reason: Any = None
    error: Any = None
    content: msgspec.Raw = msgspec.Raw(b"[]")


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)

_SESSION = re.compile(r"_session_([0-9A-Za-z-]+)$")


class AnthropicMessages:
    """POST /v1/messages, and the request of /v1/messages/count_tokens (whose reply is no call)."""

    name = "anthropic-messages"

    def request(self, body: bytes, path: str) -> RequestFacts:  # noqa: ARG002 - the path tells nothing here
        told = asked(_request, body)
        metadata = texts_of(told.metadata) if told.metadata else {}
        user, session = user_and_session(metadata.pop("user_id", ""))
        return RequestFacts(
            model=model_named(told.model),
            stream=bool(told.stream),
            most_output_tokens=told.max_tokens,
            user=user,
            session=session,
            metadata=metadata,
        )

    def segments(self, body: bytes) -> list[Block]:
        return anthropic.request_blocks(asked_object(body))

    def with_usage_asked(self, body: bytes) -> bytes:
        """The body itself: usage comes unasked."""
        return body

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            told = _reply.decode(body)
        except UNREADABLE:
            return unreadable(body)
        usage, problem = counted(anthropic.usage_from, told.usage)
        made, made_size = ("", 0) if usage else output_of(_content_blocks(told.content))
        counts = mapping(told.usage)
        return ReplyFacts(
            reply_id=word(told.id),
            model=word(told.model),
            usage=usage,
            usage_final=usage is not None,
            tier=anthropic.tier_from(counts),
            web_searches=_web_searches(counts),
            finish_reason=word(told.stop_reason),
            complete=told.type == "message",
            error_kind=error_kind_of({"error": told.error}),
            output_text=made,
            output_chars=made_size,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> EventTail:  # noqa: ARG002 - usage comes unasked
        return MessageTail()

    def error(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - the dialect has no place for it
        return encoded(_error(status, message))

    def error_event(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - as above
        return b"event: error\ndata: %b\n\n" % encoded(_error(status, message))


def _error(status: int, message: str) -> dict[str, Any]:
    kind = ERROR_TYPES.get(status) or ("api_error" if status >= SERVER_FAULT else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": text(message)}}


def user_and_session(user_id: str) -> tuple[str, str]:
    """Claude Code tells both in one field: `user_..._account_..._session_<id>`, since 2.1.78 a JSON object. In an
    object that cannot be read nobody knows which part is the user.
    """
    if user_id.startswith("{"):
        try:
            told = mapping(msgspec.json.decode(user_id))
        except UNREADABLE:
            return "", ""
        return text(told.get("account_uuid")) or text(told.get("device_id")), text(told.get("session_id"))
    if found := _SESSION.search(user_id):
        return user_id[: found.start()], found[1]
    return user_id, ""


def _web_searches(usage: Mapping[str, Any]) -> int:
    try:
        return anthropic.web_searches_from(usage)
    except ValueError:
        return 0


def _content_blocks(content: msgspec.Raw) -> list[Block]:
    try:
        return anthropic.content_blocks({"role": "assistant", "content": msgspec.json.decode(content)})
    except UNREADABLE:
        return []


class MessageTail(EventTail):
    """`message_start` names id and model and counts the input; `message_delta` has the final counts."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:message_(?:start|delta|stop)|error)"')

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, Any] = {}

    def told(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "message_start":
            message = mapping(event.get("message"))
            self.reply_id = word(message.get("id"))
            self.model = word(message.get("model"))
            self._count(message.get("usage"))
        elif kind == "message_delta":
            self.finish_reason = word(mapping(event.get("delta")).get("stop_reason")) or self.finish_reason
            self._count(event.get("usage"))
            self.usage_final = self.usage is not None and bool(self.finish_reason)
        elif kind == "message_stop":
            self.complete = True
            self.usage_final = self.usage is not None
        elif kind == "error":
            self.error_kind = error_kind_of(event)

    def _count(self, usage: Any) -> None:
        """Later counts are cumulative and replace the earlier ones; what they leave out stands."""
        self._counts.update({name: count for name, count in mapping(usage).items() if count is not None})
        self.usage, self.usage_problem = counted(anthropic.usage_from, self._counts)
        self.tier = anthropic.tier_from(self._counts)
        self.web_searches = _web_searches(self._counts)

    def said(self, event: Mapping[str, Any]) -> str:
        block = mapping(event.get("content_block"))
        delta = mapping(event.get("delta"))
        names = ("text", "thinking", "partial_json")
        return text(block.get("name")) + "".join(text(delta.get(name)) for name in names)


DIALECT = AnthropicMessages()
