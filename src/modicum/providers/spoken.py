"""What a reply says, as one text, for those who compare answers. Nothing is kept here."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from modicum.providers.bodies import UNREADABLE
from modicum.providers.fields import mapping

_decode = msgspec.json.Decoder().decode

Pieces = Iterator[tuple[str, bool]]
"""Texts, and whether there is a call of a tool beside each."""


class Spoken(NamedTuple):
    text: str
    calls_tools: bool
    """Whether the reply asks for tools: then the agent's turn goes on."""


class ReplyWords(NamedTuple):
    """Where a dialect's replies have their words."""

    in_reply: Callable[[Mapping[str, Any]], Pieces]
    in_event: Callable[[Mapping[str, Any]], Pieces]
    """Of a stream."""


def spoken(words: ReplyWords, reply: bytes, *, stream: bool) -> Spoken | None:
    """What stands in a whole reply, or in all of a stream's bytes; None where it is not of its dialect's shape."""
    try:
        pieces = list(_pieces(words, reply, stream=stream))
    except UNREADABLE:
        return None
    return Spoken("".join(text for text, _ in pieces), any(calls for _, calls in pieces))


def _pieces(words: ReplyWords, reply: bytes, *, stream: bool) -> Pieces:
    if not stream:
        yield from words.in_reply(mapping(_decode(reply)))
        return
    for line in reply.splitlines():
        if line.startswith(b"data:") and not line.endswith(b"[DONE]"):
            yield from words.in_event(mapping(_decode(line[5:])))
