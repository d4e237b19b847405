"""Beginnings that many conversations share, written to a provider's cache by one of them: which call writes, which one
waits for it, and which reads what is there. Pure: what has happened is said, and when.
"""

from collections import OrderedDict
from collections.abc import Hashable
from enum import StrEnum
from typing import NamedTuple

MOST_BEGINNINGS = 10_000
"""That are remembered; the one that was not asked for longest goes first."""


class BeginningTurn(StrEnum):
    """What a first call does about its beginning."""

    WRITES = "writes"
    """It is in no cache, and nobody else writes it."""
    WAITS = "waits"
    """Another call is writing it: it can be read once the reply to that has begun."""
    READS = "reads"


class _Beginning(NamedTuple):
    writer: object | None
    """The call that writes it; None: none does."""
    warm_until_s: float


class BeginningWriters:
    """The beginnings of one provider's caches. Used from one thread."""

    def __init__(self) -> None:
        self._beginnings: OrderedDict[Hashable, _Beginning] = OrderedDict()

    def turn(self, key: Hashable, call: object, now_s: float) -> BeginningTurn:
        """What a first call with a beginning does. One that is to write it has to say how that went.

        Args:
            key: equal for calls that can read each other's beginnings.
            call: what tells it from others.
            now_s: the time.
        """
        one = self._beginnings.get(key, _Beginning(None, 0.0))
        if now_s < one.warm_until_s:
            return BeginningTurn.READS
        if one.writer is not None and one.writer != call:
            return BeginningTurn.WAITS
        self._keep(key, _Beginning(call, 0.0))
        return BeginningTurn.WRITES

    def reply_begun(self, key: Hashable, now_s: float, ttl_s: float) -> None:
        """The reply to a call with this beginning has begun: it is in the cache for so long."""
        self._keep(key, _Beginning(None, now_s + ttl_s))

    def failed(self, key: Hashable, call: object) -> None:
        """A call that was to write it has not: the next one does."""
        one = self._beginnings.get(key)
        if one is not None and one.writer == call:
            del self._beginnings[key]

    def _keep(self, key: Hashable, one: _Beginning) -> None:
        self._beginnings[key] = one
        self._beginnings.move_to_end(key)
        while len(self._beginnings) > MOST_BEGINNINGS:
            self._beginnings.popitem(last=False)
