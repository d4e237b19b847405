"""Replies in memory: for a while, within bounds, and never on disk."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

LARGEST_SHARE = 8
"""A reply that would take more than this part of the memory is not held."""
ENTRY_BYTES = 500
"""What an entry takes beside its reply."""


class StoredReply(NamedTuple):
    """A reply as its caller got it."""

    body: bytes
    content_type: bytes
    call_id: str
    """The record of the call that it answered."""
    key_name: str
    """Which key of ours that was made with; empty: the caller's own."""
    stored_s: float
    """By the clock that only goes forward."""


class StoredReplies:
    """The replies of one choice. Used from the event loop.

    Args:
        seconds: how long one answers. 0: it answers those that wait for it, and is forgotten.
        most_bytes: of all of them; the one that was not asked for longest goes first.
        clock: in seconds, and only goes forward.
    """

    def __init__(self, seconds: float, most_bytes: int, clock: Callable[[], float] = monotonic) -> None:
        self._seconds, self._most_bytes, self._clock = seconds, most_bytes, clock
        self._replies: OrderedDict[bytes, StoredReply] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Future[StoredReply | None]] = {}
        self.held_bytes = 0

    @property
    def largest_bytes(self) -> int:
        """Of a reply that is held."""
        return self._most_bytes // LARGEST_SHARE

    def __len__(self) -> int:
        return len(self._replies)

    def age_s(self, reply: StoredReply) -> float:
        return self._clock() - reply.stored_s

    def find(self, digest: bytes) -> StoredReply | None:
        """The reply to a call like that; None: there is none, or none any more."""
        reply = self._replies.get(digest)
        if reply is None:
            return None
        if self.age_s(reply) > self._seconds:
            self._drop(digest)
            return None
        self._replies.move_to_end(digest)
        return reply

    def under_way(self, digest: bytes) -> "asyncio.Future[StoredReply | None] | None":
        """What comes of the same call, where that is being made now: its reply, or None where that is no example."""
        return self._under_way.get(digest)

    def begin(self, digest: bytes) -> None:
        """A call is made; the same ones may wait for its reply."""
        self._under_way[digest] = asyncio.get_running_loop().create_future()

    def end(self, digest: bytes, reply: StoredReply | None) -> None:
        """It has ended. None: its reply is for its own caller alone."""
        waiting = self._under_way.pop(digest)
        if not waiting.done():
            waiting.set_result(reply)
        if reply is None or not self._seconds or len(reply.body) > self.largest_bytes:
            return
        if digest in self._replies:
            self._drop(digest)
        self._replies[digest] = reply
        self.held_bytes += len(reply.body) + ENTRY_BYTES
        while self.held_bytes > self._most_bytes:
            self._drop(next(iter(self._replies)))

    def forget(self, is_unwanted: Callable[[StoredReply], bool]) -> None:
        """Drops replies that are too old, and for example those of a key that was revoked."""
        for digest in [
            digest for digest, reply in self._replies.items() if self.age_s(reply) > self._seconds or is_unwanted(reply)
        ]:
            self._drop(digest)

    def _drop(self, digest: bytes) -> None:
        self.held_bytes -= len(self._replies.pop(digest).body) + ENTRY_BYTES
