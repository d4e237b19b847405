"""Requests that repeat what was sent before: where their messages lie, without reading them a second time.

Every call of a conversation brings its whole history again, byte for byte. A request is followed chunk by chunk, by a
digest of all bytes so far; where that was seen before, it is known which messages lie there. Only what comes behind is
read. Of the messages no text is kept: where they lie, and what others note of them (`SeenMessage`). What one owner sent
is not known of another's requests, be they the same to the byte (`SeenRequests.of`).
"""

import hashlib
import itertools
import re
import secrets
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from modicum.calls import Owner
from modicum.providers.repeated.edited_beginnings import EditedBeginnings, WrittenMessage, WrittenMessages

CHUNK_BYTES = 8192
MOST_CHUNKS = 50_000
"""Of all conversations together: 400 MB of requests, and about 1.5 kB of memory for each chunk."""
MOST_HEADS = 1_000
"""Tools and instructions that are known again."""

MARKED_MESSAGES = 5
"""The last ones, in which clients set cache marks that they move on with the next request."""
_MOVING_MARKS = b'"cache_control"', b'"cachePoint"'

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.encode
_OPEN = re.compile(rb"[ \t\r\n]*\{")
_KEY = re.compile(rb'[ \t\r\n,]*"(?:[^"\\]|\\.)*"[ \t\r\n]*:[ \t\r\n]*')
_LIST = re.compile(rb"\[[ \t\r\n]*\{")
_GAP = re.compile(rb"[ \t\r\n,]*")
_numbers = itertools.count()
_ENDS = b"}", b"]", b'"'
"""How what is no number and no word ends."""
_CLOSE = re.compile(rb"[ \t\r\n]*\}[ \t\r\n]*\Z")


class SeenMessage:
    """A message of a request that others begin with, too.

    Attributes:
        start, end: where it lies.
        number: its own; no other message has it.
        parts: what it is made of, once somebody has looked; without text.
        mark: what tells it from others, once somebody has looked.
    """

    __slots__ = ("end", "mark", "number", "parts", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end, self.number = start, end, next(_numbers)
        self.parts: Any = None
        self.mark: Any = None


class SplitRequest(Sequence[msgspec.Raw]):
    """A request, and its messages as it writes them.

    Attributes:
        fields: all but the messages.
        rest: the request with something else in the place of the messages that were seen before.
    """

    __slots__ = (
        "_before",
        "_edits",
        "_head",
        "_head_digest",
        "_messages",
        "_written",
        "_written_places",
        "body",
        "fields",
        "name",
        "rest",
    )

    def __init__(
        self,
        body: bytes,
        name: str,
        fields: dict[str, msgspec.Raw],
        messages: list[SeenMessage],
        rest: bytes,
    ) -> None:
        self.body, self.name, self.fields, self.rest = body, name, fields, rest
        self._messages = messages
        self._head = self._head_digest = b""
        self._before: SplitRequest | None = None
        """The request of which this is an edited one."""
        self._edits: Mapping[int, bytes] = {}
        """What stands in the place of its messages there."""
        self._written: tuple[WrittenMessage, ...] = ()
        self._written_places: tuple[int, ...] = ()
        """The same with its place, from the first to the last."""

    def __len__(self) -> int:
        return len(self.messages if self._before is None else self._before)

    def __getitem__(self, index: Any) -> Any:
        numbers = range(len(self))[index]
        return self.raws(numbers) if isinstance(numbers, range) else self.raws((numbers,))[0]

    def raws(self, numbers: Iterable[int]) -> list[msgspec.Raw]:
        """The bytes of the messages with these numbers."""
        if self._before is None or self._messages:
            body, messages = self.body, self._messages
            return [msgspec.Raw(body[message.start : message.end]) for message in map(messages.__getitem__, numbers)]
        edit_of, before = self._edits.get, self._before
        others = iter(before.raws(number for number in numbers if number not in self._edits))
        return [next(others) if (edit := edit_of(number)) is None else msgspec.Raw(edit) for number in numbers]

    @property
    def messages(self) -> list[SeenMessage]:
        """Where the messages lie, and what is known of them."""
        if self._before is not None and not self._messages:
            self._messages = list(self._located(self._before.messages))
        return self._messages

    def _located(self, before: Sequence[SeenMessage]) -> Iterator[SeenMessage]:
        """Where the messages of an edited request lie."""
        moved = 0
        for number, message in enumerate(before):
            new, start = self._edits.get(number), message.start + moved
            if new is not None:
                moved += len(new) - (message.end - message.start)
            same = SeenMessage(start, message.end + moved)
            if new is None:
                same.parts, same.mark = message.parts, message.mark
            yield same

    @property
    def lasting(self) -> int:
        """How many of its messages are known again in the requests that go on behind them."""
        if self._before is not None or len(self.body) < CHUNK_BYTES:
            return 0
        return _lasting(self.body, self.messages)

    def identity(self, count: int) -> Hashable:
        """What tells its first messages, so many of them, from all others of this process, without a look at their
        bytes. Two that are the same are the same bytes; two that differ may be.
        """
        if self._before is None:
            return self._messages[count - 1].number
        return self._before.identity(count), self._written[: bisect_left(self._written_places, count)]

    def edited(self, messages: Mapping[int, bytes], written: Mapping[int, WrittenMessage]) -> "SplitRequest":
        """The request with other messages in the place of some, by their numbers; all else is the same bytes. `written`
        are the same, which may be forgotten by now.
        """
        view, at, before, places = memoryview(self.body), 0, self.messages, sorted(messages)
        pieces: list[bytes | memoryview] = []
        for number in places:
            message = before[number]
            pieces.append(view[at : message.start])
            pieces.append(messages[number])
            at = message.end
        pieces.append(view[at:])
        body = b"".join(pieces)
        edited = SplitRequest(body, self.name, self.fields, [], body)
        edited._head, edited._head_digest = self._head, self._head_digest
        edited._before, edited._edits = self, messages
        edited._written_places, edited._written = tuple(places), tuple(map(written.__getitem__, places))
        return edited

    @property
    def head(self) -> bytes:
        """The request without its messages."""
        if not self._head:
            self._head = _encode({**self.fields, self.name: msgspec.Raw(b"[]")})
        return self._head

    @property
    def head_digest(self) -> bytes:
        """Of that."""
        if not self._head_digest:
            self._head_digest = hashlib.sha256(self.head).digest()
        return self._head_digest


class _Tail(NamedTuple):
    """The messages of a request that end behind the last whole chunk of them."""

    start: int
    """Where that chunk ends."""
    end: int
    """Where its last message ends."""
    digest: bytes
    """Of all up to there."""
    messages: tuple[SeenMessage, ...]


class _Chunk:
    """What lies in a chunk that follows known others.

    Attributes:
        messages: those that end in it.
        array: where the list of messages begins; 0: that is not known yet.
        tail: of the newest request of which it is the last whole one in front of the messages' end.
    """

    __slots__ = ("array", "messages", "tail")

    def __init__(self, messages: tuple[SeenMessage, ...], array: int) -> None:
        self.messages, self.array = messages, array
        self.tail: _Tail | None = None


class SeenRequests:
    """What is known of requests that have come, within fixed bounds. Used from one thread.

    Attributes:
        beginnings: what rules made of them.
        written: messages that rules gave other texts.
    """

    def __init__(self, most_chunks: int = MOST_CHUNKS) -> None:
        self._most_chunks = most_chunks
        self._chunks: OrderedDict[bytes, _Chunk] = OrderedDict()
        self._stand_in = b'"%b"' % secrets.token_hex(16).encode()
        """Stands for all messages that are known, where the rest is read. No request can hold it."""
        self._heads: OrderedDict[Any, Sequence[Any]] = OrderedDict()
        self._owner = b""
        self.beginnings, self.written = EditedBeginnings(), WrittenMessages()

    def of(self, owner: Owner) -> Self:
        """The same memory, within the same bounds, for requests of one owner: whatever others sent is unknown there."""
        own = object.__new__(type(self))
        vars(own).update(vars(self), _owner=_encode((owner.team, owner.app, owner.user, owner.key)))
        return own

    def split(self, body: bytes, dialect: str, name: str) -> SplitRequest | None:
        """The request with its messages, which stand in the field of that name; None: they do not, or a field comes
        twice, so that it has to be read as a whole.

        Raises:
            ValueError, RecursionError: it is not JSON.
        """
        hasher = hashlib.sha256(b"%b\0%b\0%b\0" % (dialect.encode(), name.encode(), self._owner))
        view, chunks, ends = memoryview(body), self._chunks, range(CHUNK_BYTES, len(body) + 1, CHUNK_BYTES)
        messages: list[SeenMessage] = []
        array, keys, new = 0, list[bytes](), 0
        last = None
        for end in ends:
            hasher.update(view[end - CHUNK_BYTES : end])
            key = hasher.digest()
            keys.append(key)
            chunk = None if new else chunks.get(key)
            if chunk is None:
                new += 1
            else:
                chunks.move_to_end(key)
                messages += chunk.messages
                array = chunk.array or array
                last = chunk
        if last is not None and last.tail is not None and _is_tail(last.tail, keys[-new - 1], view):
            messages += last.tail.messages
        split = self._go_on(body, name, messages, array) if messages else None
        if split is None:
            messages = []
            split = _read(body, name)
        if split is not None:
            known = len(keys) - new
            self._remember(split[0], split[1], keys[known:], known)
            self._remember_tail(split[0], keys)
            return split[0]
        return None

    def __len__(self) -> int:
        """How many chunks are known."""
        return len(self._chunks)

    def head(self, key: Any) -> Sequence[Any] | None:
        """What is known of tools and instructions; no text is kept of them."""
        own = self._owner, key
        if own in self._heads:
            self._heads.move_to_end(own)
        return self._heads.get(own)

    def remember_head(self, key: Any, parts: Sequence[Any]) -> None:
        """They will come again."""
        self._heads[self._owner, key] = parts
        if len(self._heads) > MOST_HEADS:
            self._heads.popitem(last=False)

    def _go_on(
        self, body: bytes, name: str, messages: list[SeenMessage], array: int
    ) -> tuple[SplitRequest, int] | None:
        """The request, of which these messages are known and only the rest is read."""
        while messages and not body.startswith(_ENDS, messages[-1].end - 1):  # it may go on: `1` and `12`
            messages.pop()
        if not messages:
            return None
        known_end, inside = messages[-1].end, array + 1
        rest = b"".join((body[:inside], self._stand_in, body[known_end:]))
        fields = _fields.decode(rest)
        starts = _starts(rest, fields)
        if starts is None or starts.get(name) != array:
            return None
        first, *others = _items.decode(fields[name])
        if bytes(first) != self._stand_in:
            return None
        moved = known_end - inside - len(self._stand_in)
        messages += _located(rest, inside + len(self._stand_in), others, moved)
        return SplitRequest(body, name, fields, messages, rest), array

    def _remember(self, split: SplitRequest, array: int, keys: Sequence[bytes], first: int) -> None:
        """The chunks from number `first` on were new."""
        if not keys:
            return
        end = first * CHUNK_BYTES
        waiting = iter([message for message in split.messages if message.end > end])
        message = next(waiting, None)
        for key in keys:
            end += CHUNK_BYTES
            inside = []
            while message is not None and message.end <= end:
                inside.append(message)
                message = next(waiting, None)
            self._chunks[key] = _Chunk(tuple(inside), array)
        while len(self._chunks) > self._most_chunks:
            self._chunks.popitem(last=False)

    def _remember_tail(self, split: SplitRequest, keys: Sequence[bytes]) -> None:
        """The last messages, which end behind the last whole chunk before that, come again in front of new ones."""
        messages = split.messages[: _lasting(split.body, split.messages)]
        end = messages[-1].end if messages else 0
        whole = end // CHUNK_BYTES
        chunk = self._chunks.get(keys[whole - 1]) if whole else None
        if chunk is None or end == whole * CHUNK_BYTES:
            return
        if chunk.tail is not None and chunk.tail.messages[-1] is messages[-1]:
            return
        start, first = whole * CHUNK_BYTES, len(messages)
        while first and messages[first - 1].end > start:
            first -= 1
        digest = _tail_digest(keys[whole - 1], memoryview(split.body)[start:end])
        chunk.tail = _Tail(start, end, digest, tuple(messages[first:]))


def _lasting(body: bytes, messages: Sequence[SeenMessage]) -> int:
    """How many messages come again as they are: clients that mark what is cached move the marks in the last ones."""
    first = max(0, len(messages) - MARKED_MESSAGES)
    end = body[messages[first].start : messages[-1].end] if messages else b""
    return first if any(mark in end for mark in _MOVING_MARKS) else len(messages)


def _is_tail(tail: _Tail, key: bytes, body: memoryview) -> bool:
    """Whether a request goes on so behind the chunk of this key."""
    return tail.end <= len(body) and _tail_digest(key, body[tail.start : tail.end]) == tail.digest


def _tail_digest(key: bytes, tail: memoryview) -> bytes:
    hasher = hashlib.sha256(key)
    hasher.update(tail)
    return hasher.digest()


def _read(body: bytes, name: str) -> tuple[SplitRequest, int] | None:
    fields = _fields.decode(body)
    if name not in fields or not _LIST.match(fields[name]):
        return None
    starts = _starts(body, fields)
    if starts is None:
        return None
    array = starts[name]
    messages = list(_located(body, array + 1, _items.decode(fields[name])))
    return SplitRequest(body, name, fields, messages, body), array


def _starts(body: bytes, fields: dict[str, msgspec.Raw]) -> dict[str, int] | None:
    """Where each field's value begins; None: one of them comes twice."""
    opened = _OPEN.match(body)
    at = opened.end() if opened is not None else 0
    starts = {}
    for name, raw in fields.items():
        value, key = bytes(raw), _KEY.match(body, at)
        if key is None or not body.startswith(value, key.end()):
            return None
        starts[name] = key.end()
        at = key.end() + len(value)
    return starts if _CLOSE.match(body, at) else None


def _located(body: bytes, at: int, items: Sequence[msgspec.Raw], moved: int = 0) -> Iterator[SeenMessage]:
    """The items of a list, whose bytes begin at that place; what is read may have been moved."""
    for item in items:
        gap = _GAP.match(body, at)
        start = gap.end() if gap is not None else at
        at = start + len(bytes(item))
        yield SeenMessage(start + moved, at + moved)
