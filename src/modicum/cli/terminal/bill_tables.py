"""A bill as a table, as CSV, and what a reader must know about its figures."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from modicum.calls import BUCKETS, Basis
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.cli.terminal import output
from modicum.insights.dimensions import TIMES, shown_name
from modicum.reports.figures import unpriced_note

if TYPE_CHECKING:
    from modicum.insights.bill import Bill, BillLine
    from modicum.insights.doubts import Doubt
    from modicum.insights.energy_consumption import EnergyTotals

MOST_ROWS = 25
_MARKS = {Basis.LOWER_BOUND: ">= ", Basis.ESTIMATED: "~ "}


class CurrencyAmounts(NamedTuple):
    """What a bill is in another currency.

    Attributes:
        name: of the currency.
        rates: with the day from which each holds.
        of_rows: in the order of the rows; None: for a part of a row no rate is known.
        of_total: likewise.
    """

    name: str
    rates: "Sequence[tuple[date, Decimal]]"
    of_rows: Sequence[Decimal | None]
    of_total: Decimal | None

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        rates = [{"from": None if since == date.min else since, "per_usd": rate} for since, rate in self.rates]
        return {"name": self.name, "rates": rates, "rows": self.of_rows, "total": self.of_total}

    def show(self, amount: Decimal | None, basis: Basis) -> str:
        """An amount is as sure as the dollars that it is made from."""
        return "no rate" if amount is None else f"{_MARKS.get(basis, '')}{amount:,.2f}"


def energy_note(energy: "EnergyTotals") -> str:
    """What the watched servers drew, in a sentence."""
    about = "" if energy.basis is Basis.EXACT else "about "
    idle = {Basis.LOWER_BOUND: "at least ", Basis.ESTIMATED: "about "}.get(energy.idle_basis, "")
    left_out = f"; {number_of(energy.windows_overlapping, 'window')} of a second watch left out" * bool(
        energy.windows_overlapping
    )
    return (
        f"watched servers drew {about}{energy.measured:,.4g} kWh in {energy.seconds / 3600:,.2f} h of this time "
        f"(their GPUs): {energy.busy:,.4g} kWh at work, {idle}{energy.idle:,.4g} kWh idle{left_out}"
    )


def print_csv(bill: "Bill", by: str, amounts: CurrencyAmounts | None = None) -> None:
    """The rows; with the amounts of another currency as the last column."""
    columns = [*by.split(","), "calls", *BUCKETS, "prompt_tokens", "completion_tokens", "cost_usd", "basis"]
    columns += ["calls_unpriced", "calls_without_usage", *([f"cost_{amounts.name.lower()}"] if amounts else [])]
    more = [["" if one is None else f"{one:f}"] for one in amounts.of_rows] if amounts else [[]] * len(bill.rows)
    rows = [
        [
            *(row.names or (row.name,)),
            row.calls,
            *(getattr(row.usage, bucket) for bucket in BUCKETS),
            row.prompt_tokens,
            row.completion_tokens,
            "" if row.cost_usd is None else f"{row.cost_usd:f}",
            row.basis.value,
            row.calls_unpriced,
            row.calls_without_usage,
            *extra,
        ]
        for row, extra in zip(bill.rows, more, strict=True)
    ]
    output.print_csv(columns, rows)


def print_bill(bill: "Bill", by: str, *, from_logs: bool, amounts: CurrencyAmounts | None = None) -> None:
    """The table, and what a reader must know about it."""
    import sys

    total = bill.total
    for name in bill.models_unpriced:
        output.print_text(f"no price is known for {name or 'calls without a model name'}: its cost is unknown, not 0")
    rows, more = bill.rows, 0
    if sys.stdout.isatty() and len(rows) > MOST_ROWS and bill.by not in TIMES:
        rows, more = rows[:MOST_ROWS], len(rows) - MOST_ROWS
    own: list[list[str]] = [[] for _ in bill.rows]
    if amounts:
        own = [[amounts.show(one, row.basis)] for one, row in zip(amounts.of_rows, bill.rows, strict=True)]
    whole = [amounts.show(amounts.of_total, total.basis)] if amounts else []
    columns = [
        *by.split(","),
        "calls",
        "prompt",
        "cached",
        "completion",
        "cost",
        "share",
        "basis",
        *([amounts.name] if amounts else []),
    ]
    output.print_table(
        columns,
        [[*_row(row, total), *extra] for row, extra in zip(rows, own, strict=False)],
        left=by.count(",") + 1,
        footer=[*_row(total, total)[:1], *[""] * by.count(","), *_row(total, total)[1:], *whole],
    )
    if more:
        click.echo(f"... and {number_of(more, 'more row')}; --json and --csv have all")
    for note in notes(total, from_logs=from_logs):
        output.print_text(note)
    if (reports := bill.usage_reports) is not None:
        output.print_text(
            f"beside it, not in it: the provider's usage reports say {number_of(reports.calls, 'call')}, "
            f"{output.dollars(reports.cost_usd)} (they count the same calls)"
        )


MOST_DOUBTS = 6


def print_doubts(doubts: "Sequence[Doubt]", basis: Basis) -> None:
    """Why figures are not exact; what `notes` says of a lower bound is not said again."""
    from modicum.insights.doubts import LOGGED_EARLY

    shown = [doubt for doubt in doubts if doubt.reason != LOGGED_EARLY or basis is not Basis.LOWER_BOUND]
    for doubt in shown[:MOST_DOUBTS]:
        models = f" of {', '.join(map(str, doubt.models))}" if doubt.models else ""
        output.print_text(f"not exact, {number_of(doubt.calls, 'call')}{models}: {doubt.reason}")
    if len(shown) > MOST_DOUBTS:
        output.print_text(f"... and {number_of(len(shown) - MOST_DOUBTS, 'more reason')}; --json has all")


def _row(line: "BillLine", total: "BillLine") -> list[str]:
    return [
        *map(shown_name, line.names or (line.name,)),
        output.count(line.calls),
        output.count(line.prompt_tokens),
        output.share(line.usage.cache_read, line.prompt_tokens),
        output.count(line.completion_tokens),
        _MARKS.get(line.basis, "") + output.dollars(line.cost_usd),
        output.share(line.cost_usd, total.cost_usd or 0),
        line.basis.value,
    ]


def notes(total: "BillLine", *, from_logs: bool) -> list[str]:
    """What a reader must know about the figures above."""
    found = []
    if total.calls_unpriced:
        found.append(unpriced_note(total.calls_unpriced))
    if total.calls_without_usage:
        found.append(
            f"{number_of(total.calls_without_usage, 'call')} came without a count of tokens: what "
            f"{noun_for(total.calls_without_usage, 'it', 'they')} cost is not known, and is in no sum"
        )
    if total.calls_in_progress_rows:
        found.append(
            f"{total.calls_in_progress_rows:,} of the calls stand only in progress rows of subagents; "
            "readers that pass these over show less"
        )
    if total.basis is Basis.LOWER_BOUND:
        if total.completion_tokens_estimated is not None:
            found.append(
                f"completion tokens were logged before they were final: at least {total.completion_tokens:,} "
                f"logged, about {total.completion_tokens_estimated:,} by our count of the content "
                f"(~ {output.dollars_of(total.cost_usd_of_estimated_output)} instead of "
                f"{output.dollars(total.cost_usd_by_bucket['output_visible'])})"
            )
        else:
            found.append(
                "completion tokens were logged before they were final, so the cost is a lower bound"
                + ("; 'modicum import' also counts the content" if from_logs else "")
            )
    if total.latency is not None:
        speed = total.latency.output_tokens_per_second
        found.append(
            f"first token after {total.latency.first_token_seconds:.2f} s on average"
            + (f", then {speed:,.0f} tokens a second" if speed else "")
            + f" ({output.number_of(total.latency.calls, 'call')} with the times)"
        )
    return found
