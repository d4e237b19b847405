"""A stream of a response that is ended early."""

from collections.abc import Mapping
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.cut_off.stream_cut import StreamCut, is_whole
from modicum.providers.fields import listed, mapping, text

_PASSING = {"message", "reasoning"}
"""Items that pass on as they come; all others are calls of tools, or what belongs to one."""

Json = dict[str, Any]


class ResponseCut(StreamCut):
    """Items that are no words wait until they are done."""

    def __init__(self) -> None:
        super().__init__()
        self._response: Mapping[str, Any] = {}
        self._done: list[Mapping[str, Any]] = []
        self._open: dict[int, Json] = {}
        """Items that have begun and are not done, by their place."""
        self._texts: dict[tuple[int, int], str] = {}
        """Of parts that have begun and are not done, by item and part."""
        self._held: dict[int, list[bytes]] = {}
        self._left_out: set[str] = set()
        self._number = -1

    def cut(self, output_tokens: int) -> bytes:  # noqa: ARG002 - usage is the provider's to tell, and it told none
        ends = [event for place in list(self._open) if place not in self._held for event in self._ends_of(place)]
        details = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "usage": None}
        response = {**self._response, **details, "output": self._done}
        ends.append({"type": "response.incomplete", "response": response})
        return b"".join(map(self._event, ends))

    def _ends_of(self, place: int) -> list[Json]:
        """The events that end an item which passed on so far."""
        item = {**self._open.pop(place), "status": "incomplete"}
        at = {"item_id": text(item.get("id")), "output_index": place}
        ends: list[Json] = []
        parts = list(listed(item.get("content")))
        for (own, index), words in sorted(self._texts.items()):
            if own == place:
                part = {"type": "output_text", "text": words, "annotations": []}
                ends.append({"type": "response.output_text.done", **at, "content_index": index, "text": words})
                ends.append({"type": "response.content_part.done", **at, "content_index": index, "part": part})
                parts.append(part)
        if parts:
            item["content"] = parts
        self._done.append(item)
        return [*ends, {"type": "response.output_item.done", "output_index": place, "item": item}]

    def _text_of(self, event: Mapping[str, Any]) -> str:
        if text(event.get("type")).endswith(".delta"):
            return text(event.get("delta"))
        item = mapping(event.get("item"))
        return text(item.get("name")) if event.get("type") == "response.output_item.added" else ""

    def _on_event(self, raw: bytes, event: Mapping[str, Any]) -> bytes:
        kind, place = text(event.get("type")), event.get("output_index")
        number = event.get("sequence_number")
        self._number = number if isinstance(number, int) else self._number + 1
        if response := mapping(event.get("response")):
            self._response = response
            return self._without_half(raw, event, response) if kind == "response.incomplete" else raw
        if not isinstance(place, int):
            return raw
        item = mapping(event.get("item"))
        if kind == "response.output_item.added":
            self._open[place] = dict(item)
            if item.get("type") not in _PASSING:
                self._held[place] = []
        self._note_text(kind, place, event)
        if place in self._held:
            self._held[place].append(raw)
            return self._released(place, item) if kind == "response.output_item.done" else b""
        if kind == "response.output_item.done":
            self._is_done(place, item)
        return raw

    def _note_text(self, kind: str, place: int, event: Mapping[str, Any]) -> None:
        index = event.get("content_index")
        if not isinstance(index, int):
            return
        if kind == "response.output_text.delta":
            self._texts[place, index] = self._texts.get((place, index), "") + text(event.get("delta"))
        elif kind == "response.content_part.done":
            self._texts.pop((place, index), None)
            own = self._open.get(place)
            if own is not None:
                own["content"] = [*listed(own.get("content")), event.get("part")]

    def _released(self, place: int, item: Mapping[str, Any]) -> bytes:
        """A call of a tool that is done: whole it passes, half it is left out."""
        held = b"".join(self._held.pop(place))
        is_half = item.get("status") == "incomplete" or ("arguments" in item and not is_whole(text(item["arguments"])))
        if is_half:
            self._open.pop(place, None)
            self._left_out.add(text(item.get("id")))
            return b""
        self._is_done(place, item)
        return held

    def _is_done(self, place: int, item: Mapping[str, Any]) -> None:
        self._open.pop(place, None)
        self._done.append(item)

    def _without_half(self, raw: bytes, event: Mapping[str, Any], response: Mapping[str, Any]) -> bytes:
        """The last event, without calls of tools that did not pass."""
        output = [mapping(item) for item in listed(response.get("output"))]
        kept = [item for item in output if text(item.get("id")) not in self._left_out]
        if len(kept) == len(output):
            return raw
        return _written({**event, "response": {**response, "output": kept}})

    def _event(self, event: Json) -> bytes:
        self._number += 1
        return _written({**event, "sequence_number": self._number})


def _written(event: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))
