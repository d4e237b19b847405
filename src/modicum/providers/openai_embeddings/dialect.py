"""Embeddings: input tokens only, no streams. Source: https://platform.openai.com/docs/api-reference/embeddings."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, canonical
from modicum.providers.body_parsing import (
    UNREADABLE,
    error_kind_of,
    identifier,
    parse_request,
    parse_request_object,
    parse_usage,
    unreadable_reply,
)
from modicum.providers.dialect import Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.dialect import OpenAIDialect, OpenAIReply, model_in
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, usage_from
from modicum.providers.openai_embeddings.replies import WRITER
from modicum.providers.stream import SilentTail


class _Request(msgspec.Struct):
    model: str | None = None
    user: str | None = None


class _Reply(OpenAIReply):
    data: msgspec.Raw = msgspec.Raw(b"null")


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)


class OpenAIEmbeddings(OpenAIDialect):
    """POST /v1/embeddings; on Azure /openai/deployments/{model}/embeddings."""

    name = "openai-embeddings"
    paths: ClassVar = {"/v1/embeddings": Target("/embeddings")}
    generates = False
    has_deployments = True
    repeatable_fields = frozenset({"dimensions", "encoding_format", "input", "input_type", "model", "user"})
    writer = WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        parsed = parse_request(_request, body)
        return RequestFacts(model=model_in(parsed.model, path), user=text(parsed.user))

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        """One document per input; token ids stand as their JSON."""
        given = request.get("input")
        if isinstance(given, str):
            return [Block(SegmentKind.DOCUMENT, given)]
        if any(isinstance(part, int) for part in listed(given)):
            return [Block(SegmentKind.DOCUMENT, canonical(given))]
        return [
            Block(SegmentKind.DOCUMENT, part if isinstance(part, str) else canonical(part)) for part in listed(given)
        ]

    def prompt_tokens(self, body: bytes, count: Callable[[str], int]) -> int:
        """Each input's, and nothing around them. Token ids have been counted by the caller."""
        given = parse_request_object(body).get("input")
        if isinstance(given, str):
            return count(given)
        inputs = listed(given)
        ids = sum(isinstance(part, int) for part in inputs)
        return ids + sum(count(part) if isinstance(part, str) else len(listed(part)) for part in inputs)

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            parsed = _reply.decode(body)
        except UNREADABLE:
            return unreadable_reply(body)
        usage, problem = parse_usage(usage_from, parsed.usage, MAIN_COUNTS)
        return ReplyFacts(
            reply_id=identifier(parsed.id),
            model=identifier(parsed.model),
            usage=usage,
            usage_final=usage is not None,
            charges=charges_from(mapping(parsed.usage), model=identifier(parsed.model)),
            complete=bytes(parsed.data).startswith(b"["),
            error_kind=error_kind_of({"error": parsed.error, "object": parsed.object}),
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> SilentTail:  # noqa: ARG002 - there are no streams
        return SilentTail()


DIALECT = OpenAIEmbeddings()
