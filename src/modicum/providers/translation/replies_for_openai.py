"""Anthropic's replies and streams as OpenAI chat completions.

Thinking stands in `reasoning_content`, as DeepSeek, vLLM and others have it, and with its signature in
`thinking_blocks`: a client that sends these back keeps a reasoning model's tool loop whole. Sources:
https://docs.claude.com/en/docs/build-with-claude/streaming, https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers.anthropic_messages.usage import MAIN_COUNTS, usage_from
from modicum.providers.body_parsing import UNREADABLE, encode, error_kind_of, identifier, parse_usage
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.usage import chat_usage
from modicum.providers.openai_chat.dialect import DIALECT
from modicum.providers.translation.events import Events
from modicum.providers.translation.translation import unusable_reply

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}

Json = dict[str, Any]


def reply(body: bytes, created: int) -> bytes:
    """A reply of Anthropic messages as a chat completion's; see `Translation.reply`."""
    try:
        parsed = msgspec.json.decode(body, type=dict)
    except UNREADABLE as wrong:
        raise unusable_reply("it is not JSON") from wrong
    if parsed.get("type") != "message":
        raise unusable_reply("it is no message")
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    _fill(message, listed(parsed.get("content")))
    wire = _head(parsed, "chat.completion", created)
    finish = FINISH_REASONS.get(text(parsed.get("stop_reason")), "stop")
    wire["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}]
    if usage := _usage(parsed.get("usage")):
        wire["usage"] = usage
    return encode(wire)


def _head(message: Mapping[str, Any], kind: str, created: int) -> Json:
    return {
        "id": identifier(message.get("id")),
        "object": kind,
        "created": created,
        "model": identifier(message.get("model")),
    }


def _fill(message: Json, content: Iterable[Any]) -> None:
    texts: list[str] = []
    thinking: list[Json] = []
    calls: list[Json] = []
    for block in map(mapping, content):
        kind = text(block.get("type"))
        if kind == "text":
            texts.append(text(block.get("text")))
        elif kind in {"thinking", "redacted_thinking"}:
            thinking.append({"index": len(thinking), **block})
        elif kind == "tool_use":
            function = {"name": text(block.get("name")), "arguments": encode(mapping(block.get("input"))).decode()}
            calls.append({"id": text(block.get("id")), "type": "function", "function": function})
        else:
            raise unusable_reply(f"a block of type {identifier(kind) or 'unknown'} has no counterpart")
    if texts:
        message["content"] = "".join(texts)
    if calls:
        message["tool_calls"] = calls
    if thinking:
        message["reasoning_content"] = "".join(text(block.get("thinking")) for block in thinking)
        message["thinking_blocks"] = thinking


def _usage(usage: Any) -> Json | None:
    """None where the upstream did not count: an absent figure is no zero."""
    counts, _ = parse_usage(usage_from, usage, MAIN_COUNTS)
    if counts is None:
        return None
    wire = chat_usage(counts)
    thinking = mapping(mapping(usage).get("output_tokens_details")).get("thinking_tokens")
    if isinstance(thinking, int) and 0 < thinking <= counts.completion_tokens:
        wire["completion_tokens_details"]["reasoning_tokens"] = thinking
    return wire


class StreamForOpenAI:
    """Events become chunks; usage, which comes in two events, becomes the last chunk if it was asked for."""

    def __init__(self, *, usage_asked: bool, created: int) -> None:
        self._events = Events()
        self._usage_asked = usage_asked
        self._created = created
        self._message: Json = {}
        self._counts: Json = {}
        self._blocks: dict[int, Json] = {}
        self._calls = 0
        self._thoughts = 0
        self._over = False

    def feed(self, chunk: bytes) -> bytes:
        return self._translate(self._events.feed(chunk))

    def end(self) -> bytes:
        return self._translate(self._events.end())

    def _translate(self, events: Iterable[Mapping[str, Any]]) -> bytes:
        out: list[bytes] = []
        try:
            for event in events:
                if not self._over:
                    out += self._event(event)
        except DialectError as wrong:
            if not self._over:
                self._over = True
                out.append(DIALECT.error_event(wrong.status, wrong.message, wrong.kind))
        return b"".join(out)

    def _event(self, event: Mapping[str, Any]) -> list[bytes]:
        translate = self._TRANSLATE.get(text(event.get("type")))
        return translate(self, event) if translate else []

    def _message_start(self, event: Mapping[str, Any]) -> list[bytes]:
        message = mapping(event.get("message"))
        self._message = _head(message, "chat.completion.chunk", self._created)
        self._counts.update(mapping(message.get("usage")))
        return [self._chunk({"role": "assistant", "content": "", "refusal": None})]

    def _message_delta(self, event: Mapping[str, Any]) -> list[bytes]:
        self._counts.update({name: n for name, n in mapping(event.get("usage")).items() if n is not None})
        reason = mapping(event.get("delta")).get("stop_reason")
        return [self._chunk({}, FINISH_REASONS.get(text(reason), "stop"))] if reason else []

    def _message_stop(self, event: Mapping[str, Any]) -> list[bytes]:  # noqa: ARG002 - it says nothing else
        self._over = True
        usage = _usage(self._counts) if self._usage_asked else None
        last = [_data({**self._message, "choices": [], "usage": usage})] if usage else []
        return [*last, b"data: [DONE]\n\n"]

    def _error(self, event: Mapping[str, Any]) -> list[bytes]:
        self._over = True
        message = text(mapping(event.get("error")).get("message"))
        return [DIALECT.error_event(502, message or "the upstream reports an error", error_kind_of(event))]

    def _ping(self, event: Mapping[str, Any]) -> list[bytes]:  # noqa: ARG002 - it says nothing
        return [b": ping\n\n"]

    def _block_start(self, event: Mapping[str, Any]) -> list[bytes]:
        index = _place(event)
        block = mapping(event.get("content_block"))
        kind = text(block.get("type"))
        if kind == "tool_use":
            place = self._calls
            self._calls += 1
            self._blocks[index] = {"type": kind, "place": place, "input": block.get("input"), "empty": True}
            function = {"name": text(block.get("name")), "arguments": ""}
            call = {"index": place, "id": text(block.get("id")), "type": "function", "function": function}
            return [self._chunk({"tool_calls": [call]})]
        if kind in {"thinking", "redacted_thinking"}:
            self._blocks[index] = {"type": kind, "kept": dict(block)}
            thought = text(block.get("thinking"))
            return [self._chunk({"reasoning_content": thought})] if thought else []
        if kind == "text":
            self._blocks[index] = {"type": kind}
            block_text = text(block.get("text"))
            return [self._chunk({"content": block_text})] if block_text else []
        raise unusable_reply(f"a block of type {identifier(kind) or 'unknown'} has no counterpart")

    def _block_delta(self, event: Mapping[str, Any]) -> list[bytes]:
        block = self._blocks.get(_place(event), {})
        delta = mapping(event.get("delta"))
        kind = delta.get("type")
        if kind == "text_delta":
            return [self._chunk({"content": text(delta.get("text"))})]
        if kind == "input_json_delta":
            part = text(delta.get("partial_json"))
            if not part:
                return []
            block["empty"] = False
            return [self._arguments(block, part)]
        return self._thinking(block.get("kept", {}), delta)

    def _thinking(self, kept: Json, delta: Mapping[str, Any]) -> list[bytes]:
        kind = delta.get("type")
        if kind == "thinking_delta":
            thought = text(delta.get("thinking"))
            kept["thinking"] = text(kept.get("thinking")) + thought
            return [self._chunk({"reasoning_content": thought})]
        if kind == "signature_delta":
            kept["signature"] = text(kept.get("signature")) + text(delta.get("signature"))
        elif kind != "citations_delta":  # a request in this dialect cannot have asked for citations
            raise unusable_reply(f"a delta of type {identifier(kind) or 'unknown'} has no counterpart")
        return []

    def _block_stop(self, event: Mapping[str, Any]) -> list[bytes]:
        block = self._blocks.pop(_place(event), {})
        if block.get("type") == "tool_use" and block["empty"]:
            return [self._arguments(block, encode(mapping(block["input"])).decode())]
        if "kept" in block:
            thought = {"index": self._thoughts, **block["kept"]}
            self._thoughts += 1
            return [self._chunk({"thinking_blocks": [thought]})]
        return []

    def _arguments(self, block: Json, part: str) -> bytes:
        if "place" not in block:
            raise unusable_reply("arguments of a tool call stand outside of one")
        return self._chunk({"tool_calls": [{"index": block["place"], "function": {"arguments": part}}]})

    def _chunk(self, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        wire: Json = {**self._message, "choices": [choice]}
        if self._usage_asked:
            wire["usage"] = None
        return _data(wire)

    _TRANSLATE: ClassVar = {
        "message_start": _message_start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "content_block_stop": _block_stop,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
        "error": _error,
        "ping": _ping,
    }


def _place(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else 0


def _data(chunk: Json) -> bytes:
    return b"data: %b\n\n" % encode(chunk)
