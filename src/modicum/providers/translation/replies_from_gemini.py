"""Gemini's replies and streams as OpenAI chat completions. Source, 2026-11:
https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE, encode, identifier
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping, text
from modicum.providers.gemini_generate.stream import counted_in, error_kind_in
from modicum.providers.openai.usage import chat_usage
from modicum.providers.openai_chat.dialect import DIALECT
from modicum.providers.translation.events import DONE, Events
from modicum.providers.translation.replies_for_openai import custom_call
from modicum.providers.translation.thought_signatures import id_with
from modicum.providers.translation.translation import unusable_reply

FINISH_REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
REFUSED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY", "MODEL_ARMOR"}
    | {"IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
)

Json = dict[str, Any]


def reply(body: bytes, created: int, custom_tools: frozenset[str] = frozenset()) -> bytes:
    """A whole response of generateContent as a chat completion's; see `Translation.reply`."""
    try:
        parsed = msgspec.json.decode(body, type=dict)
    except UNREADABLE as wrong:
        raise unusable_reply("it is not JSON") from wrong
    candidates = [mapping(candidate) for candidate in listed(parsed.get("candidates"))]
    blocked = mapping(parsed.get("promptFeedback")).get("blockReason")
    if not candidates and not blocked:
        raise unusable_reply("it holds no candidate")
    reply_id = identifier(parsed.get("responseId"))
    wire: Json = _head(parsed, "chat.completion", created) | {"choices": []}
    for place, candidate in enumerate(candidates or [{"finishReason": blocked}]):
        message: Json = {"role": "assistant", "content": None, "refusal": None}
        pieces = _Pieces(f"{reply_id}_{place}" if place else reply_id, custom_tools)
        _fill(message, pieces.of(candidate))
        finish = _finish(candidate.get("finishReason"), calls=bool(message.get("tool_calls")))
        if finish == "content_filter" and message["content"] is None:
            message["refusal"] = _why(candidate)
        wire["choices"].append({"index": place, "message": message, "logprobs": None, "finish_reason": finish})
    if usage := _usage(parsed.get("usageMetadata")):
        wire["usage"] = usage
    return encode(wire)


def _head(parsed: Mapping[str, Any], kind: str, created: int) -> Json:
    model, reply_id = identifier(parsed.get("modelVersion")), identifier(parsed.get("responseId"))
    return {"id": f"chatcmpl-{reply_id}", "object": kind, "created": created, "model": model}


def _finish(reason: Any, *, calls: bool) -> str:
    word = text(reason)
    if word in REFUSED or (word and word not in FINISH_REASONS and "BLOCK" in word):
        return "content_filter"
    finish = FINISH_REASONS.get(word, "stop")
    return "tool_calls" if calls and finish == "stop" else finish


def _why(candidate: Mapping[str, Any]) -> str:
    word = identifier(candidate.get("finishReason"))
    return text(candidate.get("finishMessage")) or f"The provider withheld the answer: {word}."


def _usage(usage: Any) -> Json | None:
    counts, _ = counted_in(usage)
    return None if counts is None else chat_usage(counts)


class _Pieces:
    """Parts of a candidate as deltas of a chat completion. Ids of calls count on over a stream."""

    def __init__(self, reply_id: str, custom_tools: frozenset[str]) -> None:
        self._reply_id = "".join(letter for letter in reply_id if letter.isalnum()) or "0"
        self._custom_tools = custom_tools
        self.calls = 0

    def of(self, candidate: Mapping[str, Any]) -> Iterable[Json]:
        for part in map(mapping, listed(mapping(candidate.get("content")).get("parts"))):
            yield from self._piece(part)
        if annotations := _annotations(mapping(candidate.get("groundingMetadata"))):
            yield {"annotations": annotations}

    def _piece(self, part: Mapping[str, Any]) -> Iterable[Json]:
        if called := mapping(part.get("functionCall")):
            yield {"tool_calls": [self._call(called, text(part.get("thoughtSignature")))]}
        elif data := mapping(part.get("inlineData")):
            url = f"data:{text(data.get('mimeType'))};base64,{text(data.get('data'))}"
            yield {"images": [{"type": "image_url", "image_url": {"url": url}}]}
        elif words := text(part.get("text")):
            yield {"reasoning_content" if part.get("thought") is True else "content": words}

    def _call(self, called: Mapping[str, Any], signature: str) -> Json:
        name, given = text(called.get("name")), mapping(called.get("args"))
        if not name:
            raise unusable_reply("a tool call names no function")
        place, self.calls = self.calls, self.calls + 1
        call_id = id_with(text(called.get("id")) or f"call_{self._reply_id}_{place}", signature)
        if name in self._custom_tools:
            return {"index": place, **custom_call(call_id, name, given)}
        function = {"name": name, "arguments": encode(given).decode()}
        return {"index": place, "id": call_id, "type": "function", "function": function}


def _annotations(grounding: Mapping[str, Any]) -> list[Json]:
    sources = (mapping(mapping(chunk).get("web")) for chunk in listed(grounding.get("groundingChunks")))
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": text(source.get("uri")),
                "title": text(source.get("title")),
                "start_index": 0,
                "end_index": 0,
            },
        }
        for source in sources
        if text(source.get("uri"))
    ]


def _fill(message: Json, pieces: Iterable[Json]) -> None:
    for piece in pieces:
        for name, value in piece.items():
            if name == "tool_calls":
                value[0].pop("index")
            before = message.get(name)
            message[name] = value if before is None else before + value


class StreamFromGemini:
    """Events become chunks; usage grows from event to event, and the last becomes a chunk if it was asked for."""

    def __init__(self, *, usage_asked: bool, created: int, custom_tools: frozenset[str] = frozenset()) -> None:
        self._events = Events()
        self._usage_asked, self._created, self._custom_tools = usage_asked, created, custom_tools
        self._head: Json = {}
        self._counts: dict[str, Any] = {}
        self._candidates: dict[int, _Pieces] = {}
        self._finished: set[int] = set()
        self._over = False

    def feed(self, chunk: bytes) -> bytes:
        return self._translate(self._events.feed(chunk))

    def end(self) -> bytes:
        out = self._translate(self._events.end())
        if self._over or not self._finished or self._finished != set(self._candidates):
            return out
        self._over = True
        usage = _usage(self._counts) if self._usage_asked else None
        last = _data({**self._head, "choices": [], "usage": usage}) if usage else b""
        return out + last + b"data: [DONE]\n\n"

    def _translate(self, events: Iterable[Mapping[str, Any]]) -> bytes:
        out: list[bytes] = []
        try:
            for event in events:
                if not self._over and event is not DONE:
                    out += self._event(event)
        except DialectError as wrong:
            if not self._over:
                self._over = True
                out.append(DIALECT.error_event(wrong.status, wrong.message, wrong.kind))
        return b"".join(out)

    def _event(self, event: Mapping[str, Any]) -> list[bytes]:
        if kind := error_kind_in(event.get("error")):
            self._over = True
            message = text(mapping(event.get("error")).get("message"))
            return [DIALECT.error_event(502, message or "the upstream reports an error", kind)]
        counts = mapping(event.get("usageMetadata")).items()
        self._counts.update({name: count for name, count in counts if count or name not in self._counts})
        self._head = self._head or _head(event, "chat.completion.chunk", self._created)
        candidates = [mapping(candidate) for candidate in listed(event.get("candidates"))]
        blocked = mapping(event.get("promptFeedback")).get("blockReason")
        if blocked and not candidates:
            candidates = [{"finishReason": blocked}]
        return [chunk for candidate in candidates for chunk in self._candidate(candidate)]

    def _candidate(self, candidate: Mapping[str, Any]) -> Iterable[bytes]:
        index = candidate.get("index")
        place = index if isinstance(index, int) else 0
        if place in self._finished:
            return
        pieces = self._candidates.get(place)
        if pieces is None:
            reply_id = text(self._head.get("id")).removeprefix("chatcmpl-")
            pieces = self._candidates[place] = _Pieces(f"{reply_id}_{place}" if place else reply_id, self._custom_tools)
            yield self._chunk(place, {"role": "assistant", "content": "", "refusal": None})
        for delta in pieces.of(candidate):
            yield self._chunk(place, delta)
        if candidate.get("finishReason"):
            self._finished.add(place)
            yield self._chunk(place, {}, _finish(candidate["finishReason"], calls=pieces.calls > 0))

    def _chunk(self, place: int, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": place, "delta": delta, "logprobs": None, "finish_reason": finish}
        wire: Json = {**self._head, "choices": [choice]}
        if self._usage_asked:
            wire["usage"] = None
        return _data(wire)


def _data(chunk: Json) -> bytes:
    return b"data: %b\n\n" % encode(chunk)
