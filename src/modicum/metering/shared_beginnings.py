"""Beginnings that conversations share, and which of them a cache held when a call asked.

A beginning is known by the digests of its segments: prompts that begin with the same ones can read each other's cache
entries, if their caller (or the provider) put a breakpoint there. Whether it does is not in any log; it shows in what
the first calls of other conversations read.
"""

from dataclasses import dataclass

import numpy as np

from modicum.metering.prompt_cache import CallSequence, Flags, Floats, Ints

READ_WHOLE = 0.9
"""A first call that read this share of a beginning read it."""


@dataclass(frozen=True)
class SharedBeginnings:
    """Which calls begin alike: a row for each call and each beginning that it shares with other conversations, (R,)."""

    call: Ints
    beginning: Ints
    """Equal for rows of one beginning."""
    tokens: Floats
    """How long it is, in the provider's count."""
    root: Ints
    """For every call the shortest beginning that it shares; -1 if none. (C,)"""
    root_tokens: Floats
    """How long that is. (C,)"""
    lone: Flags
    """Calls that stand alone, as all those do that begin as they do: nothing but the beginning is sent twice. (C,)"""
    verdict: Floats
    """Whether such beginnings are read from the cache: 1 if other first calls did, 0 if those that could did not, NaN
    where none could. (C,)"""

    @property
    def is_unproved(self) -> Flags:
        """Calls with a beginning of which nobody has seen whether it is read. (C,)"""
        unproved: Flags = (self.root >= 0) & np.isnan(self.verdict)
        return unproved


def find_warm(shared: SharedBeginnings, calls: CallSequence, ttl_s: Floats) -> Floats:
    """For every call the longest of its shared beginnings that the cache held when it asked; 0: none. (C,)

    Args:
        shared: which calls begin alike.
        calls: when they asked, and which are made.
        ttl_s: how long what each call leaves is kept; -inf: it leaves nothing.
    """
    warm = np.zeros(len(calls.prompt))
    made = np.flatnonzero(calls.made[shared.call])
    call, beginning, tokens = shared.call[made], shared.beginning[made], shared.tokens[made]
    order = np.lexsort((call, calls.asked_s[call], calls.model[call], beginning))
    call, beginning, tokens = call[order], beginning[order], tokens[order]
    before, after = call[:-1], call[1:]
    same = (beginning[1:] == beginning[:-1]) & (calls.model[after] == calls.model[before])
    held = same & (calls.answered_s[before] + ttl_s[before] >= calls.asked_s[after])
    np.maximum.at(warm, after[held], tokens[1:][held])
    return warm


def judge(read: Floats, warm: Floats, root: Ints, asks: Flags) -> Floats:
    """For every call whether beginnings like its own are read from the cache, by what *other* calls did. (C,)

    Args:
        read: what the provider says that each call read.
        warm: the longest beginning that the cache could have held for it.
        root: calls with one number share the shortest of their beginnings; -1: it shares none.
        asks: calls that show something: the first of a conversation, by a caller that uses the cache.
    """
    could = asks & (warm > 0) & (root >= 0)
    did = could & (read >= READ_WHOLE * warm)
    group = np.maximum(root, 0)
    others_could = np.bincount(group, could)[group] - could
    others_did = np.bincount(group, did)[group] - did
    return np.where(others_could > 0, (others_did * 2 >= others_could).astype(np.float64), np.nan)


def find_alike(shared: SharedBeginnings, calls: CallSequence, ttl_s: Floats, *, hopeful: bool, most: Floats) -> Floats:
    """What `predict` takes for `alike`: how much of each call's beginning others keep warm for it; NaN where digests or
    evidence say nothing. (C,)

    Args:
        shared: which calls begin alike, and what is known of their being read.
        calls: when they asked.
        ttl_s: how long what each call leaves is kept; -inf: it leaves nothing.
        hopeful: whether beginnings are taken to be read of which nobody has seen it.
        most: of each prompt the part up to its last breakpoint: no more can be read.
    """
    trusted = (shared.root >= 0) & ((shared.verdict > 0) | (hopeful & np.isnan(shared.verdict)))
    if not trusted.any():
        return np.full(len(calls.prompt), np.nan)
    return np.where(trusted, np.minimum(find_warm(shared, calls, ttl_s), most), np.nan)
