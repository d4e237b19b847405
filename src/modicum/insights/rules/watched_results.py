"""What rules on tool results would have done with calls whose text was looked at while it was read: the rules ran on it
then, and what each would have sent is on record.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from modicum.insights.history import History
from modicum.insights.replay import Replay
from modicum.insights.what_if import shorten_results
from modicum.optimizers.all_rules import CONTENT_RULES

NO_NEED = "there is nothing for it to do"
WATCHED = frozenset(rule.name for rule in CONTENT_RULES)
"""Rules that run on every text that is looked at; others need packages of an extra."""
LIVE = "gateway"
"""The source of calls whose texts nobody kept."""


class WatchedResults(NamedTuple):
    """One rule, over some calls."""

    calls: int
    """To which results came that it would have shortened."""
    calls_on: int
    """Of these those for whose owners it is on."""
    tokens_removed: int
    """Of these results, once: later calls carry them too."""
    expected_usd: float | None
    """By replay over all calls. None: only some calls were chosen."""
    why_not: Counter[str]
    calls_undecided: int
    """Whose text nobody looked at."""


def explain_watched(
    replays: Replay, rule: str, chosen: set[str], why_off: Mapping[str, str], unread: str
) -> WatchedResults | None:
    """What is on record of one rule; None: nothing.

    Args:
        replays: of the history.
        rule: its name.
        chosen: ids of the calls that are explained.
        why_off: by id of a call, why the rule does not run on it; empty: it does.
        unread: what is said of calls whose text nobody looked at.
    """
    history = replays.history
    shares = history.shortened_shares.get(rule)
    if shares is None and not (rule in WATCHED and WATCHED & history.shortened_shares.keys()):
        return None
    if shares is None:  # others were seen at work, so this one had nothing to do
        shares = np.ones(history.segments)
    removed = history.segment_tokens - np.ceil(history.segment_tokens * shares)
    saved = np.bincount(history.segment_call, removed, minlength=history.calls)
    why: Counter[str] = Counter()
    acts = on = undecided = 0
    for number in _places(history, chosen):
        if saved[number] <= 0:
            is_live = history.sources[history.source[number]] == LIVE
            undecided += is_live
            why[unread if is_live else NO_NEED] += 1
            continue
        acts += 1
        off = why_off[history.entry_ids[number]]
        on += not off
        if off:
            why[off] += 1
    is_whole = len(chosen) == history.calls
    usd = replays.run([shorten_results(history, rule)]).saving_usd if is_whole and acts else None
    return WatchedResults(acts, on, int(saved[_places(history, chosen)].sum()), usd, why, undecided)


def _places(history: History, chosen: set[str]) -> list[int]:
    return [number for number, entry_id in enumerate(history.entry_ids) if entry_id in chosen]
