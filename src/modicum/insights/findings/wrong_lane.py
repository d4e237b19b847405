"""F3: work that could wait, paid at the price of work that could not."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import find_codes, hash_rows, most_expensive

BULK = 20
WINDOW_SECONDS = 3600.0


def find(history: History) -> Finding:
    bulk = find_bulk(history)
    priority = np.isin(history.tier, find_codes(history.tiers, "priority", "fast"))
    tokens = history.prompt + history.output_visible + history.output_reasoning
    return Finding(
        id="F3",
        name="wrong_lane",
        title="Bulk work at the full price",
        what=f"Single calls without a conversation, {BULK} or more of one kind within an hour, at the standard price "
        "or above. Such work can usually wait for a batch.",
        finding_class=FindingClass.HEADROOM,
        calls=int(bulk.sum()),
        tokens=int(tokens[bulk].sum()),
        gross_usd=float(np.nansum(history.cost_usd[bulk])),
        change=HistoryChange(tier="batch", tier_calls=bulk) if bulk.any() else None,
        remedy="Send it through the provider's batch API (Anthropic, OpenAI, Google: half price), or OpenAI's "
        "service_tier=flex.",
        guard="Conversations of several calls are not counted, because each reply is waited for. The logs do not say "
        "whether somebody waited for these, so this is headroom and in no sum.",
        examples=most_expensive(history, bulk),
        details={"priority_calls": int(priority.sum()), "priority_usd": float(np.nansum(history.cost_usd[priority]))},
    )


def find_bulk(history: History) -> Flags:
    found = np.zeros(history.calls, np.bool_)
    if not history.calls:
        return found
    lone = history.first & (history.conversation_end - np.arange(history.calls) == 1)
    dear = ~np.isin(history.tier, find_codes(history.tiers, "batch", "flex"))
    places = np.flatnonzero(lone & dear)
    kind = hash_rows(history.project, history.agent, history.model)[places]
    order = np.lexsort((history.started_s[places], kind))
    places, kind, at = places[order], kind[order], history.started_s[places][order]
    for offset in range(BULK):
        # A window of BULK neighbours that holds this call, and lasts no more than an hour.
        first, last = np.arange(len(places)) - offset, np.arange(len(places)) - offset + BULK - 1
        inside = (first >= 0) & (last < len(places))
        low, high = np.where(inside, first, 0), np.where(inside, last, 0)
        found[places] |= inside & (kind[low] == kind[high]) & (at[high] - at[low] <= WINDOW_SECONDS)
    return found
