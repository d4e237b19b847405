"""Requests without secrets and personal data, and replies in which they stand again. Pure: bytes in, bytes out."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from modicum.privacy.json_texts import JSON_IN_TEXT, TOOLS, edit_texts
from modicum.privacy.placeholders import MARK, Placeholders

MOST_HELD_EVENTS = 200
"""Of a stream, while a placeholder is not whole. One has a dozen tokens at most."""
_TEXTS = frozenset(
    {"content", "delta", "reasoning", "reasoning_content", "refusal", "summary", "text", "thinking"} | JSON_IN_TEXT
)
"""Fields in which a stream writes a text piece by piece."""
IsEvent = Callable[[dict[str, Any]], bool]
_decode, _encode = msgspec.json.decode, msgspec.json.encode


class Restores(StrEnum):
    """Where the values of a call are put back into its reply."""

    TEXT = "text"
    """In what the model says, and not in what it calls tools with: there a value may leave again."""
    ALL = "all"
    NONE = "none"


class StreamEvent(NamedTuple):
    """One event of a stream."""

    raw: bytes
    head: bytes
    """Its lines but for the data."""
    data: bytes


def redact(body: bytes, placeholders: Placeholders) -> bytes:
    """A request without what the placeholders stand for. The bytes stay where there is nothing to replace.

    Raises:
        ValueError: it is not JSON.
    """
    text = body.decode()
    if "\\" not in text and not placeholders.find(text):
        return body
    document = _decode(body)

    def edit(text: str, *, in_tool: bool = False, is_json: bool = False) -> str:  # noqa: ARG001 - whatever it is
        return placeholders.hide(text)

    hidden = edit_texts(document, edit)
    return _encode(hidden) if placeholders else body


def restore(body: bytes, placeholders: Placeholders, restores: Restores) -> bytes:
    """A whole reply with its call's own values again. What is no JSON stays as it is."""
    if restores is Restores.NONE or MARK.encode() not in body:
        return body
    try:
        document = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body
    return _encode(_restored(document, placeholders, restores))


def _restored(document: Any, placeholders: Placeholders, restores: Restores) -> Any:
    def edit(text: str, *, in_tool: bool = False, is_json: bool = False) -> str:
        if in_tool and restores is not Restores.ALL:
            return text
        return placeholders.restore_in_json(text) if is_json else placeholders.restore(text)

    return edit_texts(document, edit)


class _Text(NamedTuple):
    """A piece of a text within an event."""

    channel: tuple[Any, ...]
    """Which text it goes on with."""
    holder: Any
    name: Any
    is_tool: bool
    event: "_HeldEvent"


class _Pending(NamedTuple):
    """Pieces of one text that end within a placeholder."""

    text: str
    pieces: tuple[_Text, ...]


class _HeldEvent:
    __slots__ = ("changed", "document", "event")

    def __init__(self, event: StreamEvent, document: Any) -> None:
        self.event, self.document, self.changed = event, document, False

    @property
    def raw(self) -> bytes:
        if not self.changed:
            return self.event.raw
        return b"%bdata: %b\n\n" % (self.event.head, _encode(self.document))


class StreamRestorer:
    """Puts a call's own values back into its stream, event by event.

    A placeholder that is cut in two holds the events of its pieces back until it is whole: its value then stands in the
    first of them, and what belongs behind it too.

    Args:
        placeholders: of the call.
        restores: where values are put back.
        is_piece: whether an event holds pieces of texts that go on; else its texts are whole.
        is_end: whether a text ends with an event, or has ended before it.
    """

    def __init__(self, placeholders: Placeholders, restores: Restores, is_piece: IsEvent, is_end: IsEvent) -> None:
        self._placeholders, self._restores = placeholders, restores
        self._is_piece, self._is_end = is_piece, is_end
        self._held: list[_HeldEvent] = []
        self._pending: dict[tuple[Any, ...], _Pending] = {}

    def feed(self, event: StreamEvent) -> bytes:
        """What can be passed on now."""
        held = _HeldEvent(event, _object_or_none(event.data))
        self._held.append(held)
        document = held.document
        if document is None or self._is_end(document):
            if document is not None and self._is_piece(document):
                self._take_pieces(held)
            self._settle_all()
        if document is not None and not self._is_piece(document):
            restored = _restored(document, self._placeholders, self._restores)
            held.changed |= restored != document
            held.document = restored
        elif document is not None and not self._is_end(document):
            self._take_pieces(held)
        if len(self._held) > MOST_HELD_EVENTS:
            self._settle_all()
        return b"" if self._pending else self._release()

    def end(self) -> bytes:
        """What was held back, when the stream has ended in whatever way."""
        self._settle_all()
        return self._release()

    def _release(self) -> bytes:
        passed = b"".join(one.raw for one in self._held)
        self._held = []
        return passed

    def _take_pieces(self, held: _HeldEvent) -> None:
        for piece in _pieces(held):
            if piece.is_tool and self._restores is not Restores.ALL:
                continue
            before = self._pending.pop(piece.channel, _Pending("", ()))
            pending = _Pending(before.text + piece.holder[piece.name], (*before.pieces, piece))
            if self._placeholders.begins_at(pending.text) < len(pending.text):
                self._pending[piece.channel] = pending
            else:
                self._settle(pending)

    def _settle_all(self) -> None:
        for pending in self._pending.values():
            self._settle(pending)
        self._pending = {}

    def _settle(self, pending: _Pending) -> None:
        first, *others = pending.pieces
        write = self._placeholders.restore_in_json if first.is_tool else self._placeholders.restore
        restored = write(pending.text)
        if restored == pending.text:
            return
        first.holder[first.name] = restored
        for other in others:
            other.holder[other.name] = ""
        for piece in pending.pieces:
            piece.event.changed = True


def _object_or_none(data: bytes) -> dict[str, Any] | None:
    try:
        document = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return document if isinstance(document, dict) else None


def _pieces(held: _HeldEvent) -> Iterator[_Text]:
    """The pieces of texts in an event. Texts are told apart by where they stand, and by the numbers there."""
    event = held.document
    of_tool = any(word in str(event.get("type", "")) for word in ("arguments", "input"))
    for channel, holder, name, is_tool in _pieces_in(event, (event.get("type"), event.get("item_id")), of_tool):
        yield _Text(channel, holder, name, is_tool, held)


def _pieces_in(value: Any, path: tuple[Any, ...], is_tool: bool) -> Iterator[tuple[tuple[Any, ...], Any, str, bool]]:
    if isinstance(value, list):
        for place, one in enumerate(value):
            number = one.get("index", place) if isinstance(one, dict) else place
            yield from _pieces_in(one, (*path, number), is_tool)
    elif isinstance(value, dict):
        here = (*path, value.get("index"), value.get("content_index"), value.get("output_index"))
        for name, one in value.items():
            of_tool = is_tool or name in TOOLS
            if isinstance(one, str) and name in _TEXTS:
                yield (*here, name), value, name, of_tool
            elif isinstance(one, dict | list):
                yield from _pieces_in(one, (*here, name), of_tool)
