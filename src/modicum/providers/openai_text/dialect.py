"""Completions of plain text, as old clients and inference servers speak them. Usage is told as in chat completions.

Sources: https://platform.openai.com/docs/api-reference/completions/create,
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, written
from modicum.providers.body_parsing import (
    UNREADABLE,
    encode,
    error_kind_of,
    identifier,
    metadata_texts,
    parse_request,
    parse_usage,
    unreadable_reply,
)
from modicum.providers.dialect import Target
from modicum.providers.facts import MOST_OUTPUT_TEXT, ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.cut_off import ChunkCut
from modicum.providers.openai.dialect import SAMPLING_FIELDS, OpenAIDialect, OpenAIReply, OpenAIRequest, model_in
from modicum.providers.openai.stream import STREAM_TEXTS, ChatTail, UnaskedChatTail, usage_in
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.openai.usage_asked import UsageOptions, with_usage_asked, without_usage_asked
from modicum.providers.openai_text.replies import WORDS, WRITER

USUAL_BOUND = 16
"""Tokens of a completion where the request says nothing."""


class _Request(OpenAIRequest):
    stream_options: UsageOptions | None = None
    max_tokens: int | None = None
    n: int | None = None
    best_of: int | None = None
    prompt: Any = None


class _Reply(OpenAIReply):
    choices: Any = None


_request = msgspec.json.Decoder(_Request)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_reply = msgspec.json.Decoder(_Reply)


class OpenAICompletions(OpenAIDialect):
    """POST /v1/completions; on Azure /openai/deployments/{model}/completions."""

    name = "openai-text"
    paths: ClassVar = {"/v1/completions": Target("/completions")}
    stream_ends = (b"[DONE]",)
    has_deployments = True
    stream_texts = STREAM_TEXTS
    stream_cut = ChunkCut
    repeatable_fields = SAMPLING_FIELDS | frozenset(["best_of", "echo", "prompt", "suffix"])
    words, writer = WORDS, WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        parsed = parse_request(_request, body)
        stream = bool(parsed.stream)
        options = parsed.stream_options
        each = max(parsed.n or 1, parsed.best_of or 1)
        return RequestFacts(
            model=model_in(parsed.model, path),
            stream=stream,
            usage_asked=not stream or (options is not None and bool(options.include_usage)),
            most_output_tokens=USUAL_BOUND if parsed.max_tokens is None else parsed.max_tokens,
            choices_count=each * _prompts_count(parsed.prompt),
            user=text(parsed.user or parsed.safety_identifier),
            metadata=metadata_texts(parsed.metadata),
        )

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        """One text of the user for each prompt; token ids stand as their JSON."""
        prompt, suffix = request.get("prompt"), request.get("suffix")
        prompts = listed(prompt) if _prompts_count(prompt) > 1 or _holds_one(prompt) else [prompt]
        return [Block(SegmentKind.USER, written(one)) for one in (*prompts, suffix) if one is not None]

    def with_usage_asked(self, body: bytes) -> bytes:
        return with_usage_asked(body)

    def without_usage_asked(self, body: bytes) -> bytes:
        return without_usage_asked(body)

    def with_most_output(self, body: bytes, tokens: int) -> bytes | None:
        fields = _fields.decode(body)
        return encode({**fields, "max_tokens": tokens})

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            parsed = _reply.decode(body)
        except UNREADABLE:
            return unreadable_reply(body)
        choices = listed(parsed.choices)
        counts = parsed.usage or usage_in({}, choices)
        usage, problem = parse_usage(usage_from, counts, MAIN_COUNTS)
        made = "" if usage else "".join(text(mapping(choice).get("text")) for choice in choices)
        return ReplyFacts(
            reply_id=identifier(parsed.id),
            model=identifier(parsed.model),
            usage=usage,
            usage_final=usage is not None,
            tier=tier_from({"service_tier": parsed.service_tier}),
            charges=charges_from(mapping(counts), lane=parsed.service_tier, model=identifier(parsed.model)),
            finish_reason=identifier(mapping(choices[0]).get("finish_reason")) if choices else "",
            complete=bool(choices),
            error_kind="" if choices else error_kind_of({"error": parsed.error, "object": parsed.object}),
            output_text=made[:MOST_OUTPUT_TEXT],
            output_chars=len(made),
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> ChatTail:
        return ChatTail() if usage_asked else UnaskedChatTail()


def _holds_one(prompt: Any) -> bool:
    return isinstance(prompt, list) and len(prompt) == 1 and not isinstance(prompt[0], int)


def _prompts_count(prompt: Any) -> int:
    """Several texts, or several lists of token ids, are several prompts."""
    given = listed(prompt)
    return max(len(given), 1) if not any(isinstance(one, int) for one in given) else 1


DIALECT = OpenAICompletions()
