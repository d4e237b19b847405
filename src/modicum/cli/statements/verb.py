"""`modicum statement`: what each team, client or app owes for a month."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.cli import shared_options as shared
from modicum.cli.inputs.ledger_months import no_calls_of
from modicum.cli.terminal import output
from modicum.cli.terminal.page_file import check_page_place, write_page
from modicum.insights.scoping.months import Month, month_before, month_of, parse_month
from modicum.insights.scoping.persons import persons_note
from modicum.library import resources
from modicum.library.shown_figures import currency_of, person_rule
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class StatementOptions(shared.LedgerOptions):
    month: str | None
    by: str | None
    timezone: str | None
    currency: str | None
    html_path: Path | None
    price_path: Path | None
    as_csv: bool
    as_json: bool


@click.command()
@click.option("--month", metavar="YYYY-MM", help="Which month. Default: the last one that is over.")
@click.option(
    "--by", metavar="WHAT", help="Among whom: team, app, key, project, tag:client, or two. Default: [showback]."
)
@shared.timezone_option
@click.option("--currency", metavar="NAME=RATE", help="Another currency too, as for 'modicum bill'.")
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a page that prints; - prints it.",
)
@shared.csv_option
@shared.json_option
@shared.ledger_option
@shared.prices_option
@shared.pass_options(StatementOptions)
def command(options: StatementOptions) -> None:
    """Show what each owes for a month: use, subscriptions and shared costs, by the rules of [showback].

    \b
    Examples:
      modicum statement --month 2026-11
      modicum statement --by tag:client --html november.html
      modicum statement --by team,app --csv
    """
    check_page_place(options.html_path, prints_rows=options.as_json or options.as_csv)
    document = _read(options)
    if options.html_path:
        from modicum.reports.showback.statement_page import render_statement_page

        write_page(render_statement_page(document), options.html_path)
    if options.as_json:
        output.print_json(document)
    elif options.as_csv:
        _print_csv(document)
    elif not options.html_path:
        _print(document)


def _read(options: StatementOptions) -> dict[str, Any]:
    from modicum.reports.showback.month_statement import month_statement
    from modicum.settings.showing.showback import parse_showback, showback_rules_of

    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone).zone
    dimensions = parse_showback(options.by or settings.showback.by)
    persons, rules = person_rule(settings), showback_rules_of(settings.showback)
    own = resources.load_prices(options.price_path, settings).price_file
    fees = own.subscriptions if own is not None else []
    with resources.open_ledger(options.ledger_url, settings) as store:
        month = _month(options, zone)
        currency = currency_of(settings, options.currency)
        document = month_statement(store.ask, month, dimensions, zone, rules, fees, persons, currency)
        if document is None:
            time = f"of {month.first:%Y-%m}"
            raise no_calls_of(store, time, zone, "name a month that has some, as --month {last}")
    if note := persons_note([by for by, _ in dimensions], persons):
        document["rules"].append(note)
    return document


def _month(options: StatementOptions, zone: "ZoneInfo") -> Month:
    if options.month is not None:
        return parse_month(options.month, zone)
    return month_of(month_before(datetime.now(UTC).astimezone(zone).date()), zone)


_COLUMNS = ("name", "code", "calls", "tokens", "list_usd", "metered_usd", "subscription_usd", "shared_usd", "total_usd")


def _print_csv(document: dict[str, Any]) -> None:
    currency = document.get("currency")
    columns = ["month", *_COLUMNS, "basis", "calls_unpriced", *([currency["name"]] if currency else [])]
    rows = [
        [document["month"], *(row[name] for name in _COLUMNS), str(row["basis"]), row["calls_unpriced"]]
        + ([row["amount"]] if currency else [])
        for row in document["rows"]
    ]
    output.print_csv(columns, rows)


def _print(document: dict[str, Any]) -> None:
    from modicum.reports.showback.statement_page import shown_payer

    currency = document.get("currency")
    has_codes = any(row["code"] for row in document["rows"])

    def cells(row: dict[str, Any], name: str) -> list[str]:
        found = [name, *([row["code"]] if has_codes else []), output.count(row["calls"])]
        found += [output.dollars(row[column]) for column in _COLUMNS[4:]]
        return found + ([_amount(row["amount"])] if currency else [])

    head = [document["by"], *(["code"] if has_codes else []), "calls", "at list", "by use", "subscription", "shared"]
    output.print_table(
        [*head, "total", *([currency["name"]] if currency else [])],
        [cells(row, shown_payer(row["name"])) for row in document["rows"]],
        title=f"statement of {document['month']}, days in {document['timezone']}",
        left=1 + has_codes,
        footer=cells(document["total"], "total"),
        least_valued=("calls", "at list"),
    )
    if unpriced := document["total"]["calls_unpriced"]:
        output.print_text(f"{output.number_of(unpriced, 'call')} of unknown cost in no sum")
    for rule in document["rules"]:
        output.print_text(rule)
    if currency:
        output.print_text(currency["rule"])


def _amount(amount: Any) -> str:
    return "no rate" if amount is None else f"{amount:,.2f}"
