"""Gemini's generateContent and its stream, on the Gemini API and on Vertex AI. The path names model and method.

A stream comes as server-sent events (`alt=sse`, as every official client asks) or as one JSON array whose elements
stand between lines of `,`. Chunks tell usage as it grows; on Vertex the early ones only name the traffic type. Source:
https://ai.google.dev/api/generate-content.
"""

import re
from typing import Any

import msgspec

from modicum.providers.body_parsing import (
    UNREADABLE,
    check_model_name,
    encode,
    identifier,
    join_output,
    metadata_texts,
    parse_request,
    unreadable_reply,
)
from modicum.providers.dialect import Dialect, DialectApi, Target, quoted
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping
from modicum.providers.gemini.errors import error_object
from modicum.providers.gemini_generate.blocks import request_blocks
from modicum.providers.gemini_generate.cut_off import GeminiCut
from modicum.providers.gemini_generate.mock import MOCK
from modicum.providers.gemini_generate.model_list import MODEL_LIST
from modicum.providers.gemini_generate.prompt import SHAPE
from modicum.providers.gemini_generate.replies import WORDS, WRITER
from modicum.providers.gemini_generate.stream import (
    STREAM_TEXTS,
    GeminiTail,
    candidate_blocks,
    counted_in,
    error_kind_in,
    finish_reason_in,
    grounding_in,
)
from modicum.providers.gemini_generate.usage import charges_from, tier_from
from modicum.providers.own_reply import OwnText


class _Config(msgspec.Struct):
    max_tokens: int | None = msgspec.field(default=None, name="maxOutputTokens")
    choices: int | None = msgspec.field(default=None, name="candidateCount")


class _Request(msgspec.Struct):
    """Google's JSON accepts both spellings; only the one that its clients send tells us a bound."""

    config: _Config | None = msgspec.field(default=None, name="generationConfig")
    labels: Any = None


class _Reply(msgspec.Struct):
    reply_id: Any = msgspec.field(default=None, name="responseId")
    model: Any = msgspec.field(default=None, name="modelVersion")
    usage: Any = msgspec.field(default=None, name="usageMetadata")
    feedback: Any = msgspec.field(default=None, name="promptFeedback")
    candidates: Any = None
    error: Any = None


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)
_PATH = re.compile(r"/(?:models|tunedModels|endpoints)/([^/:?]+):(\w+)")
_BEGINNINGS = ("/v1beta/models/", "/v1/models/")
"""Google's clients use either; the version that goes upstream is that of the upstream's address."""
_LIST = "/v1beta/models"
_VERTEX = re.compile(r"/v1(?:beta1)?(?:/projects/[^/]+/locations/[^/]+)?/publishers/google/models/")
"""Where clients of Vertex AI ask. Project and place that go upstream are those of the upstream's address."""
_METHODS = {"generateContent": False, "streamGenerateContent": True, "countTokens": False}


class GeminiGenerate(Dialect):
    """POST /v1beta/models/{model}:generateContent and :streamGenerateContent, and the request of :countTokens."""

    name = "gemini-generate"
    api = DialectApi("gemini", b"x-goog-api-key", b"", provider="google")
    area = re.compile(rf"/v1beta/|/v1/models/.*:|{_VERTEX.pattern}")
    list_header = b"x-goog-api-key"
    metered = re.compile(r".*:(?:generateContent|streamGenerateContent|countTokens)")
    streams_json = True
    model_in_path = True
    repeatable_fields = frozenset(
        [
            "contents",
            "generationConfig",
            "generation_config",
            "labels",
            "safetySettings",
            "safety_settings",
            "serviceTier",
            "service_tier",
            "systemInstruction",
            "system_instruction",
        ]
    )
    stream_texts = STREAM_TEXTS
    stream_cut = GeminiCut
    prompt_shape, words, writer, mock = SHAPE, WORDS, WRITER, MOCK
    model_list = MODEL_LIST
    blocks_of = staticmethod(request_blocks)
    has_media_by_type = True

    def request(self, body: bytes, path: str) -> RequestFacts:
        found = _PATH.search(path)
        if not found or found[2] not in _METHODS:
            raise DialectError(404, "the path names no model and method that are served here", "not_found")
        parsed = parse_request(_request, body)
        config = parsed.config or _Config()
        return RequestFacts(
            model=check_model_name(found[1]),
            stream=_METHODS[found[2]],
            most_output_tokens=config.max_tokens,
            choices_count=config.choices or 1,
            metadata=metadata_texts(parsed.labels),
        )

    def find(self, method: str, path: str) -> Target | None:
        if path == _LIST:
            return Target("/models", is_call=False) if method == "GET" else None
        if on_vertex := _VERTEX.match(path):
            return _target(method, path[on_vertex.end() :])
        for beginning in _BEGINNINGS:
            if path.startswith(beginning) and (":" in path or beginning == _BEGINNINGS[0]):
                return _target(method, path.removeprefix(beginning))
        return None

    def call_target(self, model: str, *, stream: bool) -> tuple[str, bytes]:
        path = quoted(f"/models/{model}:{'streamGenerateContent' if stream else 'generateContent'}")
        return path, b"alt=sse" if stream else b""

    def target_for(self, path: str, model: str) -> str:
        """The path, in which the model stands."""
        return f"/models/{model}:{path.partition(':')[2]}" if path.startswith("/models/") else path

    def own_reply(self, own: OwnText) -> None:
        """No reply of ours, always None: whether a stream is to be events or one array stands in the query, which `own`
        does not hold.
        """

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            parsed = _reply.decode(body)
        except UNREADABLE:
            return _array_reply(body)
        usage, problem = counted_in(parsed.usage)
        candidates = listed(parsed.candidates)
        made, made_size = ("", 0) if usage else join_output(candidate_blocks(candidates))
        return ReplyFacts(
            reply_id=identifier(parsed.reply_id),
            model=identifier(parsed.model),
            usage=usage,
            usage_final=usage is not None,
            tier=tier_from(mapping(parsed.usage)),
            charges=charges_from(mapping(parsed.usage), grounding_in(candidates), identifier(parsed.model)),
            finish_reason=finish_reason_in(candidates, parsed.feedback),
            complete=bool(finish_reason_in(candidates, parsed.feedback)),
            error_kind=error_kind_in(parsed.error),
            output_text=made,
            output_chars=made_size,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> GeminiTail:  # noqa: ARG002 - usage comes unasked
        return GeminiTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return encode({"error": error_object(status, message, kind)})

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        return b"data: %b\r\n\r\n" % encode({"error": error_object(status, message, kind)})


def _target(method: str, rest: str) -> Target | None:
    path = quoted(f"/models/{rest}")
    model, _, verb = rest.partition(":")
    if "/" in model:
        return None
    if method == "GET" and not verb:
        return Target(path.rstrip("/"), is_call=False)
    if method == "POST" and model and verb in _METHODS:
        is_count = verb == "countTokens"
        return Target(path, is_call=not is_count, counts_tokens=is_count)
    return None


def _array_reply(body: bytes) -> ReplyFacts:
    """A stream's array read as a whole, or an error in a list."""
    try:
        elements = [mapping(element) for element in listed(msgspec.json.decode(body))]
    except UNREADABLE:
        elements = []
    if not elements:
        return unreadable_reply(body)
    tail = GeminiTail()
    for element in elements:
        tail.take(element)
    return tail.facts()


DIALECT = GeminiGenerate()
