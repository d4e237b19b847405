"""Contexts of live calls, each whole, as parts with digests.

Every call of a conversation brings its whole context again. So that a long one does not cost its square, the newest
context of each is remembered by digests of its first messages: what a request repeats of it to the byte is not taken
apart again. Texts are kept nowhere.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from modicum.calls import SegmentKind
from modicum.context.conversations import ContextPart
from modicum.context.segmenter import ToolCalls, prints
from modicum.metering.digests import Digester
from modicum.metering.tokens import encoding_for
from modicum.providers.dialect import Dialect
from modicum.providers.seen_requests import SplitRequest

MOST_COUNTS = 200_000
MOST_CONVERSATIONS = 2_000
MOST_PARTS = 1_000_000
"""Of all remembered contexts together."""
_LISTS = ("messages", "input", "contents")
_START = 3
"""Messages that tell conversations apart."""
_ENDS = 5
"""A context is known again by all of its messages, or by all but its last one, two, three, four: clients set cache
marks in these, and move them on with the next request."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


class Counts(NamedTuple):
    """What is known of one text."""

    tokens: int
    seen: dict[str, int]


Uncounted = list[tuple[ContextPart, str]]
_UNCOUNTABLE = Counts(0, {})


class LiveContext:
    """The whole context of one call."""

    __slots__ = ("encoding", "is_counted", "parts")

    def __init__(self, parts: list[ContextPart], encoding: str) -> None:
        self.parts, self.encoding = parts, encoding
        self.is_counted = False


class _Boundary(NamedTuple):
    messages: int
    identity: Hashable
    """Of these messages, if their request was split (`SplitRequest.identity`): whoever has the same is not hashed."""
    hasher: "hashlib._Hash"
    """Of these messages, and of all that stands in front of them."""
    parts: int


class _KnownContext(NamedTuple):
    context: LiveContext
    boundaries: list[_Boundary]


class _NewParts:
    """A context while it is taken apart."""

    def __init__(self) -> None:
        self.parts: list[ContextPart] = []
        self.uncounted: Uncounted = []
        self.called = ToolCalls()
        self.open_calls = 0
        """Tool calls without a result so far."""


class LiveContexts:
    """Used from one thread."""

    def __init__(self, digester: Digester) -> None:
        self._digester = digester
        self._counts: OrderedDict[tuple[bytes, str], Counts] = OrderedDict()
        self._known: OrderedDict[bytes, _KnownContext] = OrderedDict()
        self._held = 0

    def take(
        self, dialect: Dialect, body: bytes, model: str, split: SplitRequest | None = None
    ) -> tuple[LiveContext, Uncounted]:
        """The context of a request, and those of its parts that nobody has counted yet, with their texts. `split` is
        the request with its messages, if somebody has split it already.

        Raises:
            DialectError: it is not JSON.
        """
        encoding = encoding_for(model)[0]
        messages: Sequence[msgspec.Raw]
        name, messages, head = split_messages(body) if split is None else (split.name, split, split.head)
        taken = _NewParts()
        if not name:
            self._add(taken, dialect, body, encoding)
            return LiveContext(taken.parts, encoding), taken.uncounted
        digest = hashlib.sha256(head).digest() if split is None else split.head_digest
        hasher = hashlib.sha256(b"\0".join((dialect.name.encode(), encoding.encode(), digest)))
        start = _after(hasher, messages[:_START]).digest()
        known = self._known.get(start)
        boundaries: list[_Boundary] = []
        if known is not None and known.context.is_counted:
            boundaries, hasher = _repeated(known.boundaries, hasher, messages, split)
        at = 0
        if boundaries and known is not None:
            at = boundaries[-1].messages
            taken.parts = known.context.parts[: boundaries[-1].parts]
        else:
            self._add(taken, dialect, head, encoding)
        for end in range(max(len(messages) - _ENDS + 1, at + 1), len(messages) + 1):
            added = messages[at:end]
            self._add(taken, dialect, msgspec.json.encode({name: added}), encoding)
            hasher, at = _after(hasher, added), end
            if not taken.open_calls:  # what comes behind it answers no call in it
                identity = None if split is None else split.identity(end)
                boundaries.append(_Boundary(end, identity, hasher, len(taken.parts)))
        context = LiveContext(taken.parts, encoding)
        context.is_counted = not taken.uncounted
        self._remember(start, _KnownContext(context, boundaries[-2 * _ENDS :]))
        return context, taken.uncounted

    def counted(self, context: LiveContext, counts: Iterable[tuple[ContextPart, Counts]]) -> None:
        """All that was not counted has been."""
        for part, known in counts:
            part.tokens, part.seen = known
            self._counts[part.digest, context.encoding] = known
        while len(self._counts) > MOST_COUNTS:
            self._counts.popitem(last=False)
        context.is_counted = True

    def _add(self, taken: _NewParts, dialect: Dialect, body: bytes, encoding: str) -> None:
        for found in prints(self._digester, dialect.segments(body), taken.called):
            known = self._counts.get((found.digest, encoding)) if found.text else _UNCOUNTABLE
            tokens, seen = known or (None, None)
            part = ContextPart(
                found.kind, found.tool, found.digest, found.detail, found.is_error, tokens, seen, found.basis
            )
            taken.parts.append(part)
            if known is None:
                taken.uncounted.append((part, found.text))
            taken.open_calls += found.kind is SegmentKind.TOOL_CALL
            taken.open_calls -= found.kind is SegmentKind.TOOL_RESULT

    def _remember(self, start: bytes, known: _KnownContext) -> None:
        before = self._known.pop(start, None)
        self._held += len(known.context.parts) - (len(before.context.parts) if before is not None else 0)
        self._known[start] = known
        while len(self._known) > 1 and (len(self._known) > MOST_CONVERSATIONS or self._held > MOST_PARTS):
            self._held -= len(self._known.popitem(last=False)[1].context.parts)


def split_messages(body: bytes) -> tuple[str, list[msgspec.Raw], bytes]:
    """The name of the field with the messages, these, and the request without them; no name where it has none."""
    try:
        fields = _fields.decode(body)
        name = next((name for name in _LISTS if bytes(fields.get(name, b"")).startswith(b"[{")), "")
        messages = _items.decode(fields[name]) if name else []
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "", [], body
    if not name:
        return "", [], body
    fields[name] = msgspec.Raw(b"[]")
    return name, messages, msgspec.json.encode(fields)


def _after(hasher: "hashlib._Hash", messages: Sequence[msgspec.Raw]) -> "hashlib._Hash":
    found = hasher.copy()
    found.update(b",".join((b"", *messages)))
    return found


def _repeated(
    boundaries: Sequence[_Boundary],
    hasher: "hashlib._Hash",
    messages: Sequence[msgspec.Raw],
    split: SplitRequest | None,
) -> tuple[list[_Boundary], "hashlib._Hash"]:
    """The leading boundaries that a request repeats, and the digest at the last of them."""
    boundaries = [boundary for boundary in boundaries if boundary.messages <= len(messages)]
    repeated = _same(boundaries, split)
    at = 0
    if repeated:
        hasher, at = repeated[-1].hasher, repeated[-1].messages
    for boundary in boundaries[len(repeated) :]:
        now = _after(hasher, messages[at : boundary.messages])
        if now.digest() != boundary.hasher.digest():
            break
        hasher, at = now, boundary.messages
        repeated.append(boundary if split is None else boundary._replace(identity=split.identity(at)))
    return repeated, hasher


def _same(boundaries: Sequence[_Boundary], split: SplitRequest | None) -> list[_Boundary]:
    """The leading ones that a request repeats for sure, without a look at its bytes."""
    if split is not None:
        for count in range(len(boundaries), 0, -1):
            if boundaries[count - 1].identity == split.identity(boundaries[count - 1].messages):
                return list(boundaries[:count])
    return []
