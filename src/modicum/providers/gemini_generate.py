"""Gemini's generateContent and its stream, on the Gemini API and on Vertex AI. The path names model and method.

A stream comes as server-sent events (`alt=sse`, as every official client asks) or as one JSON array whose elements
stand between lines of `,`. Chunks tell usage as it grows; on Vertex the early ones only name the traffic type. Source:
https://ai.google.dev/api/generate-content.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers import gemini
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
from modicum.providers.dialect import DialectError, ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.lines import MOST_LINE
from modicum.providers.message_blocks import messages_blocks
from modicum.providers.stream import EventTail

STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
SERVER_FAULT = 500


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
_METHODS = {"generateContent": False, "streamGenerateContent": True, "countTokens": False}


class GeminiGenerate:
    """POST /v1beta/models/{model}:generateContent and :streamGenerateContent, and the request of :countTokens."""

    name = "gemini-generate"

    def request(self, body: bytes, path: str) -> RequestFacts:
        found = _PATH.search(path)
        if not found or found[2] not in _METHODS:
            raise DialectError(404, "the path names no model and method that are served here", "not_found")
        told = asked(_request, body)
        config = told.config or _Config()
        return RequestFacts(
            model=model_named(found[1]),
            stream=_METHODS[found[2]],
            most_output_tokens=config.max_tokens,
            choices_count=config.choices or 1,
            metadata=texts_of(told.labels) if told.labels else {},
        )

    def segments(self, body: bytes) -> list[Block]:
        return gemini.request_blocks(asked_object(body))

    def with_usage_asked(self, body: bytes) -> bytes:
        """The body itself: usage comes unasked."""
        return body

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            told = _reply.decode(body)
        except UNREADABLE:
            return _array_reply(body)
        usage, problem = _counted(told.usage)
        candidates = listed(told.candidates)
        made, made_size = ("", 0) if usage else output_of(_candidate_blocks(candidates))
        return ReplyFacts(
            reply_id=word(told.reply_id),
            model=word(told.model),
            usage=usage,
            usage_final=usage is not None,
            tier=gemini.tier_from(mapping(told.usage)),
            web_searches=_web_searches(candidates),
            finish_reason=_finish_reason(candidates, told.feedback),
            complete=bool(_finish_reason(candidates, told.feedback)),
            error_kind=_error_kind(told.error),
            output_text=made,
            output_chars=made_size,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> EventTail:  # noqa: ARG002 - usage comes unasked
        return GeminiTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return encoded({"error": _error(status, message, kind)})

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        return b"data: %b\r\n\r\n" % encoded({"error": _error(status, message, kind)})


def _error(status: int, message: str, kind: str) -> dict[str, Any]:
    said = STATUS_WORDS.get(status) or ("INTERNAL" if status >= SERVER_FAULT else "FAILED_PRECONDITION")
    error: dict[str, Any] = {"code": status, "message": text(message), "status": said}
    if kind:
        info = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": info, "reason": text(kind).upper(), "domain": "modicum"}]
    return error


def _error_kind(error: Any) -> str:
    status = word(mapping(error).get("status"))
    return status or error_kind_of({"error": error})


def _counted(usage: Any) -> tuple[Any, str]:
    """As `counted`; a usage that only names the traffic type has not counted anything."""
    return counted(gemini.usage_from, usage) if mapping(usage).get("promptTokenCount") is not None else (None, "")


def _candidate_blocks(candidates: list[Any]) -> list[Block]:
    contents = (mapping(mapping(candidate).get("content")) for candidate in candidates)
    return messages_blocks([{**content, "role": "model"} for content in contents])


def _finish_reason(candidates: list[Any], feedback: Any) -> str:
    """Why the first candidate ended; where there is none, why the prompt was blocked."""
    for candidate in candidates:
        return word(mapping(candidate).get("finishReason"))
    return word(mapping(feedback).get("blockReason"))


def _web_searches(candidates: list[Any]) -> int:
    """Searches that the provider ran: one per query."""
    grounding = (mapping(mapping(candidate).get("groundingMetadata")) for candidate in candidates)
    return sum(len(listed(found.get("webSearchQueries"))) for found in grounding)


def _array_reply(body: bytes) -> ReplyFacts:
    """A stream's array read as a whole, or an error in a list."""
    try:
        elements = [mapping(element) for element in listed(msgspec.json.decode(body))]
    except UNREADABLE:
        elements = []
    if not elements:
        return unreadable(body)
    tail = GeminiTail()
    for element in elements:
        tail.take(element)
    return tail.facts()


class GeminiTail(EventTail):
    """Every chunk may tell something; only the last figures stand."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:usageMetadata|finishReason|promptFeedback|error)"')

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, Any] = {}
        self._is_array: bool | None = None
        self._element: list[bytes] = []
        self._element_size = 0

    def told(self, event: Mapping[str, Any]) -> None:
        candidates = listed(event.get("candidates"))
        self.reply_id = word(event.get("responseId")) or self.reply_id
        self.model = word(event.get("modelVersion")) or self.model
        self.finish_reason = _finish_reason(candidates, event.get("promptFeedback")) or self.finish_reason
        self.complete = self.complete or bool(self.finish_reason)
        self.error_kind = _error_kind(event.get("error")) or self.error_kind
        self.web_searches += _web_searches(candidates)
        self._counts.update({name: count for name, count in mapping(event.get("usageMetadata")).items() if count})
        self.usage, self.usage_problem = _counted(self._counts)
        self.usage_final = self.usage is not None and self.complete
        self.tier = gemini.tier_from(self._counts)

    def said(self, event: Mapping[str, Any]) -> str:
        blocks = _candidate_blocks(listed(event.get("candidates")))
        return "".join(f"{block.tool}{block.text}" for block in blocks)

    def take(self, element: Mapping[str, Any]) -> None:
        """An element of the array."""
        self.told(element)
        self._keep(self.said(element))

    def _lines(self, block: bytes) -> None:
        """Events as usual; of an array, elements as they become whole."""
        if self._is_array is None and block.strip():
            self._is_array = block.lstrip().startswith(b"[")
        if not self._is_array:
            super()._lines(block)
            return
        for line in block.splitlines():
            if line.rstrip() in {b",", b"]"}:
                self._whole_element()
            else:
                self._element.append(line)
                self._element_size += len(line)
        if self._element_size > MOST_LINE:
            self._element.clear()
            self._element_size = 0
            self.problem = "an element was too large to be read"

    def end(self) -> bytes:
        super().end()
        if self._element:
            self._whole_element()
        return b""

    def _whole_element(self) -> None:
        raw = b"\n".join(self._element).strip().removeprefix(b"[")
        self._element.clear()
        self._element_size = 0
        try:
            elements = msgspec.json.decode(b"[" + raw.removesuffix(b"]") + b"]")
        except UNREADABLE:
            self.problem = "an element of the stream is not JSON"
            return
        for element in listed(elements):
            self.take(mapping(element))


DIALECT = GeminiGenerate()
