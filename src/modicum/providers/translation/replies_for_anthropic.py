"""OpenAI chat completions and their streams as Anthropic messages.

Reasoning becomes thinking blocks with an empty signature: nobody but Anthropic can sign one. The prompt's tokens are
known only at the end of a stream, so `message_start` tells none and `message_delta` tells all (clients take the later
figure). Sources: https://platform.openai.com/docs/api-reference/chat-streaming,
https://docs.claude.com/en/docs/build-with-claude/streaming.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from modicum.providers.anthropic_messages.dialect import DIALECT
from modicum.providers.anthropic_messages.usage import wire_usage
from modicum.providers.body_parsing import UNREADABLE, encode, error_kind_of, identifier, parse_usage
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.stream import usage_in
from modicum.providers.openai.usage import MAIN_COUNTS, usage_from
from modicum.providers.translation.events import DONE, Events
from modicum.providers.translation.translation import reply_with_one_choice, unusable_reply

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}

NOT_COUNTED = {"input_tokens": 0, "output_tokens": 0}
"""The dialect has no word for usage that nobody counted; the books do, and keep an estimate."""

Json = dict[str, Any]


def reply(body: bytes, created: int, custom_tools: frozenset[str] = frozenset()) -> bytes:  # noqa: ARG001 - no time, no such tools
    """A chat completion's reply as one of Anthropic messages; see `Translation.reply`."""
    parsed, choices = reply_with_one_choice(body)
    choice = mapping(choices[0])
    message = mapping(choice.get("message"))
    wire = _message(parsed, _content(message))
    wire["stop_reason"] = _stop_reason(choice.get("finish_reason"), refusal=message.get("refusal"))
    wire["usage"] = _usage(usage_in(parsed, choices))
    return encode(wire)


def _message(parsed: Mapping[str, Any], content: list[Json]) -> Json:
    return {
        "id": identifier(parsed.get("id")),
        "type": "message",
        "role": "assistant",
        "model": identifier(parsed.get("model")),
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": NOT_COUNTED,
    }


def _content(message: Mapping[str, Any]) -> list[Json]:
    if message.get("function_call") or message.get("audio"):
        raise unusable_reply("'function_call' and 'audio' have no counterpart")
    content: list[Json] = []
    if thought := _thinking(message):
        content.append({"type": "thinking", "thinking": thought, "signature": ""})
    if answer := text(message.get("content")) or text(message.get("refusal")):
        content.append({"type": "text", "text": answer})
    for place, call in enumerate(map(mapping, listed(message.get("tool_calls")))):
        function = mapping(call.get("function"))
        content.append(_tool_use(call, place) | {"input": _arguments(text(function.get("arguments")))})
    return content


def _thinking(message: Mapping[str, Any]) -> str:
    """Hosts call it one or the other; some say both."""
    return text(message.get("reasoning_content")) or text(message.get("reasoning"))


def _tool_use(call: Mapping[str, Any], place: int) -> Json:
    name = text(mapping(call.get("function")).get("name"))
    if not name:
        raise unusable_reply("a tool call names no function")
    return {"type": "tool_use", "id": text(call.get("id")) or f"call_{place}", "name": name, "input": {}}


def _arguments(given: str) -> Json:
    try:
        arguments = msgspec.json.decode(given or "{}")
    except UNREADABLE:
        arguments = None
    if not isinstance(arguments, dict):
        raise unusable_reply("the model wrote arguments of a tool call that are no JSON object")
    return arguments


def _stop_reason(finish: Any, *, refusal: Any = None) -> str:
    return "refusal" if refusal else STOP_REASONS.get(text(finish), "end_turn")


def _usage(usage: Any) -> Json:
    counts, _ = parse_usage(usage_from, usage, MAIN_COUNTS)
    return NOT_COUNTED if counts is None else wire_usage(counts)


class StreamForAnthropic:
    """Chunks become events. One block is open at a time; the end waits for the usage, which comes after it."""

    def __init__(self) -> None:
        self._events = Events()
        self._begun = False
        self._over = False
        self._open = ""
        """What kind of block is open: `text`, `thinking`, `tool_use 0`, ..."""
        self._index = -1
        self._closed: set[str] = set()
        self._written: list[str] = []
        """The arguments of the open call, so far."""
        self._waiting: dict[int, list[Mapping[str, Any]]] = {}
        """Parts of calls that came while another was not whole: blocks cannot be written in turns."""
        self._finish = ""
        self._refused = False
        self._usage: Any = None

    def feed(self, chunk: bytes) -> bytes:
        return self._translate(self._events.feed(chunk))

    def end(self) -> bytes:
        out = self._translate(self._events.end())
        return out + (b"".join(self._end_of_message()) if self._finish and not self._over else b"")

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
            return self._end_of_message() if self._finish else []
        choices = listed(chunk.get("choices"))
        if not choices and (kind := error_kind_of(chunk)):
            self._over = True
            message = text(mapping(chunk.get("error")).get("message"))
            return [DIALECT.error_event(502, message or "the upstream reports an error", kind)]
        self._usage = usage_in(chunk, choices) or self._usage
        out: list[bytes] = []
        if not self._begun:
            self._begun = True
            out.append(_event({"type": "message_start", "message": _message(chunk, [])}))
        for choice in map(mapping, choices):
            if choice.get("index"):
                raise unusable_reply("it holds more than one choice")
            out += self._delta(mapping(choice.get("delta")))
            self._finish = text(choice.get("finish_reason")) or self._finish
        return out

    def _delta(self, delta: Mapping[str, Any]) -> list[bytes]:
        if delta.get("function_call") or delta.get("audio"):
            raise unusable_reply("'function_call' and 'audio' have no counterpart")
        out: list[bytes] = []
        if thought := _thinking(delta):
            out += self._open_block("thinking", {"type": "thinking", "thinking": "", "signature": ""})
            out.append(self._delta_event({"type": "thinking_delta", "thinking": thought}))
        refusal = text(delta.get("refusal"))
        self._refused = self._refused or bool(refusal)
        if content := text(delta.get("content")) or refusal:
            out += self._open_block("text", {"type": "text", "text": ""})
            out.append(self._delta_event({"type": "text_delta", "text": content}))
        for call in map(mapping, listed(delta.get("tool_calls"))):
            out += self._call(call)
        return out

    def _call(self, call: Mapping[str, Any]) -> list[bytes]:
        place = call.get("index")
        place = place if isinstance(place, int) else 0
        kind = f"tool_use {place}"
        part = text(mapping(call.get("function")).get("arguments"))
        if kind in self._closed:
            if part.strip():
                raise unusable_reply("a tool call goes on behind its end")
            return []
        if self._open != kind and self._open.startswith("tool_use") and not self._is_whole():
            self._waiting.setdefault(place, []).append(call)
            return []
        out = [] if self._open == kind else self._begin_call(kind, call, place)
        if part:
            self._written.append(part)
            out.append(self._delta_event({"type": "input_json_delta", "partial_json": part}))
        return out + (self._write_waiting() if self._waiting and self._is_whole() else [])

    def _begin_call(self, kind: str, call: Mapping[str, Any], place: int) -> list[bytes]:
        out = self._open_block(kind, _tool_use(call, place))
        self._written = []
        return out

    def _is_whole(self) -> bool:
        """Whether the arguments of the open call are: no object goes on behind its last brace."""
        written = "".join(self._written)
        if not written.rstrip().endswith("}"):
            return False
        try:
            return isinstance(msgspec.json.decode(written), dict)
        except UNREADABLE:
            return False

    def _write_waiting(self) -> list[bytes]:
        """The next call that waits, and those behind it as far as they are whole."""
        place = min(self._waiting)
        out: list[bytes] = []
        for call in self._waiting.pop(place):
            out += self._call(call)
        return out

    def _open_block(self, kind: str, block: Json) -> list[bytes]:
        """The events that make a block of this kind the open one."""
        if self._open == kind:
            return []
        out = self._close_block()
        self._open = kind
        self._index += 1
        out.append(_event({"type": "content_block_start", "index": self._index, "content_block": block}))
        return out

    def _delta_event(self, delta: Json) -> bytes:
        return _event({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close_block(self) -> list[bytes]:
        if not self._open:
            return []
        self._closed.add(self._open)
        self._open = ""
        return [_event({"type": "content_block_stop", "index": self._index})]

    def _end_of_message(self) -> list[bytes]:
        self._over = True
        stop = {"stop_reason": _stop_reason(self._finish, refusal=self._refused), "stop_sequence": None}
        usage = {name: count for name, count in _usage(self._usage).items() if name in _DELTA_USAGE}
        end: Json = {"type": "message_delta", "delta": stop, "usage": usage}
        out: list[bytes] = []
        while self._waiting:
            out += self._close_block() + self._write_waiting()
        return [*out, *self._close_block(), _event(end), _event({"type": "message_stop"})]


_DELTA_USAGE = {
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
}


def _event(event: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))
