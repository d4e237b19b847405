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
from modicum.providers.translation.anthropic_options import ANSWER_TOOL
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


def reply(body: bytes, created: int, custom_tools: frozenset[str] = frozenset()) -> bytes:
    """A reply of Anthropic messages as a chat completion's; see `Translation.reply`."""
    try:
        parsed = msgspec.json.decode(body, type=dict)
    except UNREADABLE as wrong:
        raise unusable_reply("it is not JSON") from wrong
    if parsed.get("type") != "message":
        raise unusable_reply("it is no message")
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    _fill(message, listed(parsed.get("content")), custom_tools)
    wire = _head(parsed, "chat.completion", created)
    finish = FINISH_REASONS.get(text(parsed.get("stop_reason")), "stop")
    if finish == "tool_calls" and "tool_calls" not in message:
        finish = "stop"  # what was called was the tool by which it answers
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


def _fill(message: Json, content: Iterable[Any], custom_tools: frozenset[str]) -> None:
    """Blocks that a request in this dialect cannot have asked for are passed over: what its own tools did."""
    texts: list[str] = []
    thinking: list[Json] = []
    calls: list[Json] = []
    annotations: list[Json] = []
    for block in map(mapping, content):
        kind = text(block.get("type"))
        if kind == "text":
            annotations += _annotations(block.get("citations"))
            texts.append(text(block.get("text")))
        elif kind in {"thinking", "redacted_thinking"}:
            thinking.append({"index": len(thinking), **block})
        elif kind == "tool_use" and block.get("name") == ANSWER_TOOL:
            texts.append(encode(mapping(block.get("input"))).decode())
        elif kind == "tool_use":
            calls.append(_call(block, custom_tools))
    if texts:
        message["content"] = "".join(texts)
    if annotations:
        message["annotations"] = annotations
    if calls:
        message["tool_calls"] = calls
    if thinking:
        message["reasoning_content"] = "".join(text(block.get("thinking")) for block in thinking)
        message["thinking_blocks"] = thinking


def _call(block: Mapping[str, Any], custom_tools: frozenset[str]) -> Json:
    name, given = text(block.get("name")), mapping(block.get("input"))
    if name in custom_tools:
        return custom_call(text(block.get("id")), name, given)
    function = {"name": name, "arguments": encode(given).decode()}
    return {"id": text(block.get("id")), "type": "function", "function": function}


def custom_call(call_id: str, name: str, given: Mapping[str, Any]) -> Json:
    """A call of a tool that takes a text: the text out of the object that the model wrote around it."""
    written = given.get("input")
    inner = written if isinstance(written, str) else encode(given).decode()
    return {"id": call_id, "type": "custom", "custom": {"name": name, "input": text(inner)}}


def _annotations(citations: Any) -> list[Json]:
    """Web addresses that a text names as its sources."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": text(citation.get("url")),
                "title": text(citation.get("title")),
                "start_index": 0,
                "end_index": 0,
            },
        }
        for citation in map(mapping, listed(citations))
        if text(citation.get("url"))
    ]


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

    def __init__(self, *, usage_asked: bool, created: int, custom_tools: frozenset[str] = frozenset()) -> None:
        self._events = Events()
        self._custom_tools = custom_tools
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
        finish = FINISH_REASONS.get(text(reason), "stop")
        if finish == "tool_calls" and not self._calls:
            finish = "stop"  # what was called was the tool by which it answers
        return [self._chunk({}, finish)] if reason else []

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
        if kind == "tool_use" and block.get("name") == ANSWER_TOOL:
            self._blocks[index] = {"type": "answer"}
            return []
        if kind == "tool_use":
            place = self._calls
            self._calls += 1
            self._blocks[index] = {"type": kind, "place": place, "input": block.get("input"), "empty": True}
            if text(block.get("name")) in self._custom_tools:
                self._blocks[index]["custom"] = {"block": block, "parts": []}
                return []
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
        self._blocks[index] = {"type": "passed over"}
        return []

    def _block_delta(self, event: Mapping[str, Any]) -> list[bytes]:
        block = self._blocks.get(_place(event), {})
        delta = mapping(event.get("delta"))
        kind = delta.get("type")
        if block.get("type") == "passed over":
            return []
        if kind == "text_delta":
            return [self._chunk({"content": text(delta.get("text"))})]
        if kind == "input_json_delta":
            return self._written(block, text(delta.get("partial_json")))
        return self._thinking(block.get("kept", {}), delta)

    def _written(self, block: Json, part: str) -> list[bytes]:
        """A part of the arguments of a call."""
        if not part:
            return []
        if block.get("type") == "answer":
            return [self._chunk({"content": part})]
        if "custom" in block:
            block["custom"]["parts"].append(part)
            return []
        block["empty"] = False
        return [self._arguments(block, part)]

    def _thinking(self, kept: Json, delta: Mapping[str, Any]) -> list[bytes]:
        kind = delta.get("type")
        if kind == "thinking_delta":
            thought = text(delta.get("thinking"))
            kept["thinking"] = text(kept.get("thinking")) + thought
            return [self._chunk({"reasoning_content": thought})]
        if kind == "signature_delta":
            kept["signature"] = text(kept.get("signature")) + text(delta.get("signature"))
        elif kind == "citations_delta":
            annotations = _annotations([delta.get("citation")])
            return [self._chunk({"annotations": annotations})] if annotations else []
        return []  # a delta that is new to us is none that the request asked for

    def _block_stop(self, event: Mapping[str, Any]) -> list[bytes]:
        block = self._blocks.pop(_place(event), {})
        if "custom" in block:
            return [self._custom_call(block)]
        if block.get("type") == "tool_use" and block["empty"]:
            return [self._arguments(block, encode(mapping(block["input"])).decode())]
        if "kept" in block:
            thought = {"index": self._thoughts, **block["kept"]}
            self._thoughts += 1
            return [self._chunk({"thinking_blocks": [thought]})]
        return []

    def _custom_call(self, block: Json) -> bytes:
        """In one piece: its text cannot be cut out of the object around it before that is whole."""
        begun = block["custom"]["block"]
        try:
            given = msgspec.json.decode("".join(block["custom"]["parts"]) or b"{}")
        except UNREADABLE as wrong:
            raise unusable_reply("the model wrote arguments of a tool call that are no JSON") from wrong
        call = custom_call(text(begun.get("id")), text(begun.get("name")), mapping(given))
        return self._chunk({"tool_calls": [{"index": block["place"], **call}]})

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
