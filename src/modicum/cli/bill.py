"""`modicum bill`: shows what was spent, from logs or from the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from modicum.calls import Problem, UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.ledger_months import FILL, no_calls_of
from modicum.cli.inputs.log_reading import NO_CALLS, no_calls_in, print_problems, read_logs
from modicum.cli.terminal import output
from modicum.cli.terminal.bill_tables import CurrencyAmounts, energy_note, print_bill, print_csv, print_doubts
from modicum.cli.terminal.page_file import check_page_place, write_page
from modicum.insights.dimensions import BILL, NOT_OF_CALLS, OF_AGENTS, TIMES, WORK, parse_dimensions
from modicum.insights.scoping.persons import group_persons, persons_note
from modicum.insights.scoping.time_span import bounds_or_none
from modicum.library import resources
from modicum.library.choosing import choose_for_questions, choose_from
from modicum.library.shown_figures import currency_of, person_rule
from modicum.settings import Settings, UserZone, read_settings, state_folder, user_zone

if TYPE_CHECKING:
    from datetime import datetime

    from modicum.calls import Call, EnergyWindow
    from modicum.experiments.savings import Saving
    from modicum.insights.bill import Bill, Cell
    from modicum.insights.energy_consumption import EnergyTotals
    from modicum.insights.money.currency import Currency
    from modicum.insights.scoping.call_choice import Condition
    from modicum.insights.scoping.persons import PersonRule
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook


@dataclass(frozen=True, kw_only=True)
class BillOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    by: tuple[str, ...]
    timezone: str | None
    found: bool
    counting: bool
    as_csv: bool
    prices_of: str | None
    currency: str | None
    html_path: Path | None


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
@click.option(
    "--currency",
    metavar="NAME=RATE",
    help="Show amounts in another currency too: EUR=0.92 is what a dollar is. Default: [currency] of modicum.toml.",
)
@shared.csv_option
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a page with a chart; - prints it.",
)
@shared.prices_of_option
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
    check_page_place(options.html_path, prints_rows=options.as_json or options.as_csv)
    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone)
    dimensions = parse_dimensions("bill", options.by, BILL)
    scope = _BillScope(
        dimensions,
        ",".join(options.by),
        zone,
        options.span(zone.zone),
        options.conditions(),
        person_rule(settings),
        currency_of(settings, options.currency),
    )
    if options.currency and scope.currency and dimensions[0][0] in NOT_OF_CALLS:
        raise UserError(f"--currency goes with dimensions of calls, and '{dimensions[0][0]}' is none; leave it out")
    _check_form(options, dimensions[0][0])
    paths = options.paths
    problems: list[Problem] = []
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs

        paths = (*paths, *find_logs())
    if options.counting:
        if options.prices_of:
            raise UserError("--counting compares figures of other tools: it takes no --prices-of")
        from modicum.cli.claude_code_counting import print_counting

        print_counting(paths, resources.load_prices(options.price_path, settings), options)
    elif scope.dimensions[0][0] == "tool":
        _bill_by_tool(paths, scope, settings, options, problems)
    else:
        _bill_by_dimension(paths, scope, settings, options, problems)


def _check_form(options: BillOptions, by: str) -> None:
    """Refuses a form that the figures that were asked for do not have, rather than to leave it out.

    Raises:
        UserError: there is no such form of them.
    """
    what = "--counting" if options.counting else "--by tool" if by == "tool" else ""
    form = "--html" if options.html_path else "--csv" if options.as_csv else ""
    if what and form:
        instead = "; 'modicum anatomy --by tool --csv' has the rows" if what == "--by tool" else ""
        raise UserError(f"{what} has no {form}: leave it out{instead}")


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
    persons: "PersonRule"
    """Who is shown by name."""
    currency: "Currency | None" = None
    """Beside dollars."""

    @property
    def by_day(self) -> tuple[list[str], list[str]]:
        """As questions take them, with the day as one more: for rates of a day."""
        names, tags = self.names_and_tags
        return [*names, "day"], [*tags, ""]

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

    prices = _load_prices(options, settings, scope.zone)
    if paths:
        source = _cells_from_logs(paths, scope, prices, options, problems)
    else:
        source = _cells_from_ledger(scope, settings, options.ledger_url, prices)
    names = scope.names_and_tags[0]
    bill = build(group_persons(source.cells, names, scope.persons), names)
    amounts = _convert(bill, source.dated, scope)
    doubts = find_doubts(source.doubts, prices)
    fees = compare_with_fees(prices.price_file.subscriptions, source.months) if prices.price_file else []
    document = bill_document(bill, scope.typed, scope.zone.name, *bounds_or_none(scope.span), problems)
    document |= {"energy_kwh": source.energy, "subscriptions": fees, "doubts": doubts}
    document |= {"trials": _savings_document(source.savings), "prices_of": options.prices_of}
    if amounts is not None:
        document["currency"] = amounts.document()
    if options.html_path:
        from modicum.reports.bill_page import render_bill_page

        write_page(render_bill_page(document), options.html_path)
    if options.as_json:
        output.print_json(document)
    elif options.as_csv:
        print_csv(bill, scope.typed, amounts)
    elif not options.html_path and not source.cells:
        click.echo(NO_CALLS)
    elif not options.html_path:
        print_bill(bill, scope.typed, from_logs=bool(paths), amounts=amounts)
        print_doubts(doubts, bill.total.basis)
        _print_notes(options, scope, source)
        for fee in fees:
            output.print_text(
                f"{fee.name}: {output.dollars(fee.paid_usd)} for {number_of(fee.months, 'month')} covered "
                f"{number_of(fee.calls, 'call')} of {fee.source} (list price {output.dollars(fee.list_cost_usd)})"
            )
        _print_savings(source.savings)
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _convert(bill: "Bill", dated: "Sequence[Cell]", scope: _BillScope) -> "CurrencyAmounts | None":
    """What the bill is in another currency; None: none was wanted."""
    if scope.currency is None or scope.dimensions[0][0] in NOT_OF_CALLS:
        return None  # what divides the inside of calls has no amounts of its own
    from modicum.insights.bill import build
    from modicum.insights.money.currency import amount_of, convert_cells

    names = scope.names_and_tags[0]
    other = build(group_persons(convert_cells(dated, scope.currency), names, scope.persons), names)
    lines = {(line.name, line.names): line for line in other.rows}
    rows = [amount_of(line, lines[line.name, line.names]) for line in bill.rows]
    return CurrencyAmounts(scope.currency.name, scope.currency.rates, rows, amount_of(bill.total, other.total))


def _print_notes(options: BillOptions, scope: _BillScope, source: "_BillSource") -> None:
    """What a reader must know about how calls were chosen and grouped."""
    if options.prices_of:
        output.print_text(f"all at the prices of {options.prices_of}; what is booked stays as it is")
    if note := _days_note(options, scope):
        output.print_text(note)
    if note := persons_note(scope.names_and_tags[0], scope.persons, (str(cell["name"]) for cell in source.cells)):
        output.print_text(note)
    if any(tag == WORK for _, tag in scope.dimensions):
        from modicum.importers.claude_code.attribution import WORK_RULE

        output.print_text(WORK_RULE)
    if source.energy is not None:
        output.print_text(energy_note(source.energy))


def _load_prices(options: BillOptions, settings: Settings, zone: UserZone) -> "PriceBook":
    prices = resources.load_prices(options.price_path, settings)
    if not options.prices_of:
        return prices
    from modicum.library.other_prices import other_prices

    return other_prices(options.prices_of, prices, zone.zone)


def _bill_by_tool(
    paths: Sequence[Path],
    scope: _BillScope,
    settings: Settings,
    options: BillOptions,
    problems: list[Problem],
) -> None:
    """Calls belong to no tool, but what they carry does: this is the anatomy by tool."""
    from modicum.cli.anatomy import open_ledger_or_logs, print_report
    from modicum.insights.rent import compute_rent
    from modicum.library.other_prices import at_prices_of

    prices = _load_prices(options, settings, scope.zone)
    with (
        open_ledger_or_logs(paths, options, settings, problems) as booked,
        at_prices_of(booked, prices) as whole,
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
    dated: "Sequence[Cell]" = ()
    """The cells by day, for rates of another currency."""


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
    paths: Sequence[Path], scope: _BillScope, prices: "PriceBook", options: BillOptions, problems: list[Problem]
) -> _BillSource:
    from modicum.importers.format import Reading
    from modicum.insights.bill import make_cells
    from modicum.insights.doubts import make_doubt_cells
    from modicum.insights.scoping.call_choice import choose_entries
    from modicum.insights.subscriptions import sum_by_month
    from modicum.ledger.booking import book_all, newest
    from modicum.library.call_booking import make_reading

    zone = scope.zone.zone
    # Priced as they come: while other processes still read.
    reading = make_reading(anatomy=True) if scope.is_of_agents else Reading()
    calls: Iterable[Call] = read_logs(paths, reading, options.source, problems)
    if options.prices_of:
        from modicum.library.other_prices import without_provider_cost

        calls = map(without_provider_cost, calls)
    found = list(newest(book_all(calls, prices)))
    if not found:
        raise no_calls_in(problems)
    since, until = scope.span
    entries = [entry for entry in found if since <= entry.call.started < until]
    if entries:
        entries = list(choose_entries(entries, scope.conditions, zone))
    prices.save()
    months = sum_by_month(entries, zone) if prices.price_file else []
    cells = make_cells(entries, *scope.names_and_tags, zone)
    dated = make_cells(entries, *scope.by_day, zone) if scope.currency else []
    return _BillSource(list(cells), list(months), list(make_doubt_cells(entries)), dated=dated)


def _cells_from_ledger(scope: _BillScope, settings: Settings, url: str | None, prices: "PriceBook") -> _BillSource:
    since, until = scope.span
    from modicum.ledger.records import ENERGY_WINDOWS  # a bill from logs opens no ledger
    from modicum.library.other_prices import at_prices_of

    zone = scope.zone
    by, tag = scope.names_and_tags
    with (
        resources.open_ledger(url, settings) as booked,
        at_prices_of(booked, prices) as whole,
        choose_for_questions(whole, scope.conditions, zone.zone) as (store, where),
    ):
        calls = {"zone": zone.name, "since": since, "until": until, "where": where}
        rows = store.ask("bill", by=by, tag=tag, **calls)
        dated = store.ask("bill", by=scope.by_day[0], tag=scope.by_day[1], **calls) if scope.currency else []
        windows = [] if scope.conditions else store.records(ENERGY_WINDOWS, since, until)
        if not rows:
            time = f"in that time{_describe_energy(windows)}"
            fill = f"{FILL}, or give the logs: 'modicum bill PATH...'"
            raise no_calls_of(booked, time, zone.zone, "name another time or other calls", fill)
        months = store.ask("months", **calls)
        doubts = store.ask("doubts", **calls)
        savings = _read_savings(store, scope.span)
    energy = None
    if windows:
        from modicum.insights.energy_consumption import sum_energy

        energy = sum_energy(windows)
    return _BillSource(list(rows), list(months), list(doubts), energy, savings, dated)


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
