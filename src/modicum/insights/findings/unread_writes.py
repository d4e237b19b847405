"""B4: prompts written to a cache that nobody read."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import hash_rows, most_expensive


def find(history: History) -> Finding:
    unread = find_unread_writes(history)
    written = history.cache_write_5m + history.cache_write_1h
    return Finding(
        id="B4",
        name="unread_writes",
        title="Written to the cache and never read",
        what="Cache writes of conversations in which no call read anything from the cache, so that the higher price of "
        "writing bought nothing.",
        finding_class=FindingClass.EXACT,
        calls=int(unread.sum()),
        tokens=int(written[unread].sum()),
        gross_usd=float(
            np.nansum(history.cost_cache_write_5m_usd[unread]) + np.nansum(history.cost_cache_write_1h_usd[unread])
        ),
        change=HistoryChange(ttl_seconds=np.where(unread, 0, -1)) if unread.any() else None,
        remedy="Leave out cache_control on calls that are made only once.",
        guard="Not counted: the last write of a conversation that went on, because nobody knew that it was the last, "
        "and writes whose beginning another conversation of the same project, agent and model read.",
        examples=most_expensive(history, unread),
    )


def find_unread_writes(history: History) -> Flags:
    if not history.calls:
        return np.zeros(0, np.bool_)
    starts = np.flatnonzero(history.first)
    none_read = (np.add.reduceat(history.cache_read, starts) == 0)[np.cumsum(history.first) - 1]
    shared = hash_rows(history.project, history.agent, history.model)
    read_at_start = history.first & (history.cache_read > 0)
    borrowed = np.isin(shared, shared[read_at_start])
    unread: Flags = none_read & ~borrowed & (history.cache_write_5m + history.cache_write_1h > 0)
    return unread
