"""Bedrock's Converse and ConverseStream: one request for the models of all makers. The path names the model.

Sources, 2026-11: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
API_runtime_ConverseStream.html, API_runtime_CountTokens.html beside it.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from modicum.providers.bedrock.api import BEDROCK
from modicum.providers.bedrock.errors import error_body, error_frame
from modicum.providers.bedrock.stream import FramedTail
from modicum.providers.bedrock_converse.mock import MOCK
from modicum.providers.bedrock_converse.replies import WRITER
from modicum.providers.bedrock_converse.stream import ConverseTail, event_in
from modicum.providers.bedrock_converse.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.blocks import Block
from modicum.providers.body_parsing import (
    UNREADABLE,
    check_model_name,
    identifier,
    join_output,
    metadata_texts,
    parse_request,
    parse_usage,
    unreadable_reply,
)
from modicum.providers.dialect import Dialect, Target
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts
from modicum.providers.fields import mapping
from modicum.providers.message_blocks import context_blocks, message_blocks

_PATH = re.compile(r"/model/([^?]+)/(converse|converse-stream|count-tokens)(?:\?|$)")


class _Config(msgspec.Struct):
    max_tokens: int | None = msgspec.field(default=None, name="maxTokens")


class _Request(msgspec.Struct):
    config: _Config | None = msgspec.field(default=None, name="inferenceConfig")
    metadata: Any = msgspec.field(default=None, name="requestMetadata")


_request = msgspec.json.Decoder(_Request)


class BedrockConverse(Dialect):
    """POST /model/{id}/converse and /converse-stream, and the request of /count-tokens."""

    name = "bedrock-converse"
    api = BEDROCK
    area = re.compile("/model/.+/(?:converse|count-tokens)")
    metered = re.compile("/model/.+/(?:converse(?:-stream)?|count-tokens)")
    streams_frames = True
    model_in_path = True
    writer, mock = WRITER, MOCK

    def find(self, method: str, path: str) -> Target | None:
        found = _PATH.fullmatch(path)
        if found is None or method != "POST":
            return None
        return Target(_path(found[1], found[2]), is_call=found[2] != "count-tokens")

    def target_for(self, path: str, model: str) -> str:
        return _path(model, path.rpartition("/")[2])

    def request(self, body: bytes, path: str) -> RequestFacts:
        found = _PATH.match(path)
        if found is None:
            raise DialectError(404, "the path names no model and method that are served here", "not_found")
        parsed = parse_request(_request, body)
        return RequestFacts(
            model=check_model_name(found[1]),
            stream=found[2] == "converse-stream",
            most_output_tokens=parsed.config.max_tokens if parsed.config is not None else None,
            metadata=metadata_texts(parsed.metadata),
        )

    has_media_by_type = True

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        return context_blocks(request.get("messages"), request.get("toolConfig"), request.get("system"))

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            document = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            return unreadable_reply(body)
        if "output" not in document:
            is_error = "message" in document or "__type" in document
            return ReplyFacts(error_kind=identifier(document.get("__type")) or "error" if is_error else "")
        counts = mapping(document.get("usage"))
        usage, problem = parse_usage(usage_from, counts, MAIN_COUNTS)
        message = mapping(mapping(document["output"]).get("message"))
        made, made_size = ("", 0) if usage else join_output(message_blocks(message))
        return ReplyFacts(
            usage=usage,
            usage_final=usage is not None,
            tier=tier_from(document),
            charges=charges_from(counts),
            finish_reason=identifier(document.get("stopReason")),
            complete="stopReason" in document,
            output_text=made,
            output_chars=made_size,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> FramedTail:  # noqa: ARG002 - usage comes unasked
        return FramedTail(ConverseTail(), event_in)

    def error(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - there is no place for it
        return error_body(status, message)

    def error_event(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - as above
        return error_frame(status, message)


def _path(model: str, verb: str) -> str:
    return f"/model/{quote(model, safe='')}/{verb}"


DIALECT = BedrockConverse()
