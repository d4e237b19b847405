"""Where in its conversation a live call stands, before it is sent: how many calls there were, and what they left in the
provider's cache.

A conversation is known by its name, or by how it begins and where its newest call ended; digests of a few messages are
kept, never text. What this process has not seen it does not know: after a restart, or where several processes take
calls of one conversation, nothing is said of it.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from modicum.calls import SegmentKind
from modicum.context.live import split_messages
from modicum.providers.dialect import Dialect
from modicum.providers.facts import DialectError
from modicum.providers.seen_requests import SplitRequest

MOST_CONVERSATIONS = 10_000
MOST_TURNS = 256
"""Calls of a conversation of which it is counted how many had so many."""
FEWEST_CONVERSATIONS = 20
"""Conversations that must have come so far before anything is said of how they go on."""
_START = 3
"""Messages that tell conversations apart."""
_KEPT_BY_PROVIDER = b'"previous_response_id":"', b'"conversation":'
"""Fields of requests of which the provider keeps what came before."""
_BY_MODEL = frozenset({SegmentKind.ASSISTANT, SegmentKind.REASONING, SegmentKind.TOOL_CALL})


class LatestCall(NamedTuple):
    """The newest call of a conversation."""

    turn: int | None
    """Its number, from 0; None: it had calls that this process has not seen."""
    first_s: float
    """When the first call of it that was seen here began."""
    started_s: float
    cached_tokens: int | None
    """What it read from the provider's cache and wrote to it; None: nobody counted."""
    messages: int
    end: int
    """Digest of the last message."""
    rules: frozenset[str] = frozenset()
    """Rules that changed it."""
    cached_for_s: float = 300.0
    """Time to live of what it left in the cache."""
    renewed_s: float = 0.0
    """When a ping has renewed that; 0: none has."""


class LivePlace(NamedTuple):
    """A call in its conversation."""

    key: int
    """What its conversation will be known by."""
    before: LatestCall | None
    is_first: bool
    """Nothing in it comes from a model."""
    messages: int
    end: int

    @property
    def turn(self) -> int | None:
        """How many calls the conversation had before this one; None: not known."""
        if self.before is not None:
            return None if self.before.turn is None else self.before.turn + 1
        return 0 if self.is_first else None

    @property
    def cached_tokens(self) -> int | None:
        """Leading tokens that should stand in the provider's cache; None: not known, or it is the first."""
        return self.before.cached_tokens if self.before is not None else None

    @property
    def rules_before(self) -> frozenset[str] | None:
        """Rules that changed the call before; None: not known."""
        return self.before.rules if self.before is not None else None

    @property
    def cached_for_s(self) -> float:
        """How long what the call before left in the cache lives, from its beginning on, pings included."""
        if self.before is None:
            return 300.0
        return self.before.cached_for_s + max(0.0, self.before.renewed_s - self.before.started_s)

    def seconds_since_last(self, now_s: float) -> float | None:
        return max(0.0, now_s - self.before.started_s) if self.before is not None else None

    def age_s(self, now_s: float) -> float | None:
        """Since the first call; None: that was not seen here."""
        if self.turn is None:
            return None
        return max(0.0, now_s - self.before.first_s) if self.before is not None else 0.0


class LiveTurns:
    """The newest call of each conversation, within fixed bounds. Used from one thread."""

    def __init__(self) -> None:
        self._latest: OrderedDict[int, LatestCall] = OrderedDict()
        self._reached = [0] * MOST_TURNS
        """Conversations that had a call of this number."""

    def find(
        self, dialect: Dialect, body: bytes, scope: str, name: str, split: SplitRequest | None = None
    ) -> LivePlace | None:
        """Where a request stands; None: its API has no messages, or the provider keeps them.

        `scope` is who calls, since conversations of others are not continued; `name` is the caller's for the
        conversation, if it has one; `split` is the request with its messages, if somebody has split it already.
        """
        messages: Sequence[msgspec.Raw]
        if split is not None:
            field, messages, is_kept = split.name, split, _is_kept(split.fields)
        else:
            field, messages, head = split_messages(body)
            is_kept = any(kept in head for kept in _KEPT_BY_PROVIDER)
        if not messages or is_kept:
            return None
        count = len(messages)
        starts = [_mark_of(dialect, field, messages, number) for number in range(min(count, _START))]
        end = _mark_of(dialect, field, messages, count - 1).digest
        is_first = count <= _START and not any(one.is_by_model for one in starts)
        if name:
            key = hash((scope, dialect.name, name))
            return LivePlace(key, self._latest.get(key), is_first, count, end)
        keys = [
            hash((scope, dialect.name, *(one.digest for one in starts[:size]))) for size in range(1, len(starts) + 1)
        ]
        # The newest of those that begin so: it alone can be the call before. A first call continues none, though
        # another conversation may have begun with the very same words.
        before = None if is_first else next((self._latest[key] for key in reversed(keys) if key in self._latest), None)
        if before is not None and not self._goes_on(before, dialect, field, messages):
            before = None
        return LivePlace(keys[-1], before, is_first, count, end)

    def beginning(self, dialect: Dialect, body: bytes, scope: str, name: str) -> int | None:
        """A number that all calls of a conversation share: of its name, or else of its first message; None: its API has
        no messages.
        """
        field, messages, head = split_messages(body)
        if not messages or any(kept in head for kept in _KEPT_BY_PROVIDER):
            return None
        return hash((scope, dialect.name, name or _read_message(dialect, field, messages[0]).digest))

    def renew(self, key: int, at_s: float) -> None:
        """What a conversation's newest call left in the cache lives anew from then on."""
        latest = self._latest.get(key)
        if latest is not None:
            self._latest[key] = latest._replace(renewed_s=at_s)

    def record(
        self,
        place: LivePlace,
        started_s: float,
        cached_tokens: int | None,
        *,
        rules: frozenset[str] = frozenset(),
        cached_for_s: float = 300.0,
    ) -> None:
        """The call was made; it is the newest of its conversation now."""
        before = place.before
        if place.turn is not None and place.turn < MOST_TURNS:
            self._reached[place.turn] += 1
        self._latest[place.key] = LatestCall(
            place.turn,
            started_s if before is None else before.first_s,
            started_s,
            cached_tokens if cached_tokens is not None else place.cached_tokens,
            place.messages,
            place.end,
            rules,
            cached_for_s,
        )
        self._latest.move_to_end(place.key)
        while len(self._latest) > MOST_CONVERSATIONS:
            self._latest.popitem(last=False)

    def later_calls(self, turn: int | None) -> float | None:
        """How many calls conversations had after the one of this number, on average; None: too few were seen. Those
        that are still under way make it too low.
        """
        if turn is None or turn >= MOST_TURNS or self._reached[turn] < FEWEST_CONVERSATIONS:
            return None
        return sum(self._reached[turn + 1 :]) / self._reached[turn]

    @staticmethod
    def _goes_on(before: LatestCall, dialect: Dialect, field: str, messages: Sequence[msgspec.Raw]) -> bool:
        if before.messages > len(messages):
            return False
        return _mark_of(dialect, field, messages, before.messages - 1).digest == before.end


def _is_kept(fields: Mapping[str, msgspec.Raw]) -> bool:
    """Whether the provider keeps what came before this request."""
    before = bytes(fields.get("previous_response_id", b""))
    return before.startswith(b'"') or "conversation" in fields


class _MessageMark(NamedTuple):
    digest: int
    is_by_model: bool


def _mark_of(dialect: Dialect, field: str, messages: Sequence[msgspec.Raw], number: int) -> _MessageMark:
    """The mark of a message, which is kept with one that was seen before."""
    if not isinstance(messages, SplitRequest):
        return _read_message(dialect, field, messages[number])
    seen = messages.messages[number]
    if seen.mark is None:
        seen.mark = _read_message(dialect, field, messages[number])
    mark: _MessageMark = seen.mark
    return mark


def _read_message(dialect: Dialect, field: str, message: msgspec.Raw) -> _MessageMark:
    """A message as the model sees it: cache marks, which move, and the order of its fields are no part of that."""
    try:
        blocks = dialect.segments(b'{"%s":[%s]}' % (field.encode(), bytes(message)))
    except DialectError:
        return _MessageMark(hash(bytes(message)), is_by_model=False)
    return _MessageMark(
        hash(tuple((block.kind, block.tool, block.text) for block in blocks)),
        is_by_model=any(block.kind in _BY_MODEL for block in blocks),
    )
