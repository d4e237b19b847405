"""A2: the very same request sent again, after the first had been answered."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import find_codes, hash_contexts, hash_rows, most_expensive

WINDOW_SECONDS = 3600.0


def find(history: History) -> Finding:
    repeated, needless = _find_repeats(history)
    tokens = history.prompt + history.output_visible + history.output_reasoning
    lacks = "" if history.has_anatomy.any() else "digests of the messages: the logs hold usage only"
    return Finding(
        id="A2",
        name="duplicate_requests",
        title="Requests sent twice",
        what="Calls of one task whose whole context and model equal those of an earlier call that was answered within "
        f"the last {WINDOW_SECONDS / 3600:.0f} hour: the earlier reply could have been used again.",
        finding_class=FindingClass.EXACT,
        calls=int(repeated.sum()),
        tokens=int(tokens[repeated].sum()),
        gross_usd=float(np.nansum(history.cost_usd[repeated])),
        change=HistoryChange(dropped_calls=needless) if repeated.any() else None,
        remedy="Answer repeated requests from a reply cache, with a time to live of an hour.",
        guard="Not counted: requests that ran at the same time (sampling on purpose), requests after a failure "
        "(retries), the same request in two tasks (perhaps two trials), pings that keep a cache warm, and contexts "
        "whose text is not in the logs.",
        examples=most_expensive(history, repeated),
        lacks=lacks,
    )


def _find_repeats(history: History) -> tuple[Flags, Flags]:
    """The repetitions, and the calls that need not have been made: as a rule the same. But where a conversation asked
    twice in a row, it went on with the second reply, and the first one is the one to leave away.
    """
    answered = np.isin(history.status, find_codes(history.statuses, "ok"))
    empty = np.bincount(history.segment_call, minlength=history.calls) + np.maximum(history.kept_segments, 0) == 0
    usable = np.flatnonzero(history.has_anatomy & answered & ~empty & (history.is_ping == 0))
    same = hash_rows(
        hash_contexts(history)[usable],
        history.model[usable],
        history.task[usable],
        history.prompt[usable],
    )
    order = np.lexsort((history.started_s[usable], same))
    calls, same = usable[order], same[order]
    found, needless = np.zeros(history.calls, np.bool_), np.zeros(history.calls, np.bool_)
    if len(calls) < 2:
        return found, needless
    ended = history.finished_s[calls[:-1]]
    ended = np.where(np.isnan(ended), history.started_s[calls[:-1]], ended)
    started = history.started_s[calls[1:]]
    behind = (started > ended) & (started - ended <= WINDOW_SECONDS)
    again = np.flatnonzero((same[1:] == same[:-1]) & behind)
    earlier, later = calls[again], calls[again + 1]
    found[later] = True
    needless[np.where((later == earlier + 1) & ~history.first[later], earlier, later)] = True
    return found, needless
