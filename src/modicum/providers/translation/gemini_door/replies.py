"""OpenAI chat completions and their streams as those of generateContent. Source, 2026-11:
https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE, encode, error_kind_of, identifier, parse_usage
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping, text
from modicum.providers.gemini_generate.dialect import DIALECT
from modicum.providers.gemini_generate.usage import wire_usage
from modicum.providers.openai.stream import usage_in
from modicum.providers.openai.usage import MAIN_COUNTS, usage_from
from modicum.providers.translation.events import DONE, Events
from modicum.providers.translation.gemini_door.fields import Json
from modicum.providers.translation.gemini_door.signatures import signature_with
from modicum.providers.translation.translation import unusable_reply

FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}


def reply(body: bytes, created: int, custom_tools: frozenset[str] = frozenset()) -> bytes:  # noqa: ARG001 - no time, no such tools
    """A chat completion's reply as one of generateContent; see `Translation.reply`."""
    try:
        parsed = msgspec.json.decode(body, type=dict)
    except UNREADABLE as wrong:
        raise unusable_reply("it is not JSON") from wrong
    choices = [mapping(choice) for choice in listed(parsed.get("choices"))]
    if not choices:
        raise unusable_reply("it holds no choice")
    candidates = []
    for place, choice in enumerate(choices):
        candidate = _Candidate(place)
        parts = candidate.add(mapping(choice.get("message")))
        candidates.append(candidate.event(parts + candidate.calls(), text(choice.get("finish_reason")) or "stop"))
    return encode(_head(parsed) | {"candidates": candidates} | _usage(usage_in(parsed, list(choices))))


def _head(parsed: Mapping[str, Any]) -> Json:
    return {"responseId": identifier(parsed.get("id")), "modelVersion": identifier(parsed.get("model"))}


def _usage(usage: Any) -> Json:
    counts, _ = parse_usage(usage_from, usage, MAIN_COUNTS)
    return {} if counts is None else {"usageMetadata": wire_usage(counts)}


class _Candidate:
    """One choice, of which deltas come one by one. Calls are written when they are whole, as Google's are."""

    def __init__(self, place: int) -> None:
        self._place = place
        self._calls: dict[int, list[str]] = {}
        """Id, name and arguments of each."""
        self._blocks: list[Json] = []
        self._refused = False
        self.finish = ""

    def add(self, delta: Mapping[str, Any]) -> list[Json]:
        """The parts of a delta that can be written."""
        if delta.get("function_call") or delta.get("audio"):
            raise unusable_reply("'function_call' and 'audio' have no counterpart")
        self._blocks += [_plain(mapping(block)) for block in listed(delta.get("thinking_blocks"))]
        parts: list[Json] = []
        if thought := text(delta.get("reasoning_content")) or text(delta.get("reasoning")):
            parts.append({"text": thought, "thought": True})
        refusal = text(delta.get("refusal"))
        self._refused = self._refused or bool(refusal)
        if words := text(delta.get("content")) or refusal:
            parts.append({"text": words})
        for order, call in enumerate(map(mapping, listed(delta.get("tool_calls")))):
            place = call.get("index")
            self._add_call(place if isinstance(place, int) else order, call)
        return parts

    def _add_call(self, place: int, call: Mapping[str, Any]) -> None:
        called = self._calls.setdefault(place, ["", "", ""])
        function = mapping(call.get("function"))
        for field, piece in enumerate((call.get("id"), function.get("name"), function.get("arguments"))):
            called[field] += text(piece)

    def calls(self) -> list[Json]:
        """The parts of all calls.

        Raises:
            DialectError: one names no function, or its arguments are no object.
        """
        parts = [_call(*self._calls[place]) for place in sorted(self._calls)]
        if parts and (signature := signature_with(self._blocks)):
            parts[0]["thoughtSignature"] = signature
        return parts

    def event(self, parts: list[Json], finish: str = "") -> Json:
        wire: Json = {"content": {"role": "model", "parts": parts}, "index": self._place}
        if finish:
            wire["finishReason"] = "SAFETY" if self._refused else FINISH_REASONS.get(finish, "OTHER")
        return wire


def _plain(block: Mapping[str, Any]) -> Json:
    return {name: value for name, value in block.items() if name != "index"}


def _call(call_id: str, name: str, arguments: str) -> Json:
    if not name:
        raise unusable_reply("a tool call names no function")
    try:
        given = msgspec.json.decode(arguments or "{}")
    except UNREADABLE:
        given = None
    if not isinstance(given, dict):
        raise unusable_reply("the model wrote arguments of a tool call that are no JSON object")
    return {"functionCall": ({"id": call_id} if call_id else {}) | {"name": name, "args": given}}


class StreamForGemini:
    """Chunks become responses. The last one, with calls and why it ended, waits for the usage, which comes after it."""

    def __init__(self) -> None:
        self._events = Events()
        self._head: Json = {}
        self._candidates: dict[int, _Candidate] = {}
        self._usage: Any = None
        self._over = False

    def feed(self, chunk: bytes) -> bytes:
        return self._translate(self._events.feed(chunk))

    def end(self) -> bytes:
        out = self._translate(self._events.end())
        return out if self._over else out + self._translate([DONE])

    def _translate(self, events: Iterable[Mapping[str, Any]]) -> bytes:
        out: list[bytes] = []
        try:
            for event in events:
                if not self._over:
                    out += self._chunk(event)
        except DialectError as wrong:
            if not self._over:
                self._over = True
                out.append(DIALECT.error_event(wrong.status, wrong.message, wrong.kind))
        return b"".join(out)

    def _chunk(self, chunk: Mapping[str, Any]) -> list[bytes]:
        if chunk is DONE:
            return self._end_of_reply()
        choices = listed(chunk.get("choices"))
        if not choices and (kind := error_kind_of(chunk)):
            self._over = True
            message = text(mapping(chunk.get("error")).get("message"))
            return [DIALECT.error_event(502, message or "the upstream reports an error", kind)]
        self._usage = usage_in(chunk, choices) or self._usage
        self._head = self._head or _head(chunk)
        out = []
        for choice in map(mapping, choices):
            index = choice.get("index")
            place = index if isinstance(index, int) else 0
            candidate = self._candidates.setdefault(place, _Candidate(place))
            if parts := candidate.add(mapping(choice.get("delta"))):
                out.append(_event(self._head | {"candidates": [candidate.event(parts)]}))
            candidate.finish = text(choice.get("finish_reason")) or candidate.finish
        return out

    def _end_of_reply(self) -> list[bytes]:
        """Nothing where a candidate is not finished: a stream that broke off gets no regular end."""
        finished = self._candidates.values()
        if not finished or not all(candidate.finish for candidate in finished):
            return []
        self._over = True
        last = [one.event(one.calls() or [{"text": ""}], one.finish) for one in finished]
        return [_event(self._head | {"candidates": last} | _usage(self._usage))]


def _event(response: Json) -> bytes:
    return b"data: %b\r\n\r\n" % encode(response)
