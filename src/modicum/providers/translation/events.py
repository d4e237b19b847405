"""Server-sent events of an upstream, decoded one by one as they become whole."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.event_stream import EventBuffer, event_data
from modicum.providers.translation.translation import unusable_reply

DONE: Mapping[str, Any] = {}
"""Stands for OpenAI's `[DONE]`."""


class Events:
    """Chunks in, events out.

    Raises (while iterated):
        DialectError: the data of an event is not a JSON object, or too large.
    """

    def __init__(self) -> None:
        self._whole = EventBuffer()

    def feed(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        yield from _events(self._whole.feed(chunk))
        if self._whole.skipped:
            raise unusable_reply("an event of the stream is too large")

    def end(self) -> Iterator[Mapping[str, Any]]:
        """A last event whose end is missing; one that broke off is none."""
        last = self._whole.end()
        if last.rstrip().endswith((b"}", b"[DONE]")):
            yield from _events(last)


def _events(events: bytes) -> Iterator[Mapping[str, Any]]:
    for data in event_data(events):
        if data == b"[DONE]":
            yield DONE
            continue
        try:
            event = msgspec.json.decode(data)
        except UNREADABLE as wrong:
            raise unusable_reply("an event of the stream is not JSON") from wrong
        if not isinstance(event, Mapping):
            raise unusable_reply("an event of the stream is no JSON object")
        yield event
