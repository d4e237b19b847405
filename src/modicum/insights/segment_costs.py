"""What segments cost to carry, and which contexts are equal: what many findings ask of a history.

A prompt is read from cache up to some token, written to it up to another, and uncached behind that. A segment lies
between two tokens of the prompt, so what it cost in one call is its overlap with each of the three regions, times the
price of a token there. What it cost in all is the sum over the calls that carried it.

Shapes: arrays are one value per segment (S of them), one per call (C of them), or one per pair of a chosen segment and
a call that carried it. Pairs can be a hundred million, so they are made in portions.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from modicum.insights.finding import HistoryChange
from modicum.insights.history import Flags, Floats, History, Ints, once_per_history
from modicum.insights.joined_changes import find_reply_segments

PAIRS_AT_ONCE = 4_000_000
"""Pairs of segment and call that are priced together: bounds memory to a few hundred megabytes."""


def find_codes(words: list[str], *names: str) -> Ints:
    """The codes of these words; words that the history does not have are left out."""
    return np.array([code for code, word in enumerate(words) if word in names], np.int64)


def is_kind(history: History, *kinds: str) -> Flags:
    """For every segment whether it is of one of these kinds. (S,)"""
    return np.isin(history.segment_kind, find_codes(history.kinds, *kinds))


def count_carriers(history: History) -> Ints:
    """For every segment how many calls carried it. (S,)"""
    # Calls of a conversation stand side by side, and a segment is carried from its birth until it dies, without a gap.
    return history.segment_died - history.segment_call


def price_segments(
    history: History, segments: Flags | Ints, removed_tokens: Ints | None = None, *, but_calls: Flags | None = None
) -> tuple[int, float]:
    """Tokens summed over all calls that carried these segments, and what they cost in the record.

    Args:
        history: the history.
        segments: which ones, as flags or places.
        removed_tokens: of each chosen one, counted from its end; all where None.
        but_calls: calls that are left out of both figures.
    """
    chosen = np.flatnonzero(segments) if segments.dtype == np.bool_ else segments
    tokens = history.segment_tokens[chosen] if removed_tokens is None else removed_tokens
    times = count_carriers(history)[chosen]
    ends = history.segment_offset[chosen] + history.segment_tokens[chosen]
    prices = _PromptPrices(history, but_calls)
    carried_tokens, total_usd, start = 0, 0.0, 0
    pairs_so_far = np.cumsum(times)
    while start < len(chosen):
        # As many segments as give PAIRS_AT_ONCE pairs; at least one, however many calls carried it.
        before = pairs_so_far[start - 1] if start else 0
        stop = max(int(np.searchsorted(pairs_so_far, before + PAIRS_AT_ONCE)), start + 1)
        part = slice(start, stop)
        # From here on one value per pair: the call, where the segment ends in its prompt, and how many tokens count.
        calls = _concatenate_ranges(history.segment_call[chosen[part]], times[part])
        upper = np.repeat(ends[part], times[part])
        counted = np.repeat(tokens[part], times[part])
        carried_tokens += int(counted.sum() if but_calls is None else counted[~but_calls[calls]].sum())
        total_usd += prices.sum_usd(calls, upper - counted, upper)
        start = stop
    return carried_tokens, total_usd


def price_rounds(
    history: History, removed: Flags, requesting: Flags, answered: Flags | None = None
) -> tuple[int, float]:
    """Tokens and dollars of rounds that would not have been: the replies that asked for them, the prompts that were
    sent with their results, and what the segments that they left cost in all other calls.

    Args:
        history: the history.
        removed: segments that the rounds left. (S,)
        requesting: the calls whose replies asked for the rounds. (C,)
        answered: the calls that were sent with the results (C,); the ones behind `requesting` where None.
    """
    if answered is None:
        # The call behind in the array, unless that one begins another conversation.
        answered = np.zeros(history.calls, np.bool_)
        answered[1:] = requesting[:-1] & ~history.first[1:]
    # The prompts of the answered calls are counted whole below, so segments are not counted in them again.
    tokens, usd = price_segments(history, removed | find_reply_segments(history, requesting), but_calls=answered)
    output = history.output_visible + history.output_reasoning
    tokens += int(output[requesting].sum()) + int(history.prompt[answered].sum())
    return tokens, usd + float(output_usd(history)[requesting].sum() + prompt_usd(history)[answered].sum())


def _concatenate_ranges(firsts: Ints, lengths: Ints) -> Ints:
    """firsts[0], firsts[0] + 1, ... (lengths[0] of them), firsts[1], ..."""
    # One running count over all ranges; taking off where each range begins in it makes the count start at 0 again.
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(firsts, lengths) + np.arange(int(lengths.sum())) - offsets


class _PromptPrices:
    """Dollars for a part of a call's prompt; parts without a known price cost nothing here.

    A prompt has three regions one behind the other: read from cache, written to it, uncached. Per call this holds the
    token at which each region ends, and the dollars of one token within it. Writes for five
    minutes and for an hour are one region with their mean price.
    """

    def __init__(self, history: History, but_calls: Flags | None) -> None:
        written = history.cache_write_5m + history.cache_write_1h
        self.read_until = history.cache_read
        self.written_until = history.cache_read + written
        self.end = history.prompt
        self.read_usd = _usd_per_token(history.cost_cache_read_usd, history.cache_read)
        write_cost = history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd
        self.written_usd = _usd_per_token(write_cost, written)
        self.uncached_usd = _usd_per_token(history.cost_uncached_usd, history.uncached)
        if but_calls is not None:
            # Prices of 0 leave these calls out of every sum, without a test for each pair.
            for usd in (self.read_usd, self.written_usd, self.uncached_usd):
                usd[but_calls] = 0.0

    def sum_usd(self, calls: Ints, lower: Ints, upper: Ints) -> float:
        """Dollars for the tokens from `lower` up to `upper` of each of these calls' prompts, summed over the pairs."""
        read, written = self.read_until[calls], self.written_until[calls]
        in_read = np.clip(np.minimum(upper, read) - lower, 0, None)
        in_written = np.clip(np.minimum(upper, written) - np.maximum(lower, read), 0, None)
        # Where our count of a context is above the provider's, what lies beyond the prompt was not paid for.
        in_uncached = np.clip(np.minimum(upper, self.end[calls]) - np.maximum(lower, written), 0, None)
        usd = in_read @ self.read_usd[calls] + in_written @ self.written_usd[calls]
        return float(usd + in_uncached @ self.uncached_usd[calls])


def _usd_per_token(usd: Floats, tokens: Ints) -> Floats:
    """Dollars of one token in each call; 0 where there were none, or no price is known."""
    return np.nan_to_num(np.divide(usd, tokens, out=np.zeros(len(tokens)), where=tokens > 0))


def hash_rows(*columns: npt.NDArray[np.int64]) -> Ints:
    """A hash of each row of these columns: equal rows have equal ones, never negative.

    It is the finaliser of SplitMix64 (Steele et al. 2014), one column after the other. With 63 bits two different rows
    among a million have the same hash with a chance of 1 in 18 million.
    """
    # Products wrap around at 64 bits, which is how the mixing works: numpy is told not to warn.
    total = np.zeros(len(columns[0]), np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            total = total * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64) + np.uint64(1)
            total = (total ^ (total >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            total = (total ^ (total >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            total ^= total >> np.uint64(31)
    # Without the lowest bit it fits into a signed integer and is not negative: callers use -1 for "none".
    return (total >> np.uint64(1)).astype(np.int64)


@once_per_history
def hash_contexts(history: History) -> Ints:
    """For every call a hash that is the same for equal contexts. (C,)

    It is a sum of one hash per segment carried, over its text and its place. A sum can be carried along: it grows where
    a segment is born and shrinks where one dies, so one running sum gives the contexts of all calls, and nobody has to
    list the segments of each. At the end of a conversation all its segments die, so the sum is 0 again.
    """
    numbers = np.arange(history.segments)
    # 0 stands for "no digest".
    has_digest = history.segment_digest != 0
    # A segment whose text was not seen is equal to itself alone: its own number, made negative, stands for its digest.
    texts = np.where(has_digest, history.segment_digest, -1 - numbers)
    terms = hash_rows(history.segment_kind, history.segment_tool, texts, history.segment_position).astype(np.uint64)
    change = np.zeros(history.calls + 1, np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(change, history.segment_call, terms)
        np.subtract.at(change, history.segment_died, terms)
        return hash_rows(np.cumsum(change)[: history.calls].view(np.int64))


@once_per_history
def hash_inputs(history: History) -> Ints:
    """For every call a hash of what came into its context with it and was not its model's own words; -1: nothing did.
    (C,)
    """
    inputs = is_kind(history, "user", "tool_result", "document") & (history.segment_digest != 0)
    terms = hash_rows(history.segment_kind, history.segment_tool, history.segment_digest).astype(np.uint64)
    # A sum, so that the order in which several results came back makes no difference.
    total = np.zeros(history.calls, np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(total, history.segment_call[inputs], terms[inputs])
    hashes = hash_rows(total.view(np.int64))
    hashes[np.bincount(history.segment_call[inputs], minlength=history.calls) == 0] = -1
    return hashes


def is_live_duplicate(history: History, keys: Ints, among: Flags) -> Flags:
    """For every segment of `among` whether one of the same key, and of the same conversation, was in the context when
    it was added. (S,)

    Contexts grow at their end, so an older one that is still there stands before it and outlives it.

    Args:
        history: the history.
        keys: what makes two segments the same, as a digest of their text. (S,)
        among: the segments that are compared; others are neither originals nor duplicates. (S,)
    """
    chosen = np.flatnonzero(among)
    group = hash_rows(history.conversation[history.segment_call[chosen]], keys[chosen])
    # Equal ones stand together, the oldest first: segments are numbered in the order of their births.
    order = np.lexsort((chosen, group))
    group, ordered = group[order], chosen[order]
    starts_group = np.ones(len(ordered), np.bool_)
    starts_group[1:] = group[1:] != group[:-1]
    # The latest death so far within a group. One running maximum serves all groups, because each group's deaths are
    # lifted by a step that is larger than any death: the maximum of an earlier group can never reach into a later one.
    step = np.cumsum(starts_group) * (history.calls + 1)
    latest_death = np.maximum.accumulate(history.segment_died[ordered] + step) - step
    duplicates = np.zeros(history.segments, np.bool_)
    duplicates[ordered[1:]] = ~starts_group[1:] & (latest_death[:-1] > history.segment_call[ordered[1:]])
    return duplicates


def find_requesting_calls(history: History) -> Ints:
    """For every segment the call whose reply asked for it: the call before the one that added it; -1: there is none.
    (S,)
    """
    return np.where(history.first[history.segment_call], -1, history.segment_call - 1)


def find_emptied_calls(history: History, removed: Flags) -> Flags:
    """Calls that asked for tools, and all of these tool calls are among the removed segments: the calls would not have
    been made. (C,) `removed` holds tool calls and their results. (S,)
    """
    requesting_call = find_requesting_calls(history)
    tool_calls = is_kind(history, "tool_call") & (requesting_call >= 0)
    requests = np.bincount(requesting_call[tool_calls], minlength=history.calls)
    removed_requests = np.bincount(requesting_call[tool_calls & removed], minlength=history.calls)
    emptied: Flags = (requests > 0) & (requests == removed_requests)
    return emptied


def add_tool_calls(history: History, results: Flags) -> Flags:
    """The tool results with the tool calls that they answer. (S,)"""
    pairs = _hash_call_result_pairs(history)
    return results | (is_kind(history, "tool_call") & np.isin(pairs, pairs[results]))


class RemovedRounds(NamedTuple):
    """Rounds with tools that would not have been."""

    calls: Ints
    """Where their results were first sent."""
    tokens: int
    gross_usd: float
    change: HistoryChange | None
    """None: there are none."""


def remove_rounds(history: History, results: Flags) -> RemovedRounds:
    """The history without these tool results, the tool calls that they answer, and the calls that asked for nothing
    else.
    """
    removed = add_tool_calls(history, results)
    dropped = find_emptied_calls(history, removed)
    tokens, usd = price_rounds(history, removed, dropped)
    calls = np.unique(history.segment_call[results])
    if not len(calls):
        return RemovedRounds(calls, tokens, usd, None)
    sizes = np.where(removed, 0, history.segment_tokens)
    return RemovedRounds(
        calls, tokens, usd, HistoryChange(segment_tokens=sizes, dropped_calls=dropped if dropped.any() else None)
    )


@once_per_history
def _hash_call_result_pairs(history: History) -> Ints:
    """A hash that is the same for a tool call and the result that answers it. (S,)

    The ledger keeps no ids of tool calls. A call and its result are added to the context together and have the same
    detail; where an agent made the very same call several times at once, the first result answers the first call.
    """
    group = hash_rows(history.segment_call, history.segment_kind, history.segment_detail)
    order = np.lexsort((np.arange(history.segments), group))
    starts_group = np.ones(history.segments, np.bool_)
    starts_group[1:] = group[order][1:] != group[order][:-1]
    # The place of each segment within its group, from 0: how far it is behind the latest start of a group.
    starts = np.maximum.accumulate(np.where(starts_group, np.arange(history.segments), 0))
    place = np.empty(history.segments, np.int64)
    place[order] = np.arange(history.segments) - starts
    return hash_rows(history.segment_call, history.segment_detail, place)


def output_usd(history: History) -> Floats:
    """What each call's completion cost, in dollars; 0 where not known. (C,)"""
    return np.nan_to_num(history.cost_output_visible_usd + history.cost_output_reasoning_usd)


def prompt_usd(history: History) -> Floats:
    """What each call's prompt cost, in dollars; 0 where not known. (C,)"""
    written = history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd
    return np.nan_to_num(history.cost_uncached_usd + history.cost_cache_read_usd + written)


def most_expensive(history: History, calls: Flags | Ints, count: int = 3) -> tuple[str, ...]:
    """Ids of those of these calls that cost most."""
    chosen = np.flatnonzero(calls) if calls.dtype == np.bool_ else np.unique(calls)
    order = np.argsort(-np.nan_to_num(history.cost_usd[chosen]), kind="stable")[:count]
    return tuple(history.entry_ids[place] for place in chosen[order])
