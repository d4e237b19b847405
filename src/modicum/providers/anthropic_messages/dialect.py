"""The Messages API. A stream tells usage unasked: input in its first event, the final output in `message_delta`.

Sources: https://docs.claude.com/en/api/messages, https://docs.claude.com/en/docs/build-with-claude/streaming,
https://docs.claude.com/en/api/errors.
"""

import re
from typing import Any, ClassVar

import msgspec

from modicum.providers.anthropic_messages.blocks import request_blocks
from modicum.providers.anthropic_messages.cut_off import MessageCut
from modicum.providers.anthropic_messages.mock import MOCK
from modicum.providers.anthropic_messages.model_list import MODEL_LIST
from modicum.providers.anthropic_messages.own_tools import OWN_TOOLS
from modicum.providers.anthropic_messages.prompt import SHAPE
from modicum.providers.anthropic_messages.replies import WORDS, WRITER
from modicum.providers.anthropic_messages.stream import STREAM_TEXTS, MessageTail
from modicum.providers.anthropic_messages.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.blocks import Block
from modicum.providers.body_parsing import (
    UNREADABLE,
    check_model_name,
    encode,
    error_kind_of,
    identifier,
    join_output,
    metadata_texts,
    parse_request,
    parse_request_object,
    parse_usage,
    unreadable_reply,
)
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.dialect import Dialect, DialectApi, Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import mapping, text
from modicum.providers.limit_headers import AnthropicLimitHeaders
from modicum.providers.message_blocks import message_blocks

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
    diagnostics: Any = None
    error: Any = None
    content: msgspec.Raw = msgspec.Raw(b"[]")


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)

_SESSION = re.compile(r"_session_([0-9A-Za-z-]+)$")


class AnthropicMessages(Dialect):
    """POST /v1/messages, and the request of /v1/messages/count_tokens (whose reply is no call)."""

    name = "anthropic-messages"
    api = DialectApi(
        "anthropic",
        b"x-api-key",
        b"",
        provider="anthropic",
        limits=AnthropicLimitHeaders(),
        request_id_header=b"request-id",
    )
    paths: ClassVar = {
        "/v1/messages": Target("/messages"),
        "/v1/messages/count_tokens": Target("/messages/count_tokens", is_call=False, counts_tokens=True),
    }
    area = re.compile("/v1/messages")
    list_header = b"anthropic-version"
    version_headers = ((b"anthropic-version", b"2023-06-01"),)
    stream_ends = (b"message_stop",)
    overloaded_status = 529
    empty_text = "(nothing to add)"
    repeatable_fields = frozenset(
        [
            "cache_control",
            "inference_geo",
            "max_tokens",
            "messages",
            "metadata",
            "model",
            "output_config",
            "output_format",
            "service_tier",
            "speed",
            "stop_sequences",
            "stream",
            "system",
            "temperature",
            "thinking",
            "top_k",
            "top_p",
        ]
    )
    stream_texts = STREAM_TEXTS
    stream_cut = MessageCut
    prompt_shape, words, writer, mock = SHAPE, WORDS, WRITER, MOCK
    own_tools = OWN_TOOLS
    model_list = MODEL_LIST
    blocks_of = staticmethod(request_blocks)
    has_media_by_type = True

    def request(self, body: bytes, path: str) -> RequestFacts:  # noqa: ARG002 - the path tells nothing here
        parsed = parse_request(_request, body)
        metadata = metadata_texts(parsed.metadata)
        user, session = user_and_session(metadata.pop("user_id", ""))
        return RequestFacts(
            model=check_model_name(parsed.model),
            stream=bool(parsed.stream),
            most_output_tokens=parsed.max_tokens,
            user=user,
            session=session,
            metadata=metadata,
        )

    def with_most_output(self, body: bytes, tokens: int) -> bytes | None:
        """Thoughts count as output, and a bound that is below theirs is refused."""
        for_thoughts = mapping(parse_request_object(body).get("thinking")).get("budget_tokens")
        if isinstance(for_thoughts, int) and for_thoughts >= tokens:
            return None
        return super().with_most_output(body, tokens)

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            parsed = _reply.decode(body)
        except UNREADABLE:
            return unreadable_reply(body)
        usage, problem = parse_usage(usage_from, parsed.usage, MAIN_COUNTS)
        made, made_size = ("", 0) if usage else join_output(_content_blocks(parsed.content))
        counts = mapping(parsed.usage)
        return ReplyFacts(
            reply_id=identifier(parsed.id),
            model=identifier(parsed.model),
            usage=usage,
            usage_final=usage is not None,
            tier=tier_from(counts),
            charges=charges_from(counts, identifier(parsed.model)).with_cache_miss(
                cache_miss_from({"diagnostics": parsed.diagnostics})
            ),
            finish_reason=identifier(parsed.stop_reason),
            complete=parsed.type == "message",
            error_kind=error_kind_of({"error": parsed.error}),
            output_text=made,
            output_chars=made_size,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> MessageTail:  # noqa: ARG002 - usage comes unasked
        return MessageTail()

    def error(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - the dialect has no place for it
        return encode(_error(status, message))

    def error_event(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - as above
        return b"event: error\ndata: %b\n\n" % encode(_error(status, message))


def _error(status: int, message: str) -> dict[str, Any]:
    kind = ERROR_TYPES.get(status) or ("api_error" if status >= SERVER_FAULT else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": text(message)}}


def user_and_session(user_id: str) -> tuple[str, str]:
    """Claude Code tells both in one field: `user_..._account_..._session_<id>`, since 2.1.78 a JSON object. In an
    object that cannot be read nobody knows which part is the user.
    """
    if user_id.startswith("{"):
        try:
            names = mapping(msgspec.json.decode(user_id))
        except UNREADABLE:
            return "", ""
        return text(names.get("account_uuid")) or text(names.get("device_id")), text(names.get("session_id"))
    if found := _SESSION.search(user_id):
        return user_id[: found.start()], found[1]
    return user_id, ""


def _content_blocks(content: msgspec.Raw) -> list[Block]:
    try:
        return message_blocks({"role": "assistant", "content": msgspec.json.decode(content)})
    except UNREADABLE:
        return []


DIALECT = AnthropicMessages()
