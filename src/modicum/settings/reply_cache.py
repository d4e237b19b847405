"""`[[reply_cache]]`: whose repeated calls are answered from memory."""

import math
from collections.abc import Sequence

from modicum.settings.optimize import MOST_MB
from modicum.settings.whose_calls import WhoseCalls

LONGEST_S = 30 * 86_400


class ReplyCacheSettings(WhoseCalls, frozen=True, kw_only=True):
    """`[[reply_cache]]`, once for each choice. The first that fits a call holds for it; where none does, every call is
    made.
    """

    seconds: float = 3600.0
    """How long a reply answers calls that are the same. 0: only calls that are made while the first is under way."""
    join: bool = True
    """Whether a call waits for the reply to the same call where that is under way."""
    most_mb: int = 64
    """The most megabytes of replies that are held in memory, in each worker."""
    hold_out: float = 0.05
    """Share of tasks on which every call is made, so that the effect can be seen. 0: none."""


def reply_cache_fault(rows: Sequence[ReplyCacheSettings]) -> tuple[int, str, str] | None:
    """The row and setting that are wrong, and what it must be."""
    for number, one in enumerate(rows):
        if not (math.isfinite(one.seconds) and 0 <= one.seconds <= LONGEST_S):
            return number, "seconds", f"must be a number from 0 to {LONGEST_S:,}, that is 30 days"
        if not one.seconds and not one.join:
            return number, "seconds", "must be above 0 where `join` is false: else nothing is ever answered"
        if not 1 <= one.most_mb <= MOST_MB:
            return number, "most_mb", f"must be a number from 1 to {MOST_MB:,}"
        if not (math.isfinite(one.hold_out) and 0 <= one.hold_out < 1):
            return number, "hold_out", "must be a share from 0 to below 1"
    return None
