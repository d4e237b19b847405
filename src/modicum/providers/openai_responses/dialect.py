"""The responses API. A stream tells usage unasked: its last event holds the whole response.

Sources: https://platform.openai.com/docs/api-reference/responses,
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from typing import Any, ClassVar

import msgspec

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
    parse_usage,
    session_from_cache_key,
    unreadable_reply,
)
from modicum.providers.dialect import Target
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.blocks import item_blocks, request_blocks
from modicum.providers.openai.dialect import OpenAIDialect, OpenAIReply, OpenAIRequest
from modicum.providers.openai.usage import MAIN_COUNTS, tier_from, usage_from
from modicum.providers.openai_responses.prompt import SHAPE
from modicum.providers.openai_responses.replies import WORDS, WRITER
from modicum.providers.openai_responses.stream import ResponseTail


class _Request(OpenAIRequest):
    background: bool | None = None
    max_output_tokens: int | None = None
    conversation: Any = None


class _Item(msgspec.Struct):
    type: Any = None


class _Reply(OpenAIReply):
    """The fields of a response that are read; `output` is decoded only where it must be."""

    status: Any = None
    incomplete_details: Any = None
    output: msgspec.Raw = msgspec.Raw(b"[]")


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)
_items = msgspec.json.Decoder(list[_Item])


class OpenAIResponses(OpenAIDialect):
    """POST /v1/responses."""

    name = "openai-responses"
    paths: ClassVar = {"/v1/responses": Target("/responses")}
    stream_ends = (b"response.completed", b"response.incomplete", b"response.failed")
    prompt_shape, words, writer = SHAPE, WORDS, WRITER
    blocks_of = staticmethod(request_blocks)

    def request(self, body: bytes, path: str) -> RequestFacts:  # noqa: ARG002 - the path tells nothing here
        """As `Dialect.request`; a background response is refused, for its usage comes with no reply of this call."""
        parsed = parse_request(_request, body)
        if parsed.background:
            raise DialectError(400, "'background' is not served here: its tokens would be counted nowhere")
        conversation = (
            parsed.conversation if isinstance(parsed.conversation, str) else mapping(parsed.conversation).get("id")
        )
        return RequestFacts(
            model=check_model_name(parsed.model),
            stream=bool(parsed.stream),
            most_output_tokens=parsed.max_output_tokens,
            user=text(parsed.user or parsed.safety_identifier),
            session=text(conversation) or session_from_cache_key(parsed.prompt_cache_key),
            metadata=metadata_texts(parsed.metadata),
        )

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            return _facts(_reply.decode(body))
        except UNREADABLE:
            return unreadable_reply(body)

    def tail(self, usage_asked: bool) -> ResponseTail:  # noqa: ARG002 - usage comes unasked
        return ResponseTail()

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        code = text(kind) or f"status_{status}"
        event = {"type": "error", "sequence_number": 0, "code": code, "message": text(message), "param": None}
        return b"event: error\ndata: %b\n\n" % encode(event)


def _facts(parsed: _Reply) -> ReplyFacts:
    usage, problem = parse_usage(usage_from, parsed.usage, MAIN_COUNTS)
    made, made_size = ("", 0) if usage else join_output(_output_blocks(parsed.output))
    status = text(parsed.status)
    return ReplyFacts(
        reply_id=identifier(parsed.id),
        model=identifier(parsed.model),
        usage=usage,
        usage_final=usage is not None,
        tier=tier_from({"service_tier": parsed.service_tier}),
        web_searches=_web_searches(parsed.output),
        finish_reason=identifier(mapping(parsed.incomplete_details).get("reason")) or identifier(status),
        complete=status in {"completed", "incomplete"},
        error_kind=error_kind_of({"error": parsed.error, "object": parsed.object}) or ("error" * (status == "failed")),
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
    return [block for item in items for block in item_blocks(mapping(item))]


DIALECT = OpenAIResponses()
