"""A stream that may be ended early: calls of tools pass when they are whole, and its end is written in its dialect."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.event_stream import event_data, whole_events

_decode = msgspec.json.Decoder().decode


class StreamCut(ABC):
    """Goes by the events of one stream, in its caller's dialect."""

    def __init__(self) -> None:
        self._made: list[str] = []

    def feed(self, events: bytes) -> bytes:
        """What of whole events passes now."""
        return b"".join(map(self._pass_event, whole_events(events)))

    def take_made(self) -> str:
        """What the model has said since this was asked last, calls of tools that are held back included."""
        made = "".join(self._made)
        self._made.clear()
        return made

    @abstractmethod
    def cut(self, output_tokens: int) -> bytes:
        """Ends the stream here, as after the most output that was asked for: what is half a call of a tool is left out.

        Args:
            output_tokens: of what has come, as we count it; for dialects whose clients want a figure.
        """

    @abstractmethod
    def _on_event(self, raw: bytes, event: Mapping[str, Any]) -> bytes:
        """What passes now of an event and of those that were held back."""

    def _on_rest(self, raw: bytes) -> bytes:
        """What is no JSON: comments, `[DONE]`."""
        return raw

    @abstractmethod
    def _text_of(self, event: Mapping[str, Any]) -> str:
        """What the model said in an event."""

    def _pass_event(self, raw: bytes) -> bytes:
        documents = list(event_data(raw))
        event = _read(documents[0]) if len(documents) == 1 else None
        if event is None:
            return self._on_rest(raw)
        if made := self._text_of(event):
            self._made.append(made)
        return self._on_event(raw, event)


def is_whole(arguments: str) -> bool:
    """Whether the arguments of a call of a tool have come to their end."""
    return _read(arguments.encode("utf-8", "surrogatepass")) is not None


def _read(data: bytes) -> Mapping[str, Any] | None:
    try:
        document = _decode(data)
    except UNREADABLE:
        return None
    return document if isinstance(document, Mapping) else None
