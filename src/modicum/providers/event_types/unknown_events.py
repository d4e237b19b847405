"""Events of a stream of whose type nobody here knows: passed on as all, counted by name, and looked at for numbers of
usage, which would make no figure exact that leaves them out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.event_stream import event_data, whole_events
from modicum.providers.usage_guard import unknown_numbers

MOST_NAMES = 8
"""Types of one stream that are named; more are counted as one."""
OTHERS = "others"
_NAME = re.compile(r"[A-Za-z][\w.-]{0,63}\Z")
_NAMELESS = "no_plain_name"
_USAGE_LIKE = re.compile(r"usage|tokens?$|_cost$|_seconds$", re.IGNORECASE)
_MOST_DEPTH = 3


def stranger(known: Iterable[str]) -> re.Pattern[bytes]:
    """Finds the line of an event that is of none of these types. It begins with a literal, so that it costs next to
    nothing where all are known.
    """
    names = b"|".join(re.escape(name.encode("ascii")) for name in sorted(known))
    return re.compile(rb"event: ?(?!(?:%b)[ \t]*[\r\n])([^\r\n]{0,80})[\r\n]" % names)


class _Kind(msgspec.Struct):
    type: str = ""


_kind = msgspec.json.Decoder(_Kind)


def framed_event(document: bytes, known: frozenset[str]) -> bytes:
    """The event that a document out of a frame would have been, had it come as one. Its type stands in a line of its
    own only where nobody knows it: by that line it is found, and lines of data alone are read fastest.
    """
    try:
        kind = _kind.decode(document).type
    except UNREADABLE:
        kind = ""
    if kind in known:
        return b"data: %b\n\n" % document
    name = kind if _NAME.fullmatch(kind) else _NAMELESS  # it may be any text, with ends of lines in it
    return b"event: %b\ndata: %b\n\n" % (name.encode("ascii"), document)


class UnknownEvents:
    """What of one stream nobody knew.

    Args:
        pattern: finds them; its group is the type.
        known: types of events whose lines say nothing of them (`event: message`).
    """

    def __init__(self, pattern: re.Pattern[bytes], known: frozenset[str]) -> None:
        self._pattern, self._known = pattern, known
        self.counts: dict[str, int] = {}
        self.numbers: list[str] = []
        """Paths of numbers in them that look like usage."""

    def take(self, events: bytes) -> None:
        """Looks at whole events, one of which the pattern has found."""
        for raw in whole_events(events):
            if (found := self._pattern.search(raw)) is not None:
                document = _document(raw)
                if document.get("type") not in self._known:
                    self._add(found[1].decode("ascii", "replace").strip(), document)

    def _add(self, name: str, document: Mapping[str, Any]) -> None:
        name = name if _NAME.fullmatch(name) else _NAMELESS
        if name not in self.counts and len(self.counts) >= MOST_NAMES:
            name = OTHERS
        self.counts[name] = self.counts.get(name, 0) + 1
        self.numbers += [path for path in _usage_in(document, f"stream.{name}", 0) if path not in self.numbers]


def _document(raw: bytes) -> Mapping[str, Any]:
    for data in event_data(raw):
        try:
            found = msgspec.json.decode(data)
        except UNREADABLE:
            continue
        if isinstance(found, Mapping):
            return found
    return {}


def _usage_in(fields: Mapping[str, Any], within: str, depth: int) -> Iterator[str]:
    for name, value in fields.items():
        if _USAGE_LIKE.search(name):
            yield from unknown_numbers({name: value}, {}, within)
        elif isinstance(value, Mapping) and depth < _MOST_DEPTH:
            yield from _usage_in(value, f"{within}.{name}" if _NAME.fullmatch(name) else within, depth + 1)
