"""What a reply says, as one text, for those who compare answers. Nothing is kept here."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.event_stream import stream_data
from modicum.providers.fields import mapping

_decode = msgspec.json.Decoder().decode

Pieces = Iterator[tuple[str, bool]]
"""Texts, and whether there is a call of a tool beside each."""


class ReplyText(NamedTuple):
    text: str
    calls_tools: bool
    """Whether the reply asks for tools: then the agent's turn goes on."""


class TextReaders(NamedTuple):
    """Where a dialect's replies have their words."""

    in_reply: Callable[[Mapping[str, Any]], Pieces]
    in_event: Callable[[Mapping[str, Any]], Pieces]
    """Of a stream."""


def read_reply_text(words: TextReaders, reply: bytes, *, stream: bool) -> ReplyText | None:
    """What stands in a whole reply, or in all of a stream's bytes; None where it is not of its dialect's shape."""
    try:
        pieces = list(_pieces(words, reply, stream=stream))
    except UNREADABLE:
        return None
    return ReplyText("".join(text for text, _ in pieces), any(calls for _, calls in pieces))


def _pieces(words: TextReaders, reply: bytes, *, stream: bool) -> Pieces:
    if not stream:
        yield from words.in_reply(mapping(_decode(reply)))
        return
    for data in stream_data(reply):
        if data != b"[DONE]":
            yield from words.in_event(mapping(_decode(data)))


class StreamTexts(NamedTuple):
    """What the events of a stream are. Each is asked with a whole event."""

    is_piece: Callable[[dict[str, Any]], bool]
    """Whether it holds pieces of texts that go on; else its texts are whole."""
    is_end: Callable[[dict[str, Any]], bool]
    """Whether a text ends with it, or has ended before it."""


def any_has(items: Any, name: str) -> bool:
    """Whether one of the objects in a list has a field that is not null."""
    return isinstance(items, list) and any(isinstance(one, dict) and one.get(name) is not None for one in items)
