"""Named causes of broken caches, printed."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from modicum.calls.words.counted_nouns import number_of
from modicum.cli.terminal import output

if TYPE_CHECKING:
    from modicum.insights.audit import NamedBreaks

VERSIONS_SHOWN = 4


def print_causes(rows: Sequence["NamedBreaks"]) -> None:
    """Why caches broke: a line for each cause, its versions, and what to do."""
    if not rows:
        return
    output.print_text("\nwhy caches broke (B2):")
    by_cause = sorted(rows, key=lambda row: (row.evidence, row.cause))
    groups = [list(group) for _, group in groupby(by_cause, key=lambda row: (row.evidence, row.cause))]
    for group in sorted(groups, key=lambda group: -sum(row.lost_usd for row in group)):
        breaks, lost = sum(row.breaks for row in group), sum(row.lost_usd for row in group)
        output.print_text(f"  {group[0].title}: {number_of(breaks, 'break')}, {output.dollars_of(lost)}")
        output.print_text(f"     {_list_versions(group)}; {_evidence(group)}")
        if group[0].remedy:
            output.print_text(f"     {group[0].remedy}")


def _list_versions(group: Sequence["NamedBreaks"]) -> str:
    shown = sorted(group, key=lambda row: -row.lost_usd)
    parts = [
        f"{row.source} {row.version}".rstrip() + f": {row.breaks} of {row.steps}" for row in shown[:VERSIONS_SHOWN]
    ]
    more = len(shown) - VERSIONS_SHOWN
    return ", ".join(parts) + (f", and {number_of(more, 'more version')}" if more > 0 else "")


def _evidence(group: Sequence["NamedBreaks"]) -> str:
    lifts = [row.lift_low for row in group if row.lift_low is not None]
    words = {
        "provider": "the provider's diagnostics say so",
        "measured": f"at least {min(lifts, default=0):.1f} times as often as without it",
        "documented": "documented by the provider",
    }
    contradicted = sum(row.contradicted for row in group)
    return words[group[0].evidence] + (f"; its diagnostics contradict {contradicted}" if contradicted else "")
