"""`modicum forecast`: what this month will come to, with its interval."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import click

from modicum.calls import UserError
from modicum.cli import shared_options as shared
from modicum.cli.inputs.ledger_months import no_calls_of
from modicum.cli.terminal import output
from modicum.insights.dimensions import BILL, NOT_OF_CALLS, TIMES, parse_dimension, shown_name
from modicum.insights.scoping.persons import persons_note
from modicum.library import resources
from modicum.library.shown_figures import person_rule
from modicum.settings import read_settings, user_zone

COLUMNS = ("name", "spent_usd", "expected_usd", "low_usd", "high_usd", "naive_usd", "calls_unpriced", "why_not")


@dataclass(frozen=True, kw_only=True)
class ForecastOptions(shared.LedgerOptions):
    by: str
    on: str | None
    timezone: str | None
    as_csv: bool
    as_json: bool


@click.command()
@click.option("--by", default="team", show_default=True, metavar="WHAT", help="By team, app, key, model, tag:client.")
@click.option("--on", metavar="DAY", help="As it would have been made on that day, 2026-11-10. Default: today.")
@shared.timezone_option
@shared.csv_option
@shared.json_option
@shared.ledger_option
@shared.pass_options(ForecastOptions)
def command(options: ForecastOptions) -> None:
    """Show what this month will come to at its end, with the interval in which nine months of ten end.

    \b
    Examples:
      modicum forecast
      modicum forecast --by tag:client --csv
      modicum forecast --on 2026-11-10
    """
    from modicum.reports.forecast.forecast_document import HISTORY_DAYS, forecast_document

    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone).zone
    accepted = [name for name in BILL if name not in {*NOT_OF_CALLS, *TIMES}]
    dimension = parse_dimension("forecast", options.by, accepted)
    persons = person_rule(settings)
    today = _parse_day(options.on) if options.on else datetime.now(UTC).astimezone(zone).date()
    with resources.open_ledger(options.ledger_url, settings) as store:
        document = forecast_document(store.ask, dimension, zone, today, persons)
        if document is None:
            time = f"of the {HISTORY_DAYS} days and more before {today}"
            raise no_calls_of(
                store, time, zone, "it goes by days that are over: ask again later, or name a day as --on {last}-28"
            )
    if options.as_json:
        output.print_json(document)
    elif options.as_csv:
        rows = [[document["month"], *(row[name] for name in COLUMNS)] for row in document["rows"]]
        output.print_csv(["month", *COLUMNS], [["" if cell is None else cell for cell in row] for row in rows])
    else:
        _print(document)
        if note := persons_note([dimension[0]], persons, (str(row["name"]) for row in document["rows"])):
            output.print_text(note)


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"--on {text:.40}: write a day, as 2026-11-10") from None


def _print(document: dict[str, Any]) -> None:
    def cells(row: dict[str, Any], name: str) -> list[str]:
        if row["expected_usd"] is None:
            return [name, output.dollars_of(row["spent_usd"]), row["why_not"], "", ""]
        amounts = ("spent_usd", "expected_usd", "low_usd", "high_usd")
        return [name, *(output.dollars_of(row[column]) for column in amounts)]

    total = document["total"]
    output.print_table(
        [document["by"], "so far", "at month's end", "low", "high"],
        [cells(row, shown_name(row["name"])) for row in document["rows"]],
        title=f"{document['month']}, {total['days_left']} days left, days in {document['timezone']}",
        footer=cells(total, "total"),
    )
    output.print_text(
        "so far: the days that are over. The rest by level and day of the week; within low and high nine months of ten "
        "are to end"
    )
    if unpriced := total["calls_unpriced"]:
        output.print_text(f"{output.number_of(unpriced, 'call')} of unknown cost in no day")
