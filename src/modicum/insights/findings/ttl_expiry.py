"""B3: contexts written to the cache again because the pause was longer than its time to live."""

import numpy as np

from modicum.insights.caching import FAR_BELOW, Caching, find_rule_flags
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, Floats, History
from modicum.insights.segment_costs import most_expensive
from modicum.metering.prompt_cache import LONGEST_USUAL_S
from modicum.metering.shared_beginnings import find_warm


def find(history: History) -> Finding:
    caching = Caching.compute(history)
    calls, habits = caching.calls, caching.habits
    left, gap, ttl = np.zeros(history.calls), np.full(history.calls, np.inf), np.zeros(history.calls)
    stood = np.where(np.isfinite(calls.kept), np.maximum(calls.kept, 0), calls.prompt)
    left[1:] = np.where(habits.caches, calls.prompt - habits.tail_left, 0)[:-1]
    gap[1:] = calls.asked_s[1:] - calls.answered_s[:-1]
    ttl[1:] = habits.ttl_left_s[:-1]
    same = np.zeros(history.calls, dtype=bool)
    same[1:] = ~history.first[1:] & (history.model[1:] == history.model[:-1])
    lost = np.minimum(left, stood) - history.cache_read
    longer = calls.ttl_s if calls.longer_s is None else calls.longer_s
    within = (gap > np.where(calls.implicit, LONGEST_USUAL_S, ttl)) & (gap > ttl) & (gap <= longer)
    late = same & within & (history.cache_read < FAR_BELOW * np.minimum(left, stood))
    late |= _find_late_starts(history, caching, longer)
    lost = np.where(history.first, caching.shared.root_tokens - history.cache_read, lost)
    written = history.cache_write_5m + history.cache_write_1h
    cost = history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd
    # A cache that bills no writes charges what it does not read at the full rate.
    written = np.where(calls.implicit, history.uncached, written)
    cost = np.where(calls.implicit, history.cost_uncached_usd, cost)
    per_token = np.nan_to_num(np.divide(cost, written, out=np.zeros(history.calls), where=written > 0))
    gross = np.minimum(lost, written) * per_token
    main = history.agent == history.code_of(history.agents, "")
    can = main & habits.caches & (longer > calls.ttl_s)
    counted = can & ~(history.first & (history.conversation_end - history.conversation_start > 1))
    is_asked_for = late.any() and not (habits.ttl_left_s[counted] >= longer[counted]).all()
    change = HistoryChange(ttl_seconds=np.where(can, longer, -1).astype(np.int64)) if is_asked_for else None
    is_unproved = bool((late & history.first & caching.shared.is_unproved).any())
    return Finding(
        id="B3",
        name="ttl_expiry",
        title="Contexts written again after a pause",
        what="Calls that came after the cache had expired, but within the longer time to live that could be had "
        "(Anthropic: one hour), and paid for the same content again; also first calls that begin as another "
        "conversation did, whose cache had expired. The replay keeps the caches of main agents for the longer time. "
        "Every write then costs more, also where nobody pauses.",
        finding_class=FindingClass.UPPER_BOUND if is_unproved else FindingClass.REPLAYED,
        calls=int(late.sum()),
        tokens=int(lost[late].sum()),
        gross_usd=float(gross[late].sum()),
        change=change,
        remedy='Anthropic: "cache_control": {"type": "ephemeral", "ttl": "1h"} on the requests of interactive agents.'
        if calls.implicit[late].sum() * 2 <= late.sum() and not _has_half_hours(history, late)
        else 'OpenAI from GPT-5.6 on: "prompt_cache_options": {"ttl": "12h"}; before: "prompt_cache_retention": "24h".',
        guard="Not counted: pauses longer than the longest time to live, other models, subagents, and what a "
        "compaction or an edit took out of the context.",
        examples=most_expensive(history, late),
        lacks="" if _has_times(history) else "the times of calls: no two calls of one conversation differ in time",
        details={"longest_pause_s": float(gap[late].max(initial=0))},
    )


def _has_half_hours(history: History, late: Flags) -> bool:
    """Whether most of these calls went to a provider whose usual time to live is half an hour."""
    automatic = find_rule_flags(history, lambda rules: rules.automatic)
    return bool(automatic[late].sum() * 2 > late.sum())


def _find_late_starts(history: History, caching: Caching, longer_s: Floats) -> Flags:
    """First calls whose beginning another conversation had left in the cache, too long ago for its time to live."""
    shared, calls, habits = caching.shared, caching.calls, caching.habits
    if not len(shared.call):
        return np.zeros(history.calls, dtype=bool)
    nothing = -np.inf
    in_time = find_warm(shared, calls, np.where(habits.caches, habits.ttl_left_s, nothing))
    later = find_warm(shared, calls, np.where(habits.caches, longer_s, nothing))
    could = history.first & (later > in_time) & (later >= calls.minimum) & ~calls.implicit
    late: Flags = could & (shared.verdict != 0) & (history.cache_read < FAR_BELOW * later)
    return late


def _has_times(history: History) -> bool:
    follows = ~history.first
    return not follows.any() or bool((np.diff(history.started_s, prepend=0)[follows] != 0).any())
