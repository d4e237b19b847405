"""B2: the front of a prompt changed in the middle of a conversation, so that all behind it was written again."""

import numpy as np

from modicum.calls.words.percentages import percent
from modicum.insights.cache_replay.break_causes import BreakCause, name_causes
from modicum.insights.caching import FAR_BELOW, Caching
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, Floats, History, once_per_history
from modicum.insights.segment_costs import find_codes, most_expensive

MEANT = ("compaction", "rewind", "version")
"""Causes that somebody wanted."""


def find(history: History) -> Finding:
    caching = Caching.compute(history)
    broken = find_broken_calls(history, caching)
    by_cause = find_causes(history)
    unnamed = broken & caching.unexplained
    for one in by_cause:
        unnamed[one.calls] = False
    unknown = int(unnamed.sum())
    lost = caching.predicted.left - history.cache_read
    lost_usd = price_lost(history, caching)
    causes = np.bincount(history.break_cause[broken], minlength=len(history.break_causes))
    named = {
        f"calls, {cause}": int(causes[code])
        for code, cause in enumerate(history.break_causes)
        if cause and causes[code]
    }
    for one in by_cause:
        name = f"calls, {one.cause}"
        named[name] = named.get(name, 0) + len(one.calls)
    return Finding(
        id="B2",
        name="prefix_break",
        title="Cached prompts broken in the middle of work",
        what="Calls that came before the cache expired, on the same model, with a context that had only grown, and "
        f"that still read less than {percent(FAR_BELOW, 0)} of what the call before had left in the cache. Something "
        "at the front of the prompt had changed (tools, system prompt, a timestamp), or the provider lost the cache.",
        finding_class=FindingClass.UPPER_BOUND if unknown else FindingClass.REPLAYED,
        calls=int(broken.sum()),
        tokens=int(lost[broken].sum()),
        gross_usd=float(lost_usd[broken].sum()),
        change=HistoryChange(unbroken=broken) if broken.any() else None,
        remedy="Keep tools, their order and the system prompt unchanged within a conversation, put dates and other "
        "volatile text last, and set a cache breakpoint every 15 blocks where many tools run at once.",
        guard="Not counted: compactions, rewinds, changes of model, pauses longer than the time to live, and prompts "
        "that shrank. Breaks without a recorded cause make this an upper bound: where the provider lost the cache, no "
        "setting would have helped.",
        examples=most_expensive(history, broken),
        details={"no_cause_on_record_calls": unknown, **named},
    )


@once_per_history
def find_causes(history: History) -> list[BreakCause]:
    """The named causes of the breaks that no rule explains."""
    caching = Caching.compute(history)
    return name_causes(history, find_broken_calls(history, caching) & caching.unexplained)


def price_lost(history: History, caching: Caching) -> Floats:
    """For every call what it paid for the tokens that the rules say it would have read, in dollars. (C,)"""
    written = history.cache_write_5m + history.cache_write_1h
    cost = history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd + history.cost_uncached_usd
    paid = written + history.uncached
    per_token = np.nan_to_num(np.divide(cost, paid, out=np.zeros(history.calls), where=paid > 0))
    lost: Floats = (caching.predicted.left - history.cache_read) * per_token
    return lost


def find_broken_calls(history: History, caching: Caching) -> Flags:
    left = caching.predicted.left
    grown = history.prompt >= left
    meant = np.isin(history.break_cause, find_codes(history.break_causes, *MEANT))
    broken: Flags = caching.predicted.warm & grown & ~meant & (history.cache_read < FAR_BELOW * left)
    return broken
