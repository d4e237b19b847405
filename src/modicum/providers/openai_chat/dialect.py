"""Chat completions, as OpenAI and the many who speak like it serve them.

A stream holds usage only if asked for (`stream_options.include_usage`); then it stands in one more chunk without
choices, and some hosts put it elsewhere: into the last chunk with choices (OpenRouter, vLLM on request in every one),
into a choice (Moonshot), under `x_groq` (Groq). Sources:
https://platform.openai.com/docs/api-reference/chat/create, https://platform.openai.com/docs/api-reference/chat-streaming,
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, https://console.groq.com/docs/api-reference,
https://platform.moonshot.ai/docs/api/chat.
"""

from typing import Any, ClassVar

import msgspec

from modicum.providers.blocks import Block
from modicum.providers.body_parsing import (
    UNREADABLE,
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
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.message_blocks import message_blocks
from modicum.providers.openai.blocks import request_blocks
from modicum.providers.openai.cut_off import ChunkCut
from modicum.providers.openai.dialect import SAMPLING_FIELDS, OpenAIDialect, OpenAIReply, OpenAIRequest, model_in
from modicum.providers.openai.stream import STREAM_TEXTS, ChatTail, UnaskedChatTail, error_kind_in
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.openai.usage_asked import UsageOptions, with_usage_asked, without_usage_asked
from modicum.providers.openai_chat.own_tools import OWN_TOOLS
from modicum.providers.openai_chat.prompt import SHAPE
from modicum.providers.openai_chat.replies import WORDS, WRITER


class _Request(OpenAIRequest):
    stream_options: UsageOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    session_id: str | None = None


class _Choice(msgspec.Struct):
    finish_reason: Any = None
    message: msgspec.Raw = msgspec.Raw(b"null")
    usage: Any = None
    error: Any = None


class _Reply(OpenAIReply):
    type: Any = None
    detail: Any = None
    choices: list[_Choice] | None = None


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)


class OpenAIChat(OpenAIDialect):
    """POST /v1/chat/completions; on Azure /openai/deployments/{model}/chat/completions."""

    name = "openai-chat"
    paths: ClassVar = {"/v1/chat/completions": Target("/chat/completions")}
    stream_ends = (b"[DONE]",)
    has_deployments = True
    repeatable_fields = SAMPLING_FIELDS | frozenset(
        [
            "max_completion_tokens",
            "messages",
            "metadata",
            "prompt_cache_key",
            "reasoning_effort",
            "response_format",
            "safety_identifier",
            "service_tier",
            "top_k",
            "top_logprobs",
            "verbosity",
        ]
    )
    stream_texts = STREAM_TEXTS
    stream_cut = ChunkCut
    prompt_shape, words, writer = SHAPE, WORDS, WRITER
    own_tools = OWN_TOOLS
    blocks_of = staticmethod(request_blocks)
    has_media_by_type = True

    def request(self, body: bytes, path: str) -> RequestFacts:
        parsed = parse_request(_request, body)
        stream = bool(parsed.stream)
        options = parsed.stream_options
        return RequestFacts(
            model=model_in(parsed.model, path),
            stream=stream,
            usage_asked=not stream or (options is not None and bool(options.include_usage)),
            most_output_tokens=parsed.max_completion_tokens or parsed.max_tokens,
            choices_count=parsed.n or 1,
            user=text(parsed.user or parsed.safety_identifier),
            session=text(parsed.session_id) or session_from_cache_key(parsed.prompt_cache_key),
            metadata=metadata_texts(parsed.metadata),
        )

    def with_usage_asked(self, body: bytes) -> bytes:
        return with_usage_asked(body)

    def without_usage_asked(self, body: bytes) -> bytes:
        return without_usage_asked(body)

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            parsed = _reply.decode(body)
        except UNREADABLE:
            return _error_or_garbage(body)
        choices = parsed.choices or []
        counts = parsed.usage or next((c.usage for c in choices if c.usage), None) or mapping(parsed.error).get("usage")
        usage, problem = parse_usage(usage_from, counts, MAIN_COUNTS)
        made, made_size = ("", 0) if usage else join_output(_message_blocks(choices))
        return ReplyFacts(
            reply_id=identifier(parsed.id),
            model=identifier(parsed.model),
            usage=usage,
            usage_final=usage is not None,
            tier=tier_from({"service_tier": parsed.service_tier}),
            charges=charges_from(mapping(counts), lane=parsed.service_tier, model=identifier(parsed.model)),
            finish_reason=identifier(choices[0].finish_reason) if choices else "",
            complete=bool(choices),
            error_kind=_error_kind(parsed),
            output_text=made,
            output_chars=made_size,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> ChatTail:
        return ChatTail() if usage_asked else UnaskedChatTail()


def _message_blocks(choices: list[_Choice]) -> list[Block]:
    blocks = []
    for choice in choices:
        try:
            message = mapping(msgspec.json.decode(choice.message))
        except UNREADABLE:
            continue
        blocks += message_blocks({"role": "assistant", **message})
    return blocks


def _error_kind(parsed: _Reply) -> str:
    if parsed.choices:
        if parsed.error is None and all(one.error is None and one.finish_reason != "error" for one in parsed.choices):
            return ""
        ends = [{"finish_reason": choice.finish_reason, "error": choice.error} for choice in parsed.choices]
        return error_kind_in({"error": parsed.error}, ends)
    fields = {"error": parsed.error, "object": parsed.object, "type": parsed.type}
    return error_kind_of(fields if parsed.detail is None else {**fields, "detail": parsed.detail})


def _error_or_garbage(body: bytes) -> ReplyFacts:
    """Google's compatible endpoint wraps its errors in a list."""
    try:
        kinds = [error_kind_of(mapping(part)) for part in listed(msgspec.json.decode(body))]
    except UNREADABLE:
        kinds = []
    return ReplyFacts(error_kind=kinds[0]) if any(kinds) else unreadable_reply(body)


DIALECT = OpenAIChat()
