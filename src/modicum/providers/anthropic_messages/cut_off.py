"""A stream of messages that is ended early."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from modicum.providers.body_parsing import encode
from modicum.providers.cut_off.stream_cut import StreamCut, is_whole
from modicum.providers.fields import mapping, text

_TOO_LONG = {"max_tokens", "model_context_window_exceeded"}


class _Held(NamedTuple):
    place: int
    raw: bytes


class MessageCut(StreamCut):
    """From the first call of a tool on, blocks wait until the message says how it ends."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[_Held] = []
        self._arguments: dict[int, str] = {}
        """By block, of calls of tools."""
        self._open: int | None = None
        """The block that has begun and passes on as it comes."""

    def cut(self, output_tokens: int) -> bytes:
        stop = {"type": "message_delta", "delta": {"stop_reason": "max_tokens", "stop_sequence": None}}
        ends: list[dict[str, Any]] = [{**stop, "usage": {"output_tokens": output_tokens}}, {"type": "message_stop"}]
        if self._open is not None:
            ends.insert(0, {"type": "content_block_stop", "index": self._open})
        return self._whole_calls() + b"".join(map(_event, ends))

    def _text_of(self, event: Mapping[str, Any]) -> str:
        if event.get("type") == "content_block_start":
            return text(mapping(event.get("content_block")).get("name"))
        delta = mapping(event.get("delta"))
        return "".join(text(delta.get(name)) for name in ("text", "thinking", "partial_json"))

    def _on_event(self, raw: bytes, event: Mapping[str, Any]) -> bytes:
        kind, index = event.get("type"), event.get("index")
        if kind == "message_delta":
            return self._released(text(mapping(event.get("delta")).get("stop_reason"))) + raw
        if not isinstance(index, int):
            return raw
        if kind == "content_block_start" and text(mapping(event.get("content_block")).get("type")).endswith("tool_use"):
            self._arguments[index] = ""
        if self._arguments:
            if index in self._arguments:
                self._arguments[index] += text(mapping(event.get("delta")).get("partial_json"))
            self._held.append(_Held(index, raw))
            return b""
        self._open = None if kind == "content_block_stop" else index
        return raw

    def _released(self, stop_reason: str) -> bytes:
        if stop_reason in _TOO_LONG:
            return self._whole_calls()
        held = b"".join(one.raw for one in self._held)
        self._clear()
        return held

    def _whole_calls(self) -> bytes:
        """What was held back, without blocks that are not whole."""
        whole = {index for index, arguments in self._arguments.items() if is_whole(arguments)}
        passed = b"".join(one.raw for one in self._held if one.place in whole)
        self._clear()
        return passed

    def _clear(self) -> None:
        self._held.clear()
        self._arguments.clear()


def _event(event: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))
