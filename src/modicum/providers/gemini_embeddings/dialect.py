"""Gemini's embeddings: one, or several at once. Newer models tell tokens, older ones nothing.

Source: https://ai.google.dev/api/embeddings.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from modicum.calls import SegmentKind, Usage
from modicum.calls.usage import checked_count
from modicum.providers.blocks import Block, written
from modicum.providers.body_parsing import (
    UNREADABLE,
    MainCounts,
    check_model_name,
    encode,
    identifier,
    parse_request_object,
    parse_usage,
    unreadable_reply,
)
from modicum.providers.dialect import Dialect, DialectApi, Target, quoted
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.gemini.errors import error_object
from modicum.providers.gemini_embeddings.replies import WRITER
from modicum.providers.stream import SilentTail
from modicum.providers.token_buckets import MODALITIES, with_modalities
from modicum.providers.usage_guard import KnownFields, unknown_numbers

_PATH = re.compile(r"/v1(?:beta)?(/models/([^/:?]+):(embedContent|batchEmbedContents))")
_KNOWN: KnownFields = {
    **dict.fromkeys(("promptTokenCount", "totalTokenCount"), "priced"),
    "promptTokensDetails": {"tokenCount": "priced"},
    "promptTokenDetails": {"tokenCount": "priced"},
}
_COUNTS = MainCounts(("promptTokenCount",))


class GeminiEmbeddings(Dialect):
    """POST /v1beta/models/{model}:embedContent and :batchEmbedContents."""

    name = "gemini-embeddings"
    api = DialectApi("gemini", b"x-goog-api-key", b"", provider="google")
    area = metered = re.compile(r"/v1(?:beta)?/models/.*:(?:embedContent|batchEmbedContents)")
    generates = False
    repeatable_fields = frozenset(
        [
            "content",
            "model",
            "outputDimensionality",
            "output_dimensionality",
            "requests",
            "taskType",
            "task_type",
            "title",
        ]
    )
    writer = WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        found = _PATH.match(path)
        if found is None:
            raise DialectError(404, "the path names no model and method that are served here", "not_found")
        parse_request_object(body)
        return RequestFacts(model=check_model_name(found[2]))

    def find(self, method: str, path: str) -> Target | None:
        found = _PATH.fullmatch(path)
        return Target(quoted(found[1])) if found is not None and method == "POST" else None

    def target_for(self, path: str, model: str) -> str:
        return f"/models/{model}:{path.rpartition(':')[2]}"

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        """One document for each content."""
        contents = [request, *map(mapping, listed(request.get("requests")))]
        parts = (part for one in contents for part in listed(mapping(one.get("content")).get("parts")))
        return [_block(mapping(part)) for part in parts]

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            reply = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            return unreadable_reply(body)
        usage, problem = parse_usage(_usage_from, reply.get("usageMetadata"), _COUNTS)
        facts = ReplyFacts(
            usage=usage,
            usage_final=usage is not None,
            complete="embedding" in reply or "embeddings" in reply,
            error_kind=identifier(mapping(reply.get("error")).get("status")) or ("error" if "error" in reply else ""),
            problem=problem,
        )
        caveats = unknown_numbers(mapping(reply.get("usageMetadata")), _KNOWN, "usageMetadata")
        return msgspec.structs.replace(facts, charges=facts.charges.with_caveats(*caveats)) if caveats else facts

    def tail(self, usage_asked: bool) -> SilentTail:  # noqa: ARG002 - there are no streams
        return SilentTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return encode({"error": error_object(status, message, kind)})


def _block(part: Mapping[str, Any]) -> Block:
    if "text" in part:
        return Block(SegmentKind.DOCUMENT, text(part["text"]))
    return Block(SegmentKind.DOCUMENT, written(next(iter(part), "")), is_text=False)


def _usage_from(usage: Mapping[str, Any]) -> Usage:
    """All of it is input.

    Raises:
        ValueError: a count is no count of tokens.
    """
    prompt = dict.fromkeys(MODALITIES, 0)
    for part in map(mapping, listed(usage.get("promptTokensDetails") or usage.get("promptTokenDetails"))):
        kind = text(part.get("modality")).lower()
        if kind in prompt:
            prompt[kind] += checked_count("promptTokensDetails", part.get("tokenCount"))
    whole = Usage(input_uncached=checked_count("promptTokenCount", usage.get("promptTokenCount")))
    return with_modalities(whole, prompt=prompt, cached={}, output={})


DIALECT = GeminiEmbeddings()
