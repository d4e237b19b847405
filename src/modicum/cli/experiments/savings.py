"""Savings of changes on trial in two columns: estimated by replay, measured by hold-out."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from modicum.calls.words.percentages import percent
from modicum.cli.terminal import output
from modicum.experiments.recorded import read_recorded_savings
from modicum.experiments.savings import Saving, hit_rate
from modicum.settings import state_folder

if TYPE_CHECKING:
    from modicum.ledger.store import Store

UNRECORDED = "none was written down when it started"
"""Of experiments that an earlier version started."""


def read_savings(store: "Store", span: tuple[datetime, datetime] | None = None) -> list[Saving]:
    """What each experiment of this user saved, as the ledger has it; `span`: only those that ran in that time."""
    return read_recorded_savings(store, state_folder(), span)


def print_savings(savings: Sequence[Saving]) -> None:
    """A line for each experiment, and how often an estimate came true."""
    output.print_table(
        ["experiment", "state", "estimated (replay)", "measured (hold-out)", "saved", "estimate came true"],
        [
            [
                one.name,
                one.state.replace("_", " "),
                "none" if one.estimated_share is None else percent(one.estimated_share),
                _interval(one.measured_share, one.measured_low, one.measured_high),
                output.dollars_of(one.measured_usd),
                {True: "yes", False: "no", None: ""}[one.came_true],
            ]
            for one in savings
        ],
        left=2,
    )
    for one in savings:
        if one.estimated_share is None:
            output.print_text(f"{one.name}: no estimate: {one.why_not_estimated or UNRECORDED}")
        if one.why_not_measured:
            output.print_text(f"{one.name}: no interval was measured: {one.why_not_measured}")
    rate = hit_rate(savings)
    click.echo(
        f"{rate.hits} of {rate.judged} estimated savings came true within the measured interval"
        if rate.judged
        else "no saving was both estimated and measured yet"
    )


def savings_document(savings: Sequence[Saving]) -> dict[str, object]:
    """The same for programs."""
    rate = hit_rate(savings)
    return {
        "experiments": [
            {name: getattr(one, name) for name in one.__struct_fields__} | {"came_true": one.came_true}
            for one in savings
        ],
        "hits": rate.hits,
        "judged": rate.judged,
    }


def _interval(share: float | None, low: float | None, high: float | None) -> str:
    if share is None:
        return "unknown"
    return percent(share) if low is None or high is None else f"{percent(share)} ({percent(low)} to {percent(high)})"
