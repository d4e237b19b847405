"""Pings that would have paid, known from behind: how much a policy without foresight could still gain.

Nobody knows at the time whether another call will come, so this is a bound and no policy.
"""

import numpy as np

from modicum.insights.caching import Caching
from modicum.insights.history import Floats, Ints
from modicum.metering import keep_warm, prompt_cache

MOST_PINGS = 1000


def count_paying(caching: Caching, ttl_s: Ints, read_rate: Floats, write_rate: Floats) -> Ints:
    """How many pings keep each call's cache until the next call, where they cost less than writing it again; else 0.

    Args:
        caching: the history as its caches saw it.
        ttl_s: the time to live that each call would have; calls with 0 or less are not pinged.
        read_rate: what a token read costs. (C,)
        write_rate: what a token written costs. (C,)
    """
    calls, habits = caching.calls, caching.habits
    most = np.where(ttl_s > 0, MOST_PINGS, 0)
    needed = keep_warm.count_pings(calls, caching.orders, np.maximum(ttl_s, 1).astype(np.float64), most)
    left = np.where(habits.caches, np.maximum(calls.prompt - habits.tail_left, 0), 0)
    again = np.maximum(left - _front(habits), 0)
    # After the last call of a conversation the most pings are "needed": they never pay.
    pays = (needed > 0) & (needed < MOST_PINGS) & (needed * left * read_rate < again * (write_rate - read_rate))
    return np.where(pays, needed, 0)


def _front(habits: prompt_cache.CacheHabits) -> Floats:
    """What other conversations keep warm, so that it is read in any case. (C,)"""
    return np.nan_to_num(habits.front)
