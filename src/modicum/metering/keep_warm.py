"""Pings that renew a prompt cache before it expires: how long they keep it, and how many are sent and paid.

A ping sends the context of the last call once more, with a reply of one token. It reads the whole of it from the cache,
which renews it for another time to live. Nobody knows whether another call will come, so the pings after the last call
of a conversation are sent and paid like all others.
"""

from typing import TYPE_CHECKING

from modicum.metering.return_times import ReturnTimes

if TYPE_CHECKING:
    from modicum.metering.prompt_cache import CallOrders, CallSequence, Floats, Ints

MARGIN_S = 30.0
"""A ping is sent so long before the cache would expire."""

MOST_PINGS = 12
"""In one pause, however cheap they are."""


def net_per_reply(times: ReturnTimes, ttl_s: float, pings: int, read: float, write: float) -> float:
    """What so many pings at most are expected to save after a reply, less what they cost, for each token that stands
    in the cache.

    Args:
        times: how soon calls come after replies.
        ttl_s: time to live of the cache.
        pings: in one pause at most.
        read: what a token costs that is read from the cache; a ping reads all.
        write: what a token costs that must be written again.
    """
    every = ttl_s - MARGIN_S
    if pings < 1 or every <= 0 or not times.replies:
        return 0.0
    saved = spent = 0.0
    before = times.within(ttl_s)
    for number in range(1, pings + 1):
        came = times.within((number + 1) * every)
        # Sent in every pause that has lasted so long; it saves the write where the next call comes before the next one.
        spent += (times.replies - before) * read
        saved += max(came - before, 0.0) * (write - read)
        before = max(came, before)
    return (saved - spent) / times.replies


def best_pings(times: ReturnTimes, ttl_s: float, read: float, write: float) -> int:
    """The number of pings in a pause that is expected to save most; 0: none pays."""
    nets = [net_per_reply(times, ttl_s, pings, read, write) for pings in range(MOST_PINGS + 1)]
    return nets.index(max(nets))


def extend_ttl(ttl_s: "Floats", pings: "Ints") -> "Floats":
    """How long a cache is kept with so many pings at most. (C,)"""
    import numpy as np  # a gateway decides about pings without it

    renewed = (pings + 1) * (ttl_s - MARGIN_S)
    return np.where((pings > 0) & (ttl_s > MARGIN_S), np.maximum(ttl_s, renewed), ttl_s)


def count_pings(calls: "CallSequence", orders: "CallOrders", ttl_s: "Floats", pings: "Ints") -> "Ints":
    """How many pings are sent after each call, until the next one of its conversation and model comes. (C,)

    Args:
        calls: when they came.
        orders: in which order.
        ttl_s: time to live of what each call left in the cache.
        pings: after each call at most.
    """
    import numpy as np  # as above

    order = orders.chains
    gap = np.full(len(order), np.inf)
    goes_on = (calls.conversation[order][1:] == calls.conversation[order][:-1]) & (
        calls.model[order][1:] == calls.model[order][:-1]
    )
    between = calls.asked_s[order][1:] - calls.answered_s[order][:-1]
    gap[:-1] = np.where(goes_on, between, np.inf)
    every = np.maximum(ttl_s[order] - MARGIN_S, 1.0)
    due = np.where(gap > ttl_s[order], np.floor(gap / every), 0)
    sent = np.zeros(len(calls.prompt), dtype=np.int64)
    sent[order] = np.minimum(due, pings[order]).astype(np.int64)
    return sent
