"""Server-sent events of an upstream, decoded one by one as their lines become whole."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.line_buffer import LineBuffer
from modicum.providers.translation.translation import unusable_reply

DONE: Mapping[str, Any] = {}
"""Stands for OpenAI's `[DONE]`."""


class Events:
    """Chunks in, events out.

    Raises (while iterated):
        DialectError: a line of data is not a JSON object.
    """

    def __init__(self) -> None:
        self._lines = LineBuffer()

    def feed(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        yield from _events(self._lines.feed(chunk))

    def end(self) -> Iterator[Mapping[str, Any]]:
        """A last event whose line end is missing; one that broke off is none."""
        last = self._lines.end()
        if last.rstrip().endswith((b"}", b"[DONE]")):
            yield from _events(last)


def _events(lines: bytes) -> Iterator[Mapping[str, Any]]:
    for line in lines.splitlines():
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            yield DONE
            continue
        try:
            event = msgspec.json.decode(data)
        except UNREADABLE as wrong:
            raise unusable_reply("a line of the stream is not JSON") from wrong
        if not isinstance(event, Mapping):
            raise unusable_reply("a line of the stream is no JSON object")
        yield event
