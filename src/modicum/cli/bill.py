"""`modicum bill`: shows what was spent, from logs or from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from modicum.calls import BUCKETS, Basis, Problem, UserError
from modicum.cli import shared_options as shared
from modicum.cli.inputs import resources
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options, choose_for_questions, choose_from
from modicum.cli.inputs.log_reading import NO_CALLS, no_calls_in, print_problems, read_logs
from modicum.cli.terminal import output
from modicum.insights.dimensions import BILL, OF_AGENTS, TIMES, WORK, parse_dimensions
from modicum.insights.scoping.time_span import bounds_or_none
from modicum.settings import Settings, UserZone, read_settings, state_folder, user_zone

if TYPE_CHECKING:
    from datetime import datetime

    from modicum.calls import EnergyWindow
    from modicum.experiments.savings import Saving
    from modicum.insights.bill import Bill, BillLine, Cell
    from modicum.insights.doubts import Doubt
    from modicum.insights.energy_consumption import EnergyTotals
    from modicum.insights.scoping.call_choice import Condition
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook

MOST_ROWS = 25


@dataclass(frozen=True, kw_only=True)
class BillOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    by: tuple[str, ...]
    timezone: str | None
    found: bool
    counting: bool
    as_csv: bool


@click.command()
@click.option(
    "--by",
    multiple=True,
    default=("model",),
    metavar="WHAT",
    help=f"Group by {', '.join(BILL)}; several at once with commas. Default: model.",
)
@shared.span_options()
@choice_options
@shared.timezone_option
@shared.found_option
@click.option(
    "--counting", is_flag=True, help="Count Claude Code logs in the ways of other tools, to compare their figures."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
@shared.log_options
@shared.pass_options(BillOptions)
def command(options: BillOptions) -> None:
    """Show what was spent, by model or by another dimension.

    With PATHS the bill is made from those logs; without PATHS, from the ledger.

    \b
    Examples:
      modicum bill ~/.claude/projects
      modicum bill --by day --since 7d
      modicum bill ~/.claude/projects --counting
      modicum bill exports/*.jsonl --by project --json
      modicum bill --by team,month --model 'claude-*'
      modicum bill --by app --where team=search --where tier=batch --csv
    """
    if options.as_csv and options.as_json:
        raise UserError("--csv and --json are two ways to print the same; choose one")
    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone)
    dimensions = parse_dimensions("bill", options.by, BILL)
    scope = _BillScope(dimensions, ",".join(options.by), zone, options.span(zone.zone), options.conditions())
    paths = options.paths
    problems: list[Problem] = []
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs

        paths = (*paths, *find_logs())
    if options.counting:
        from modicum.cli.claude_code_counting import print_counting

        print_counting(paths, resources.load_prices(options.price_path, settings), options)
    elif scope.dimensions[0][0] == "tool":
        _bill_by_tool(paths, scope, settings, options, problems)
    else:
        _bill_by_dimension(paths, scope, settings, options, problems)


def _days_note(options: BillOptions, scope: "_BillScope") -> str:
    """In which zone days were cut, where any were."""
    zone = scope.zone
    if any(by in TIMES for by, _ in scope.dimensions):
        return f"days begin at midnight in {zone.name} ({zone.origin})"
    if options.since or options.until:
        return f"the time was cut in {zone.name} ({zone.origin})"
    return ""


class _BillScope(NamedTuple):
    """Which part of history is billed, and by what."""

    dimensions: tuple[tuple[str, str], ...]
    """Each with its tag, where it is `tag`."""
    typed: str
    """The same as it was typed."""
    zone: UserZone
    """In which days begin."""
    span: "tuple[datetime, datetime]"
    conditions: "Sequence[Condition]"

    @property
    def names_and_tags(self) -> tuple[list[str], list[str]]:
        """As questions take them."""
        return [by for by, _ in self.dimensions], [tag for _, tag in self.dimensions]

    @property
    def is_of_agents(self) -> bool:
        """Whether logs have to be read with their content for it."""
        tags = {tag for _, tag in self.dimensions} | {one.tag for one in self.conditions}
        return not tags.isdisjoint(OF_AGENTS)


def _bill_by_dimension(
    paths: Sequence[Path], scope: _BillScope, settings: Settings, options: BillOptions, problems: list[Problem]
) -> None:
    from modicum.insights.bill import bill_document, build
    from modicum.insights.doubts import find_doubts
    from modicum.insights.subscriptions import compare_with_fees

    prices = resources.load_prices(options.price_path, settings)
    if paths:
        source = _cells_from_logs(paths, scope, prices, options.source, problems)
    else:
        source = _cells_from_ledger(scope, settings, options.ledger_url)
    cells, energy, savings = source.cells, source.energy, source.savings
    bill = build(cells, scope.names_and_tags[0])
    doubts = find_doubts(source.doubts, prices)
    fees = compare_with_fees(prices.price_file.subscriptions, source.months) if prices.price_file else []
    if options.as_json:
        output.print_json(
            bill_document(bill, scope.typed, scope.zone.name, *bounds_or_none(scope.span), problems)
            | {"energy_kwh": energy, "subscriptions": fees, "doubts": doubts, "trials": _savings_document(savings)}
        )
    elif options.as_csv:
        print_csv(bill, scope.typed)
    elif not cells:
        click.echo(NO_CALLS)
    else:
        print_bill(bill, scope.typed, bool(paths))
        print_doubts(doubts, bill.total.basis)
        if note := _days_note(options, scope):
            output.print_text(note)
        if any(tag == WORK for _, tag in scope.dimensions):
            from modicum.importers.claude_code.attribution import WORK_RULE

            output.print_text(WORK_RULE)
        if energy is not None:
            output.print_text(energy_note(energy))
        for fee in fees:
            output.print_text(
                f"{fee.name}: {output.dollars(fee.paid_usd)} for {fee.months} months covered {fee.calls:,} calls "
                f"of {fee.source} (list price {output.dollars(fee.list_cost_usd)})"
            )
        _print_savings(savings)
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _bill_by_tool(
    paths: Sequence[Path],
    scope: _BillScope,
    settings: Settings,
    options: shared.LogOptions,
    problems: list[Problem],
) -> None:
    """Calls belong to no tool, but what they carry does: this is the anatomy by tool."""
    from modicum.cli.anatomy import open_ledger_or_logs, print_report
    from modicum.insights.rent import compute_rent

    with (
        open_ledger_or_logs(paths, options, settings, problems) as whole,
        choose_from(whole, scope.conditions, scope.zone.zone) as store,
    ):
        found = compute_rent(store, "tool", *scope.span)
    print_report(found, problems, options)


class _BillSource(NamedTuple):
    """What a bill is made of."""

    cells: "list[Cell]"
    months: "list[Cell]"
    doubts: "list[Cell]"
    """Of what is not exact."""
    energy: "EnergyTotals | None" = None
    savings: "Sequence[Saving]" = ()
    """Of experiments that ran in that time."""


def _savings_document(savings: "Sequence[Saving]") -> dict[str, object] | None:
    if not savings:
        return None
    from modicum.cli.experiments.savings import savings_document

    return savings_document(savings)


def _print_savings(savings: "Sequence[Saving]") -> None:
    """Two columns that are never added up, and in no sum of the bill: it is of what was spent."""
    if not savings:
        return
    from modicum.cli.experiments.savings import print_savings

    click.echo("\nchanges on trial in that time, each over all of its tasks; none of it is in the sums above:")
    print_savings(savings)


def _cells_from_logs(
    paths: Sequence[Path], scope: _BillScope, prices: "PriceBook", source: str | None, problems: list[Problem]
) -> _BillSource:
    from modicum.cli.import_logs import make_reading
    from modicum.importers.format import Reading
    from modicum.insights.bill import make_cells
    from modicum.insights.doubts import make_doubt_cells
    from modicum.insights.scoping.call_choice import choose_entries
    from modicum.insights.subscriptions import sum_by_month
    from modicum.ledger.booking import book_all, newest

    zone = scope.zone.zone
    # Priced as they come: while other processes still read.
    reading = make_reading(anatomy=True) if scope.is_of_agents else Reading()
    found = list(newest(book_all(read_logs(paths, reading, source, problems), prices)))
    if not found:
        raise no_calls_in(problems)
    since, until = scope.span
    entries = [entry for entry in found if since <= entry.call.started < until]
    if entries:
        entries = list(choose_entries(entries, scope.conditions, zone))
    prices.save()
    months = sum_by_month(entries, zone) if prices.price_file else []
    cells = make_cells(entries, *scope.names_and_tags, zone)
    return _BillSource(list(cells), list(months), list(make_doubt_cells(entries)))


def _cells_from_ledger(scope: _BillScope, settings: Settings, url: str | None) -> _BillSource:
    since, until = scope.span
    from modicum.ledger.records import ENERGY_WINDOWS  # a bill from logs opens no ledger

    zone = scope.zone
    by, tag = scope.names_and_tags
    with (
        resources.open_ledger(url, settings) as whole,
        choose_for_questions(whole, scope.conditions, zone.zone) as (store, where),
    ):
        calls = {"zone": zone.name, "since": since, "until": until, "where": where}
        rows = store.ask("bill", by=by, tag=tag, **calls)
        windows = store.records(ENERGY_WINDOWS, since, until)
        if not rows:
            raise UserError(
                f"the ledger {store.place} holds no calls in that time{_describe_energy(windows)}; fill it with "
                "'modicum import PATH...', or give the logs: 'modicum bill PATH...'"
            )
        months = store.ask("months", **calls)
        doubts = store.ask("doubts", **calls)
        savings = _read_savings(store, scope.span)
    energy = None
    if windows:
        from modicum.insights.energy_consumption import sum_energy

        energy = sum_energy(windows)
    return _BillSource(list(rows), list(months), list(doubts), energy, savings)


def _read_savings(store: "Store", span: "tuple[datetime, datetime]") -> "Sequence[Saving]":
    """Most have no experiment, and need not wait for what reads them."""
    if not (state_folder() / "events.sqlite").exists():
        return ()
    from modicum.cli.experiments.savings import read_savings

    return read_savings(store, span)


def _describe_energy(windows: "Sequence[EnergyWindow]") -> str:
    """What there is where no call is."""
    from modicum.insights.energy_consumption import sum_energy

    energy = sum_energy(windows) if windows else None
    return "" if energy is None else f", only energy ({energy_note(energy)})"


def energy_note(energy: "EnergyTotals") -> str:
    """What the watched servers drew, in a sentence."""
    about = "" if energy.basis is Basis.EXACT else "about "
    idle = {Basis.LOWER_BOUND: "at least ", Basis.ESTIMATED: "about "}.get(energy.idle_basis, "")
    left_out = f"; {energy.windows_overlapping:,} windows of a second watch left out" * bool(energy.windows_overlapping)
    return (
        f"watched servers drew {about}{energy.measured:,.4g} kWh in {energy.seconds / 3600:,.2f} h of this time "
        f"(their GPUs): {energy.busy:,.4g} kWh at work, {idle}{energy.idle:,.4g} kWh idle{left_out}"
    )


def print_csv(bill: "Bill", by: str) -> None:
    columns = [
        *by.split(","),
        "calls",
        *BUCKETS,
        "prompt_tokens",
        "completion_tokens",
        "cost_usd",
        "basis",
        "calls_unpriced",
    ]
    columns.append("calls_without_usage")
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
        ]
        for row in bill.rows
    ]
    output.print_csv(columns, rows)


def print_bill(bill: "Bill", by: str, from_logs: bool) -> None:
    import sys

    total = bill.total
    for name in bill.models_unpriced:
        output.print_text(f"no price is known for {name or 'calls without a model name'}: its cost is unknown, not 0")
    rows, more = bill.rows, 0
    if sys.stdout.isatty() and len(rows) > MOST_ROWS and bill.by not in TIMES:
        rows, more = rows[:MOST_ROWS], len(rows) - MOST_ROWS
    columns = [*by.split(","), "calls", "prompt", "cached", "completion", "cost", "share", "basis"]
    output.print_table(
        columns,
        [_row(row, total) for row in rows],
        left=by.count(",") + 1,
        footer=[*_row(total, total)[:1], *[""] * by.count(","), *_row(total, total)[1:]],
    )
    if more:
        click.echo(f"... and {more} more rows; --json and --csv have all")
    for note in notes(total, from_logs=from_logs):
        output.print_text(note)
    if (reports := bill.usage_reports) is not None:
        output.print_text(
            f"beside it, not in it: the provider's usage reports say {reports.calls:,} calls, "
            f"{output.dollars(reports.cost_usd)} (they count the same calls)"
        )


MOST_DOUBTS = 6


def print_doubts(doubts: "Sequence[Doubt]", basis: Basis) -> None:
    """Why figures are not exact; what `notes` says of a lower bound is not said again."""
    from modicum.insights.doubts import LOGGED_EARLY

    shown = [doubt for doubt in doubts if doubt.reason != LOGGED_EARLY or basis is not Basis.LOWER_BOUND]
    for doubt in shown[:MOST_DOUBTS]:
        models = f" of {', '.join(map(str, doubt.models))}" if doubt.models else ""
        calls = "1 call" if doubt.calls == 1 else f"{doubt.calls:,} calls"
        output.print_text(f"not exact, {calls}{models}: {doubt.reason}")
    if len(shown) > MOST_DOUBTS:
        output.print_text(f"... and {len(shown) - MOST_DOUBTS} more reasons; --json has all")


def _row(line: "BillLine", total: "BillLine") -> list[str]:
    cost = output.dollars(line.cost_usd)
    if line.basis is Basis.LOWER_BOUND:
        cost = f">= {cost}"
    elif line.basis is Basis.ESTIMATED:
        cost = f"~ {cost}"
    return [
        *(name or "(none)" for name in line.names or (line.name,)),
        output.count(line.calls),
        output.count(line.prompt_tokens),
        output.share(line.usage.cache_read, line.prompt_tokens),
        output.count(line.completion_tokens),
        cost,
        output.share(line.cost_usd, total.cost_usd or 0),
        line.basis.value,
    ]


def notes(total: "BillLine", *, from_logs: bool) -> list[str]:
    """What a reader must know about the figures above."""
    found = []
    if total.calls_unpriced:
        found.append(f"{total.calls_unpriced:,} calls have no known price and are in no sum")
    if total.calls_without_usage:
        found.append(
            f"{total.calls_without_usage:,} calls came without their usage: what they cost is not known, and they are "
            "in no sum"
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
            + (f", then {speed:.0f} tokens a second" if speed else "")
            + f" ({total.latency.calls:,} calls that have the times)"
        )
    return found
