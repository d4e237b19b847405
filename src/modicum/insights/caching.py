"""A history as its prompt caches saw it: which rules applied to each call, what they promise, and where they failed.

Arrays are one value per call, in the order of the history, (C,). Tokens are in the provider's count.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from modicum.insights.history import Flags, Floats, History, Ints, once_per_history
from modicum.insights.joined_changes import provider_scale
from modicum.metering import prompt_cache

FAR_BELOW = 0.9
"""A read below this share of what stood in the cache is a break: a lost breakpoint costs thousands of tokens, jitter
of counts a few."""
GUESSED_CAUSES = frozenset({"edited", "reasoning dropped", "version"})
"""Causes that an importer concluded from the size of the prompt, placing the cut by what the provider still read from
its cache: using that for the prediction of the same call would be seeing the answer."""
REPLY_TIMED = frozenset({"claude-code"})
"""Sources whose `started` is when the first block of the reply was there."""
REPLY_S = 10.0
"""Time from a request to the first block of its reply, about, with the large contexts of agents."""


@dataclass(frozen=True)
class Caching:
    calls: prompt_cache.CallSequence
    habits: prompt_cache.CacheHabits
    predicted: prompt_cache.CachePrediction
    """What the rules say of the history as it was."""
    orders: prompt_cache.CallOrders
    unexplained: Flags
    """Breaks that nothing in the record explains: in time, same model, content kept, and yet not read."""

    @classmethod
    def compute(cls, history: History) -> "Caching":
        return _compute(history)


@once_per_history
def _compute(history: History) -> Caching:
    calls = _build_sequence(history)
    habits = prompt_cache.learn_habits(
        calls, _recorded_buckets(history), *_group_by_front(history), _count_front_tokens(history)
    )
    orders = prompt_cache.CallOrders.sort(calls, habits.group)
    predicted = prompt_cache.predict(calls, habits, orders)
    unexplained = (
        predicted.warm
        & np.isfinite(calls.kept)
        & (predicted.left <= calls.kept)
        & (history.cache_read < FAR_BELOW * predicted.read)
    )
    return Caching(calls, habits, predicted, orders, unexplained)


def _build_sequence(history: History) -> prompt_cache.CallSequence:
    prompt = history.prompt.astype(np.float64)
    kept = history.kept_tokens * provider_scale(history)
    guessed = [code for code, cause in enumerate(history.break_causes) if cause in GUESSED_CAUSES]
    is_unsure = np.isin(history.break_cause, guessed) | (history.kept_tokens < 0)
    # Where nothing sure says what stood, a prompt that did not shrink is taken for the one before it and more: all that
    # the call before left in the cache (infinite: whatever that was). How much stands of one that shrank is unknown.
    left_before = np.zeros(history.calls)
    left_before[1:] = np.where(history.first[1:], 0, (history.prompt - history.uncached)[:-1])
    stood = np.where(prompt >= left_before, np.inf, prompt_cache.UNKNOWN_TOKENS)
    kept = np.where(is_unsure, stood, kept)
    return prompt_cache.CallSequence(
        history.conversation,
        _request_times(history),
        history.started_s,
        history.model,
        prompt,
        kept,
        *find_cache_rules(history, history.model, history.models),
        np.ones(history.calls, dtype=bool),
    )


def _request_times(history: History) -> Floats:
    """When each request came, in seconds since 1970. Some logs have the time of the first block of a reply for the
    start of a call: then it is taken to have come `REPLY_S` earlier, but not before the call before it.
    """
    late = [code for code, source in enumerate(history.sources) if source in REPLY_TIMED]
    follows = np.isin(history.source, late) & ~history.first
    gap = np.diff(history.started_s, prepend=history.started_s[:1])
    return history.started_s - np.where(follows, np.clip(gap, 0, REPLY_S), 0)


def find_cache_rules(history: History, model: Ints, words: list[str]) -> tuple[Floats, Floats, Flags, Floats]:
    """For every call, by its model and day: the smallest prefix that is cached and the step of reads, both in tokens;
    whether the cache is implicit; the time to live, in seconds. (C,) each. Where no rules are known nothing is cached.
    """
    day = np.floor_divide(history.started_s, 86_400).astype(np.int64)
    # Rules are looked up once per model and day; a column of the table each. Without rules the smallest prefix that is
    # cached is infinite, so nothing is.
    days, day_of_call = np.unique(day, return_inverse=True)
    keys, key_of_call = np.unique(model * max(len(days), 1) + day_of_call, return_inverse=True)
    table = np.tile(np.array([[np.inf], [1], [0], [300]]), (1, len(keys)))
    for place, key in enumerate(keys):
        at = datetime.fromtimestamp(int(days[key % len(days)]) * 86_400, UTC).date()
        rules = prompt_cache.find_rules(words[key // len(days)], at)
        if rules is not None:
            table[:, place] = rules.minimum, rules.step, rules.is_implicit, rules.ttl_s[0]
    minimum, step, implicit, ttl = table[:, key_of_call]
    return minimum, step, implicit > 0, ttl


def _recorded_buckets(history: History) -> prompt_cache.RecordedBuckets:
    buckets = (history.cache_read, history.cache_write_5m, history.cache_write_1h, history.uncached)
    return prompt_cache.RecordedBuckets(*(bucket.astype(np.float64) for bucket in buckets))


def _count_front_tokens(history: History) -> Floats:
    """Tokens of system prompt and tool schemas, in the provider's count, where a log holds their text."""
    shown = [code for code, kind in enumerate(history.kinds) if kind in {"system", "tool_schema"}]
    tokens = np.where(np.isin(history.segment_kind, shown), history.segment_tokens, 0)
    return history.sum_carried(tokens) * provider_scale(history)


def _group_by_front(history: History) -> tuple[Ints, Ints]:
    """Calls that share the front of their prompts have the same number: those of one model, and main agents or
    subagents; first within a project, then in all projects. (C,) each.
    """
    main = history.agent == history.code_of(history.agents, "")
    wide = history.model * 2 + main
    return wide * (len(history.projects) + 1) + history.project, wide
