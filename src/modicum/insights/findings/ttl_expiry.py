"""B3: contexts written to the cache again because the pause was longer than its time to live."""

import numpy as np

from modicum.insights.caching import FAR_BELOW, Caching
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import History
from modicum.insights.segment_costs import most_expensive

LONG_S = 3600


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
    late = same & (gap > ttl) & (gap <= LONG_S) & (history.cache_read < FAR_BELOW * np.minimum(left, stood))
    late &= ~calls.implicit
    written = history.cache_write_5m + history.cache_write_1h
    cost = history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd
    per_token = np.nan_to_num(np.divide(cost, written, out=np.zeros(history.calls), where=written > 0))
    gross = np.minimum(lost, written) * per_token
    main = history.agent == history.code_of(history.agents, "")
    is_asked_for = late.any() and not (habits.ttl_left_s[main & ~history.first] >= LONG_S).all()
    return Finding(
        id="B3",
        name="ttl_expiry",
        title="Contexts written again after a pause",
        what="Calls that came after the cache had expired but within an hour, and wrote the same content to it again. "
        "The replay keeps the caches of main agents for one hour. Every write then costs more, also where nobody "
        "pauses.",
        finding_class=FindingClass.REPLAYED,
        calls=int(late.sum()),
        tokens=int(lost[late].sum()),
        gross_usd=float(gross[late].sum()),
        change=HistoryChange(ttl_seconds=np.where(main, LONG_S, -1)) if is_asked_for else None,
        remedy='Anthropic: "cache_control": {"type": "ephemeral", "ttl": "1h"} on the requests of interactive agents.',
        guard="Not counted: pauses of more than an hour, other models, subagents, and what a compaction or an edit "
        "took out of the context.",
        examples=most_expensive(history, late),
        lacks="" if _has_times(history) else "the times of calls: no two calls of one conversation differ in time",
        details={"longest_pause_s": float(gap[late].max(initial=0))},
    )


def _has_times(history: History) -> bool:
    follows = ~history.first
    return not follows.any() or bool((np.diff(history.started_s, prepend=0)[follows] != 0).any())
