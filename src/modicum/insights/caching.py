"""A history as its prompt caches saw it: which rules applied to each call, what they promise, and where they failed.

Arrays are one value per call, in the order of the history, (C,). Tokens are in the provider's count.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
import numpy as np

from modicum.insights.cache_replay.beginnings import find_shared
from modicum.insights.cache_replay.logged_share import LoggedShare
from modicum.insights.history import Flags, Floats, History, Ints, once_per_history
from modicum.metering import prompt_cache
from modicum.metering.shared_beginnings import SharedBeginnings, find_alike, find_warm, judge

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
    shared: SharedBeginnings
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
    shared = _judge_shared(history, calls, habits)
    predicted = prompt_cache.predict(calls, habits, orders, find_alike_calls(shared, calls, habits, hopeful=False))
    unexplained = (
        predicted.warm
        & np.isfinite(calls.kept)
        & (predicted.left <= calls.kept)
        & (history.cache_read < FAR_BELOW * predicted.read)
    )
    return Caching(calls, habits, predicted, orders, shared, unexplained)


def _judge_shared(
    history: History, calls: prompt_cache.CallSequence, habits: prompt_cache.CacheHabits
) -> SharedBeginnings:
    """The shared beginnings, and whether they are read: by what the first calls of conversations did. A provider that
    sets the breakpoint itself, at the end of the newest message, has none at the end of what is shared.
    """
    shared = find_shared(history)
    if not len(shared.call):
        return shared
    warm = find_warm(shared, calls, np.where(habits.caches, habits.ttl_left_s, -np.inf))
    warm = np.where(warm >= calls.minimum, np.floor(warm / calls.step) * calls.step, 0)
    verdict = judge(history.cache_read.astype(np.float64), warm, shared.root, history.first & habits.caches)
    at_end_only = find_rule_flags(history, lambda rules: rules.automatic)
    return replace(shared, verdict=np.where(at_end_only & np.isnan(verdict), 0, verdict))


def find_alike_calls(
    shared: SharedBeginnings, calls: prompt_cache.CallSequence, habits: prompt_cache.CacheHabits, *, hopeful: bool
) -> Floats | None:
    """How much of each call's beginning other conversations keep in the cache for it; None where none is shared."""
    if not len(shared.call):
        return None
    ttl_s = np.where(habits.caches, habits.ttl_left_s, -np.inf)
    most = np.where(calls.implicit, calls.prompt, calls.prompt - habits.tail_guess)
    return find_alike(shared, calls, ttl_s, hopeful=hopeful, most=most)


def _build_sequence(history: History) -> prompt_cache.CallSequence:
    prompt = history.prompt.astype(np.float64)
    kept = LoggedShare.fit(history).kept
    guessed = [code for code, cause in enumerate(history.break_causes) if cause in GUESSED_CAUSES]
    is_unsure = np.isin(history.break_cause, guessed) | (history.kept_tokens < 0)
    # Where nothing sure says what stood, a prompt that did not shrink is taken for the one before it and more: all that
    # the call before left in the cache (infinite: whatever that was). How much stands of one that shrank is unknown.
    left_before = np.zeros(history.calls)
    left_before[1:] = np.where(history.first[1:], 0, (history.prompt - history.uncached)[:-1])
    stood = np.where(prompt >= left_before, np.inf, prompt_cache.UNKNOWN_TOKENS)
    kept = np.where(is_unsure, stood, kept)
    kept = np.where(_lose_messages(history), np.minimum(kept, _count_front_tokens(history)), kept)
    minimum, step, implicit, ttl_s, longer_s = find_cache_rules(history, history.model, history.models)
    return prompt_cache.CallSequence(
        conversation=history.conversation,
        asked_s=_request_times(history),
        answered_s=history.started_s,
        model=history.model,
        prompt=prompt,
        kept=kept,
        minimum=minimum,
        step=step,
        implicit=implicit,
        ttl_s=ttl_s,
        made=np.ones(history.calls, dtype=bool),
        longer_s=longer_s,
        whole=find_whole_units(history, history.model, history.models),
    )


def _lose_messages(history: History) -> Flags:
    """Calls whose request changed a setting behind which, by the provider's rules, only system prompt and tools are
    read. What only seems to have changed, by a transcript of an agent, changes no prediction.
    """
    listed = [msgspec.json.decode(text, type=list[str]) if text else [] for text in history.event_lists]
    lost = np.zeros(history.calls, dtype=bool)
    for event in sorted({name for names in listed for name in names}):
        codes = [code for code, names in enumerate(listed) if event in names]
        documented = find_rule_flags(history, lambda rules, event=event: event in rules.messages_lost_by)  # type: ignore[misc]
        lost |= np.isin(history.events, codes) & documented
    seems = [code for code, source in enumerate(history.sources) if source in REPLY_TIMED]
    return lost & ~np.isin(history.source, seems) & ~history.first


def _request_times(history: History) -> Floats:
    """When each request came, in seconds since 1970. Some logs have the time of the first block of a reply for the
    start of a call: then it is taken to have come `REPLY_S` earlier, but not before the call before it.
    """
    late = [code for code, source in enumerate(history.sources) if source in REPLY_TIMED]
    follows = np.isin(history.source, late) & ~history.first
    gap = np.diff(history.started_s, prepend=history.started_s[:1])
    return history.started_s - np.where(follows, np.clip(gap, 0, REPLY_S), 0)


def find_cache_rules(history: History, model: Ints, words: list[str]) -> tuple[Floats, Floats, Flags, Floats, Floats]:
    """For every call, by its model and day: the smallest prefix that is cached and the step of reads, both in tokens;
    whether the cache is implicit; the usual time to live and the longest, in seconds. (C,) each. Where no rules are
    known nothing is cached.
    """
    minimum, step, implicit, ttl, longer = tabulate_rules(
        history,
        model,
        words,
        lambda rules: (rules.minimum, rules.step, rules.is_implicit, rules.ttl_s[0], rules.longer_s),
        (np.inf, 1, 0, 300, 3600),
    )
    return minimum, step, implicit > 0, ttl, longer


def find_whole_units(history: History, model: Ints, words: list[str]) -> Flags:
    """Calls whose implicit cache is read up to where an earlier call ended, or not at all. (C,)"""
    (whole,) = tabulate_rules(history, model, words, lambda rules: (rules.whole_units,), (0,))
    return np.asarray(whole > 0, np.bool_)


def find_rule_flags(history: History, is_so: Callable[[prompt_cache.CacheRules], bool]) -> Flags:
    """For every call whether the rules of its model and day are so; False where none are known. (C,)"""
    flags = tabulate_rules(history, history.model, history.models, lambda rules: (is_so(rules),), (0,))
    found: Flags = flags[0] > 0
    return found


def tabulate_rules(
    history: History,
    model: Ints,
    words: list[str],
    read: Callable[[prompt_cache.CacheRules], tuple[float, ...]],
    otherwise: tuple[float, ...],
) -> Floats:
    """What `read` says of the rules for each call, by its model and day: a row for each of its values. (N, C)"""
    day = np.floor_divide(history.started_s, 86_400).astype(np.int64)
    # Rules are looked up once per model and day; a column of the table each.
    days, day_of_call = np.unique(day, return_inverse=True)
    keys, key_of_call = np.unique(model * max(len(days), 1) + day_of_call, return_inverse=True)
    table = np.tile(np.array([otherwise], dtype=np.float64).T, (1, len(keys)))
    for place, key in enumerate(keys):
        at = datetime.fromtimestamp(int(days[key % len(days)]) * 86_400, UTC).date()
        rules = prompt_cache.find_rules(words[key // len(days)], at)
        if rules is not None:
            table[:, place] = read(rules)
    return table[:, key_of_call]


def _recorded_buckets(history: History) -> prompt_cache.RecordedBuckets:
    buckets = (history.cache_read, history.cache_write_5m, history.cache_write_1h, history.uncached)
    return prompt_cache.RecordedBuckets(*(bucket.astype(np.float64) for bucket in buckets))


def _count_front_tokens(history: History) -> Floats:
    """Tokens of system prompt and tool schemas, in the provider's count, where a log holds their text."""
    shown = [code for code, kind in enumerate(history.kinds) if kind in {"system", "tool_schema"}]
    tokens = np.where(np.isin(history.segment_kind, shown), history.segment_tokens, 0)
    logged = LoggedShare.fit(history)
    return history.sum_carried(tokens) * logged.scale + logged.unlogged


def _group_by_front(history: History) -> tuple[Ints, Ints]:
    """Calls that share the front of their prompts have the same number: those of one model, and main agents or
    subagents; first within a project, then in all projects. (C,) each.
    """
    main = history.agent == history.code_of(history.agents, "")
    wide = history.model * 2 + main
    return wide * (len(history.projects) + 1) + history.project, wide
