"""What segments cost to carry, and which contexts are equal: what many findings ask of a history.

A prompt is read from cache up to some token, written to it up to another, and uncached behind that. So what a stretch
of a prompt cost is the difference of two values of one rising curve, and a segment's rent is the sum of that over the
calls that carried it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from modicum.insights.finding import HistoryChange
from modicum.insights.history import Flags, Floats, History, Ints, once_per_history
from modicum.insights.joined_changes import find_reply_segments

AT_ONCE = 4_000_000
"""Pairs of segment and call that are priced together: bounds memory to a few hundred megabytes."""


def find_codes(words: list[str], *wanted: str) -> Ints:
    """The codes of those words that the history has."""
    return np.array([place for place, word in enumerate(words) if word in wanted], np.int64)


def is_kind(history: History, *kinds: str) -> Flags:
    return np.isin(history.segment_kind, find_codes(history.kinds, *kinds))


def count_carriers(history: History) -> Ints:
    """For every segment how many calls carried it."""
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
    carried, total, start = 0, 0.0, 0
    bounds = np.cumsum(times)
    while start < len(chosen):
        before = bounds[start - 1] if start else 0
        stop = max(int(np.searchsorted(bounds, before + AT_ONCE)), start + 1)
        part = slice(start, stop)
        calls = _concatenate_ranges(history.segment_call[chosen[part]], times[part])
        upper = np.repeat(ends[part], times[part])
        each = np.repeat(tokens[part], times[part])
        carried += int(each.sum() if but_calls is None else each[~but_calls[calls]].sum())
        total += prices.sum_usd(calls, upper - each, upper)
        start = stop
    return carried, total


def price_rounds(history: History, gone: Flags, asked: Flags, sent: Flags | None = None) -> tuple[int, float]:
    """Tokens and dollars of rounds that would not have been: the replies that asked for them, the prompts that were
    sent with their results, and the carry of what they left in the contexts of all other calls.

    Args:
        history: the history.
        gone: segments that the rounds left.
        asked: the calls whose replies asked for the rounds.
        sent: the calls that were sent with the results; the ones behind `asked` where None.
    """
    if sent is None:
        sent = np.zeros(history.calls, np.bool_)
        sent[1:] = asked[:-1] & ~history.first[1:]
    tokens, usd = price_segments(history, gone | find_reply_segments(history, asked), but_calls=sent)
    replies = history.output_visible + history.output_reasoning
    tokens += int(replies[asked].sum()) + int(history.prompt[sent].sum())
    return tokens, usd + float(output_usd(history)[asked].sum() + prompt_usd(history)[sent].sum())


def _concatenate_ranges(firsts: Ints, lengths: Ints) -> Ints:
    """firsts[0], firsts[0] + 1, ... (lengths[0] of them), firsts[1], ..."""
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(firsts, lengths) + np.arange(int(lengths.sum())) - offsets


class _PromptPrices:
    """Dollars for a stretch of a call's prompt; stretches without a known price cost nothing here."""

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
            for usd in (self.read_usd, self.written_usd, self.uncached_usd):
                usd[but_calls] = 0.0

    def sum_usd(self, calls: Ints, lower: Ints, upper: Ints) -> float:
        read, written = self.read_until[calls], self.written_until[calls]
        in_read = np.clip(np.minimum(upper, read) - lower, 0, None)
        in_written = np.clip(np.minimum(upper, written) - np.maximum(lower, read), 0, None)
        # Where our count of a context is above the provider's, what lies beyond the prompt was not paid for.
        in_uncached = np.clip(np.minimum(upper, self.end[calls]) - np.maximum(lower, written), 0, None)
        usd = in_read @ self.read_usd[calls] + in_written @ self.written_usd[calls]
        return float(usd + in_uncached @ self.uncached_usd[calls])


def _usd_per_token(usd: Floats, tokens: Ints) -> Floats:
    return np.nan_to_num(np.divide(usd, tokens, out=np.zeros(len(tokens)), where=tokens > 0))


def hash_rows(*columns: npt.NDArray[np.int64]) -> Ints:
    """One code for equal rows, never negative: the finaliser of SplitMix64 (Steele et al. 2014) over the columns."""
    total = np.zeros(len(columns[0]), np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            total = total * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64) + np.uint64(1)
            total = (total ^ (total >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            total = (total ^ (total >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            total ^= total >> np.uint64(31)
    return (total >> np.uint64(1)).astype(np.int64)


@once_per_history
def hash_contexts(history: History) -> Ints:
    """For every call a code that is the same for equal contexts.

    A sum over the segments of digest and place, so that one running sum over births and deaths gives all of them. A
    segment without a digest is equal to itself alone.
    """
    itself = np.arange(history.segments)
    known = history.segment_digest != 0
    said = np.where(known, history.segment_digest, -1 - itself)
    terms = hash_rows(history.segment_kind, history.segment_tool, said, history.segment_position).astype(np.uint64)
    change = np.zeros(history.calls + 1, np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(change, history.segment_call, terms)
        np.subtract.at(change, history.segment_died, terms)
        return hash_rows(np.cumsum(change)[: history.calls].view(np.int64))


@once_per_history
def hash_inputs(history: History) -> Ints:
    """For every call a code of what came into its context with it and was not its model's own words; -1 for nothing."""
    told = is_kind(history, "user", "tool_result", "document") & (history.segment_digest != 0)
    terms = hash_rows(history.segment_kind, history.segment_tool, history.segment_digest).astype(np.uint64)
    total = np.zeros(history.calls, np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(total, history.segment_call[told], terms[told])
    heard = hash_rows(total.view(np.int64))
    heard[np.bincount(history.segment_call[told], minlength=history.calls) == 0] = -1
    return heard


def is_live_duplicate(history: History, keys: Ints, among: Flags) -> Flags:
    """For every segment of `among` whether one of the same key (within its conversation) is alive when it is born.

    Contexts grow at their end, so an older one that is alive stands before it and outlives it.
    """
    chosen = np.flatnonzero(among)
    group = hash_rows(history.conversation[history.segment_call[chosen]], keys[chosen])
    order = np.lexsort((chosen, group))
    group, ordered = group[order], chosen[order]
    fresh = np.ones(len(ordered), np.bool_)
    fresh[1:] = group[1:] != group[:-1]
    # The latest death so far within a group: groups are kept apart by an offset larger than any place.
    apart = np.cumsum(fresh) * (history.calls + 1)
    latest = np.maximum.accumulate(history.segment_died[ordered] + apart) - apart
    found = np.zeros(history.segments, np.bool_)
    found[ordered[1:]] = ~fresh[1:] & (latest[:-1] > history.segment_call[ordered[1:]])
    return found


def find_requesting_calls(history: History) -> Ints:
    """For every segment the call whose reply asked for it: the one before its birth in its conversation; -1: none."""
    return np.where(history.first[history.segment_call], -1, history.segment_call - 1)


def find_emptied_calls(history: History, removed: Flags) -> Flags:
    """Calls that asked for tools, and all of these tool calls are among the removed segments: they would not have been
    made. `removed` holds tool calls and their results.
    """
    tool_calls = is_kind(history, "tool_call")
    asked_by = find_requesting_calls(history)
    known = tool_calls & (asked_by >= 0)
    asked = np.bincount(asked_by[known], minlength=history.calls)
    gone = np.bincount(asked_by[known & removed], minlength=history.calls)
    emptied: Flags = (asked > 0) & (asked == gone)
    return emptied


def add_tool_calls(history: History, results: Flags) -> Flags:
    """The tool results with the tool calls that they answer: same detail, born together, in the same number."""
    wanted = np.isin(_hash_call_result_pairs(history), _hash_call_result_pairs(history)[results])
    return results | (is_kind(history, "tool_call") & wanted)


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
    gone = add_tool_calls(history, results)
    dropped = find_emptied_calls(history, gone)
    tokens, usd = price_rounds(history, gone, dropped)
    calls = np.unique(history.segment_call[results])
    if not len(calls):
        return RemovedRounds(calls, tokens, usd, None)
    kept = np.where(gone, 0, history.segment_tokens)
    return RemovedRounds(
        calls, tokens, usd, HistoryChange(segment_tokens=kept, dropped_calls=dropped if dropped.any() else None)
    )


@once_per_history
def _hash_call_result_pairs(history: History) -> Ints:
    """The same for a tool call and the result that answers it: their place among those of one birth and detail."""
    group = hash_rows(history.segment_call, history.segment_kind, history.segment_detail)
    order = np.lexsort((np.arange(history.segments), group))
    fresh = np.ones(history.segments, np.bool_)
    fresh[1:] = group[order][1:] != group[order][:-1]
    starts = np.maximum.accumulate(np.where(fresh, np.arange(history.segments), 0))
    place = np.empty(history.segments, np.int64)
    place[order] = np.arange(history.segments) - starts
    return hash_rows(history.segment_call, history.segment_detail, place)


def output_usd(history: History) -> Floats:
    """What each call's completion cost; 0 where not known."""
    return np.nan_to_num(history.cost_output_visible_usd + history.cost_output_reasoning_usd)


def prompt_usd(history: History) -> Floats:
    """What each call's prompt cost; 0 where not known."""
    written = history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd
    return np.nan_to_num(history.cost_uncached_usd + history.cost_cache_read_usd + written)


def most_expensive(history: History, calls: Flags | Ints, count: int = 3) -> tuple[str, ...]:
    """Ids of the dearest of these calls."""
    chosen = np.flatnonzero(calls) if calls.dtype == np.bool_ else np.unique(calls)
    order = np.argsort(-np.nan_to_num(history.cost_usd[chosen]), kind="stable")[:count]
    return tuple(history.entry_ids[place] for place in chosen[order])
