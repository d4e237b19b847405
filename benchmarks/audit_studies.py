"""What two independent studies of a larger part of the same corpus found, beside what the audit finds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modicum.insights.history import History
from modicum.insights.segment_costs import hash_rows, is_kind, is_live_duplicate, price_segments

WIDER = 0.1
"""A figure agrees if it lies in the range of the studies, widened by a tenth of itself."""
STUDIES = (
    ("cache reads", 0.54, 0.578, "share_read", ""),
    ("cache writes", 0.37, 0.391, "share_written", ""),
    ("output", 0.031, 0.09, "share_(completions)", "logged output is a lower bound; one study estimated it"),
    ("re-reads of the prefix", 0.265, 0.265, "share_prefix_reread", "theirs is the whole first prompt"),
    ("tool results", 0.30, 0.36, "share_tool_result", "counts here are fitted to the provider's, which are higher"),
    ("exact duplicates of results", 0.0019, 0.0028, "share_duplicate_results", "counts here are fitted"),
    ("prefix changed without a pause", 0.059, 0.073, "B2_prefix_break_gross_share", ""),
    ("written after pauses of 5 to 60 minutes", 0.098, 0.098, "share_written_after_pauses", ""),
    ("the same, lost to the time to live", 0.098, 0.098, "B3_ttl_expiry_gross_share", "only what stood before it"),
    ("results cut at 4,000", 0.087, 0.10, "cap_4000_saving_share", "follows from the share of tool results"),
    ("results cut at 2,000", 0.13, 0.16, "cap_2000_saving_share", "follows from the share of tool results"),
    ("results cut at 1,000", 0.178, 0.21, "cap_1000_saving_share", "follows from the share of tool results"),
    ("one hour everywhere", 0.006, 0.006, "what_if cache_ttl=1h", "see one hour over five minutes"),
    ("one hour everywhere, the other study", 0.04, 0.04, "what_if cache_ttl=1h", "see one hour over five minutes"),
    ("one hour over five minutes", 0.009, 0.009, "what_if cache_ttl=1h over 5m", "see the results"),
    ("one hour over five minutes, the other study", 0.063, 0.063, "what_if cache_ttl=1h over 5m", "see the results"),
)
"""What, lowest and highest figure of the studies (shares of the bill), our figure, and why they differ if they do."""


def shares(history: History) -> dict[str, float]:
    """Shares of the bill that the audit itself does not print, by the studies' own rules."""
    whole = float(np.nansum(history.cost_usd))
    written = np.nan_to_num(history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd)
    pause = np.diff(history.started_s, prepend=history.started_s[:1])
    paused = ~history.first & (pause > 300) & (pause <= 3600)
    return {
        "share_read": float(np.nansum(history.cost_cache_read_usd)) / whole,
        "share_written": float(written.sum()) / whole,
        "share_written_after_pauses": float(written[paused].sum()) / whole,
        "share_duplicate_results": price_segments(history, duplicate_results(history))[1] / whole,
    }


def duplicate_results(history: History) -> np.ndarray:
    """Tool results whose like, to the same call and with the same text, stands in the context already."""
    results = is_kind(history, "tool_result") & (history.segment_digest != 0)
    return is_live_duplicate(history, hash_rows(history.segment_detail, history.segment_digest), results)


def beside(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, low, high, key, why in STUDIES:
        here = float(figures[key])
        agrees = low * (1 - WIDER) <= here <= high * (1 + WIDER)
        rows.append(
            {"what": name, "low": low, "high": high, "here": here, "agrees": agrees, "why": "" if agrees else why}
        )
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["", "two independent studies counted Claude Code transcripts of January and February 2026:"]
    lines += [f"{'share of the bill':45} {'studies':>14} {'here':>8}"]
    for row in rows:
        low, high = f"{row['low']:.1%}", f"{row['high']:.1%}"
        told = "agrees" if row["agrees"] else f"differs{': ' if row['why'] else ''}{row['why']}"
        lines.append(f"{row['what']:45} {low if low == high else f'{low} to {high}':>14} {row['here']:>8.1%}  {told}")
    return "\n".join(lines)
