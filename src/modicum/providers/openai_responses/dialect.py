"""The responses API. A stream tells usage unasked: its last event holds the whole response.

Sources: https://platform.openai.com/docs/api-reference/responses,
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

import re
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
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.dialect import Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.blocks import item_blocks, request_blocks
from modicum.providers.openai.dialect import OpenAIDialect, OpenAIReply, OpenAIRequest
from modicum.providers.openai.recorded import CHARGED_ITEMS, requests_in
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.openai_responses.cut_off import ResponseCut
from modicum.providers.openai_responses.own_tools import OWN_TOOLS
from modicum.providers.openai_responses.prompt import SHAPE
from modicum.providers.openai_responses.replies import WORDS, WRITER
from modicum.providers.openai_responses.stream import STREAM_TEXTS, ResponseTail, seconds_from


class _Request(OpenAIRequest):
    max_output_tokens: int | None = None
    conversation: Any = None


class _Reply(OpenAIReply):
    """The fields of a response that are read; `output` is decoded only where it must be."""

    status: Any = None
    incomplete_details: Any = None
    tool_usage: Any = None
    background: Any = None
    created_at: Any = None
    prompt_cache_diagnostics: Any = None
    output: msgspec.Raw = msgspec.Raw(b"[]")


_LATER = re.compile(r"/v1/responses/(resp_[0-9A-Za-z_-]{1,200})(/cancel|/input_items)?")
_METHODS = {None: ("GET", "DELETE"), "/cancel": ("POST",), "/input_items": ("GET",)}
COMPACTION = "response.compaction"
"""The object that a compacted context comes as."""
_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)


class OpenAIResponses(OpenAIDialect):
    """POST /v1/responses and /v1/responses/compact; GET, DELETE and POST .../cancel of /v1/responses/{id}, and the
    requests of .../input_items and /v1/responses/input_tokens.
    """

    name = "openai-responses"
    paths: ClassVar = {
        "/v1/responses": Target("/responses"),
        "/v1/responses/compact": Target("/responses/compact"),
        "/v1/responses/input_tokens": Target("/responses/input_tokens", is_call=False, counts_tokens=True),
    }
    area = re.compile("/v1/responses/")
    has_websocket = True
    stream_ends = (b"response.completed", b"response.incomplete", b"response.failed")
    repeatable_fields = frozenset(
        [
            "include",
            "input",
            "instructions",
            "max_output_tokens",
            "metadata",
            "model",
            "prompt_cache_key",
            "reasoning",
            "safety_identifier",
            "service_tier",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "text",
            "top_logprobs",
            "top_p",
            "truncation",
            "user",
        ]
    )
    keeps_replies = True
    stream_texts = STREAM_TEXTS
    stream_cut = ResponseCut
    prompt_shape, words, writer = SHAPE, WORDS, WRITER
    own_tools = OWN_TOOLS
    blocks_of = staticmethod(request_blocks)
    has_media_by_type = True

    def request(self, body: bytes, path: str) -> RequestFacts:  # noqa: ARG002 - the path tells nothing here
        parsed = parse_request(_request, body)
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

    def find(self, method: str, path: str) -> Target | None:
        found = _LATER.fullmatch(path)
        if found is None or method not in _METHODS[found[2]]:
            return None
        return Target(path.removeprefix("/v1"), is_call=False, late_reply=found[1])

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
        charges=charges_from(
            mapping(parsed.usage), lane=parsed.service_tier, model=identifier(parsed.model), requests=_requests(parsed)
        ).with_cache_miss(cache_miss_from({"prompt_cache_diagnostics": parsed.prompt_cache_diagnostics})),
        finish_reason=identifier(mapping(parsed.incomplete_details).get("reason")) or identifier(status),
        complete=status in {"completed", "incomplete"} or parsed.object == COMPACTION,
        pending=status in {"queued", "in_progress"},
        background=parsed.background is True,
        created_s=seconds_from(parsed.created_at) if parsed.background is True else 0.0,
        error_kind=error_kind_of({"error": parsed.error, "object": parsed.object}) or ("error" * (status == "failed")),
        output_text=made,
        output_chars=made_size,
        problem=problem,
    )


_CHARGED = (b'"web_search_call"', *(f'"{kind}"'.encode() for kind in CHARGED_ITEMS))


def _requests(parsed: _Reply) -> dict[str, int]:
    output = bytes(parsed.output)
    if not any(kind in output for kind in _CHARGED):
        return {}
    try:
        return requests_in({"output": msgspec.json.decode(output), "tool_usage": parsed.tool_usage})
    except UNREADABLE:
        return {}


def _output_blocks(output: msgspec.Raw) -> list[Block]:
    try:
        items = listed(msgspec.json.decode(output))
    except UNREADABLE:
        return []
    return [block for item in items for block in item_blocks(mapping(item))]


DIALECT = OpenAIResponses()
