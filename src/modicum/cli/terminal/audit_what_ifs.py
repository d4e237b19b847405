"""What-ifs of an audit, printed: dollars, and seconds until the first token."""

from typing import TYPE_CHECKING

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.terminal import output

if TYPE_CHECKING:
    from modicum.insights.audit import Audit
    from modicum.insights.changes.waiting import WaitingSaved

SOURCES = {
    "measured": "measured from request to first token",
    "estimated": "estimated from what passed between a reply and the next one where only instant tools lay in between",
}


def print_what_ifs(found: "Audit") -> None:
    """What each change that was asked about would have saved, alone and together."""
    what_ifs = found.what_if
    click.echo()
    output.print_table(
        ["what if", "class", "saves alone", "share", "on top", "first token"],
        [
            [
                one.name,
                one.finding_class.value.replace("_", " "),
                format_saving(one.saving_usd),
                percent(one.saving_share, sign="+"),
                format_saving(one.marginal_usd),
                "" if one.waiting is None else format_sooner(one.waiting.per_call_s),
            ]
            for one in what_ifs
        ],
        left=2,
        footer=[
            "together",
            "",
            format_saving(found.what_if_saving_usd),
            percent(found.what_if_saving_share or 0, sign="+"),
            "",
            "",
        ],
    )
    for one in what_ifs:
        for note in one.notes:
            output.print_text(f"  {one.name}: {note}")
        if one.waiting is not None:
            output.print_text(f"  {one.name}: {describe_waiting(one.waiting)}")
        if one.saving_share_low is not None and one.saving_share_high is not None:
            span = f"between {percent(one.saving_share_low, sign='+')} and {percent(one.saving_share_high, sign='+')}"
            output.print_text(f"  {one.name}: a bound, {span}: {one.why_bound}")
        if one.unpriced_calls:
            output.print_text(
                f"  {one.name}: {number_of(one.unpriced_calls, 'call')} would have no known price; they stay as they "
                "were"
            )
        if one.name.startswith("keep_warm="):
            output.print_text(
                f"  {one.name}: all pings are paid, those after a last call too; never for a plan at a flat rate"
            )
        if one.name.startswith("model:"):
            output.print_text(f"  {one.name}: token counts are those of the old model, and cold caches are paid for")


def print_waiting(found: "Audit") -> None:
    """On what the seconds rest."""
    time = found.first_token_time
    if not time.basis or time.computed_s is None or time.read_s is None:
        if found.what_if:
            output.print_text(f"\nwhat changes do to waiting is not known: {time.why_unknown}")
        return
    output.print_text(
        f"\nfirst tokens ({number_of(time.calls, 'call')}, {SOURCES[time.basis]}): median {time.median_s:.1f} s; "
        f"{time.computed_s:.3f} s more for a thousand tokens that are computed [{time.computed_low_s:.3f}, "
        f"{time.computed_high_s:.3f}], {time.read_s:.3f} s for a thousand that are read from the cache "
        f"[{time.read_low_s:.3f}, {time.read_high_s:.3f}]"
    )


def format_saving(usd: float | None) -> str:
    """Dollars that a change would have saved; empty where that is not known."""
    return "" if usd is None else output.dollars_of(usd)


def format_sooner(seconds: float) -> str:
    return f"{abs(seconds):.2f} s {'sooner' if seconds >= 0 else 'later'}"


def describe_waiting(waiting: "WaitingSaved") -> str:
    """Over all calls, with its interval."""
    low, high = sorted((waiting.low_s, waiting.high_s))
    return (
        f"first tokens {format_sooner(waiting.per_call_s)} a call, in all {waiting.seconds / 60:+,.1f} min of waiting "
        f"saved [{low / 60:+,.1f}, {high / 60:+,.1f}]"
    )
