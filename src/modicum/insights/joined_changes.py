"""Several changes as one: a value per call (C,) or per segment (S,) for everything that a replay asks about.

Tokens are removed from the end of a segment. Of several changes to one segment the smallest size stands; a call that
any of them drops is dropped; of several times to live the last stands, but what uses no cache goes on using none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modicum.insights.cache_replay.logged_share import LoggedShare
from modicum.insights.finding import HistoryChange
from modicum.insights.history import Flags, Floats, History, Ints

REPLY_KINDS = frozenset({"assistant", "reasoning", "tool_call", "tool_result"})
"""What a call leaves in the next prompt: a call that is not made leaves none of it."""
FRONT_KINDS = frozenset({"system", "tool_schema", "prefix"})


@dataclass(frozen=True)
class JoinedChanges:
    """Changes joined into one value per call and segment."""

    removed_tokens: Floats
    """Tokens taken off the end of each segment, by our count. (S,)"""
    dropped: Flags
    """Calls that are not made. (C,)"""
    ttl_s: Ints
    """Seconds for which a call's cache writes live; 0: no cache, -1: as it was. (C,)"""
    models: list[str]
    model: Ints
    """Codes into `models`, which is that of the history with new names behind. (C,)"""
    swapped: bool
    """Whether any change names another model, so that the cache rules have to be looked up again."""
    tiers: list[str]
    tier: Ints
    """Codes into `tiers`. (C,)"""
    unbroken: Flags
    """Calls whose cache break is undone. (C,)"""
    pings: Ints
    """Pings at most after each call. (C,)"""
    most_output: Floats
    """Output tokens at most; infinite where there is no limit. (C,)"""
    contexts: "JoinedContexts"

    @classmethod
    def join(cls, history: History, changes: Sequence[HistoryChange]) -> "JoinedChanges":
        """One value for each call and segment under all of these changes; with none, the history as it was."""
        size = history.segment_tokens.astype(np.float64)
        dropped, unbroken = np.zeros(history.calls, dtype=bool), np.zeros(history.calls, dtype=bool)
        ttl = np.full(history.calls, -1, dtype=np.int64)
        most = np.full(history.calls, np.inf)
        models, model = list(history.models), history.model
        tiers, tier = list(history.tiers), history.tier
        for change in changes:
            if change.segment_tokens is not None:
                size = np.clip(change.segment_tokens, 0, size)
            if change.dropped_calls is not None:
                dropped = dropped | change.dropped_calls
            if change.ttl_seconds is not None:
                # The last one stands; but what an earlier change keeps out of the cache stays out.
                ttl = np.where((change.ttl_seconds >= 0) & (ttl != 0), change.ttl_seconds, ttl)
            if change.unbroken is not None:
                unbroken = unbroken | change.unbroken
            if change.max_output_tokens is not None:
                most = np.minimum(most, change.max_output_tokens)
            for old, new in change.models.items():
                model = _replace_codes(model, models, (old, new), change.model_calls)
            if change.tier:
                tier = _replace_codes(tier, tiers, ("", change.tier), change.tier_calls)
        if dropped.any():
            # What a call that is not made would have left in later contexts is not there either.
            size = np.where(find_reply_segments(history, dropped), 0, size)
        removed = history.segment_tokens - size
        swapped = model is not history.model
        pings, contexts = _join_pings(history, changes), JoinedContexts.join(history, changes)
        return cls(removed, dropped, ttl, models, model, swapped, tiers, tier, unbroken, pings, most, contexts)


@dataclass(frozen=True)
class JoinedContexts:
    """Contexts that go on in another way, of several changes. (C,) each."""

    shift: Floats
    """Tokens that each prompt has more."""
    starts_over: Flags
    goes_on: Flags
    conversation: Ints | None
    """Other numbers of conversations; None: they are as they were."""
    extra_usd: Floats

    @classmethod
    def join(cls, history: History, changes: Sequence[HistoryChange]) -> "JoinedContexts":
        """Shifts and costs are added up; a context that one change begins anew does not go on; of several numbers of
        conversations the last stand.
        """
        shift, extra = np.zeros(history.calls), np.zeros(history.calls)
        starts, goes_on = np.zeros(history.calls, dtype=bool), np.zeros(history.calls, dtype=bool)
        conversation = None
        for change in changes:
            shift = shift if change.prompt_shift is None else shift + change.prompt_shift
            extra = extra if change.extra_usd is None else extra + change.extra_usd
            starts = starts if change.starts_over is None else starts | change.starts_over
            goes_on = goes_on if change.goes_on is None else goes_on | change.goes_on
            conversation = conversation if change.conversation is None else change.conversation
        return cls(shift, starts, goes_on & ~starts, conversation, extra)

    @property
    def are_as_they_were(self) -> bool:
        return not (self.shift.any() or self.starts_over.any() or self.goes_on.any())


def _join_pings(history: History, changes: Sequence[HistoryChange]) -> Ints:
    """Of several policies the one with more pings counts."""
    pings = np.zeros(history.calls, dtype=np.int64)
    for change in changes:
        if change.pings is not None:
            pings = np.maximum(pings, change.pings)
    return pings


def _replace_codes(codes: Ints, words: list[str], names: tuple[str, str], chosen: Flags | None) -> Ints:
    """The codes with one word in the place of another (empty: of any), for the chosen calls."""
    old, new = names
    if new not in words:
        words.append(new)
    fits = np.ones(len(codes), dtype=bool) if chosen is None else chosen
    if old:
        fits = fits & (codes == words.index(old)) if old in words else np.zeros(len(codes), dtype=bool)
    return np.where(fits, words.index(new), codes)


def find_reply_segments(history: History, dropped: Flags) -> Flags:
    """For every segment whether it is the reply of a dropped call, or a result that came back for it. (S,)

    A reply enters the context with the call behind it: a segment belongs to it if the call before its birth is dropped.
    """
    call_before_dropped = np.zeros(history.calls + 1, dtype=bool)
    call_before_dropped[1:] = dropped
    born = history.segment_call
    of_reply = np.isin(history.segment_kind, [code for code, kind in enumerate(history.kinds) if kind in REPLY_KINDS])
    replies: Flags = call_before_dropped[born] & ~history.first[born] & of_reply
    return replies


@dataclass(frozen=True)
class RemovedTokens:
    """Tokens that the changes take out of each prompt, in the provider's count. (C,) each."""

    tokens: Floats
    of_kept: Floats
    """The part of them that lies in what the call before had, too."""
    of_front: Floats
    """The part of them that lies in system prompt and tool schemas."""

    @classmethod
    def count(cls, history: History, plan: JoinedChanges) -> "RemovedTokens":
        removed = plan.removed_tokens
        if not removed.any():
            nothing = np.zeros(history.calls)
            return cls(nothing, nothing, nothing)
        # Segments are in our count, prompts in the provider's: the factor of each call turns one into the other.
        factor = LoggedShare.fit(history).scale
        tokens = history.sum_carried(removed)
        own = np.bincount(history.segment_call, removed, history.calls)
        front = [code for code, kind in enumerate(history.kinds) if kind in FRONT_KINDS]
        of_front = history.sum_carried(np.where(np.isin(history.segment_kind, front), removed, 0))
        return cls(tokens * factor, (tokens - own) * factor, of_front * factor)


def count_removed_before(history: History, plan: JoinedChanges, calls: Ints, place: Ints) -> Floats:
    """Tokens that the changes take out of the front of a few prompts, up to a place in each.

    Args:
        history: the history.
        plan: the changes.
        calls: numbers of the calls, a few: each one is worked out on its own.
        place: up to where in each one's prompt, in tokens of the provider's count.
    """
    tokens = np.zeros(len(calls))
    if not plan.removed_tokens.any():
        return tokens
    logged = LoggedShare.fit(history)
    factor, place = logged.scale, np.maximum(place - logged.unlogged[calls], 0)
    # A call's segments are among those that its conversation added up to it; the dead ones are left out below.
    start = np.searchsorted(history.segment_call, history.conversation_start[calls])
    end = np.searchsorted(history.segment_call, calls, side="right")
    for number, (call, low, high) in enumerate(zip(calls, start, end, strict=True)):
        part = slice(low, high)
        cut = np.where(history.segment_died[part] > call, plan.removed_tokens[part], 0)
        # A segment loses its end: the cut reaches from here to where the segment ended.
        cut_from = history.segment_offset[part] + history.segment_tokens[part] - cut
        tokens[number] = np.clip(place[number] / max(factor[call], 1e-9) - cut_from, 0, cut).sum() * factor[call]
    return tokens
