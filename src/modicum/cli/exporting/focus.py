"""`modicum export focus`: rows of the FinOps Open Cost and Usage Specification."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import UserError
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.ledger_months import no_calls_of
from modicum.cli.terminal import output
from modicum.insights.dimensions import OF_AGENTS, TAG, parse_dimension
from modicum.library import resources
from modicum.library.choosing import choose_for_questions
from modicum.library.file_permissions import shared_files
from modicum.reports.focus.columns import COLUMNS, Row
from modicum.settings import read_settings, state_folder

if TYPE_CHECKING:
    from modicum.ledger.store import Store
    from modicum.reports.focus.rows import CreditedSaving

TAGS = ("app", "key", "project", "branch", "agent", "source", *OF_AGENTS, TAG)
"""What may be a tag of a row. Persons are not: their figures are theirs."""
USUAL_TAGS = ("app", "key")
SUFFIXES = {".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, kw_only=True)
class FocusOptions(shared.LedgerOptions, shared.SpanOptions, ChoiceOptions):
    version: str
    out: Path | None
    tags: tuple[str, ...]
    account: str
    account_name: str
    corrects: Path | None
    savings: bool
    price_path: Path | None
    as_json: bool


@click.command()
@click.option("--version", type=click.Choice(tuple(COLUMNS)), default="1.2", show_default=True, help="Of FOCUS.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to: a name that ends with .csv or .parquet. Default: CSV is printed.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="WHAT",
    help=f"A tag of each row: {', '.join(TAGS)}; may come again. Default: {', '.join(USUAL_TAGS)}.",
)
@click.option("--account", default="local", show_default=True, help="Your billing account (BillingAccountId).")
@click.option("--account-name", default="Local metering", show_default=True, help="Its name (BillingAccountName).")
@click.option(
    "--corrects",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="An earlier export of the same time (CSV): only rows that correct it are written.",
)
@click.option("--savings", is_flag=True, help="Add what experiments' hold-outs measured, as credits of amount 0.")
@shared.span_options()
@choice_options
@shared.ledger_option
@shared.prices_option
@shared.json_option
@shared.pass_options(FocusOptions)
def command(options: FocusOptions) -> None:
    """Write hourly rows by model, meter, price, team and tags, as FOCUS names them (docs/focus.md).

    Hours and months are UTC, as FOCUS asks. --json prints what was written, and needs --out.

    \b
    Examples:
      modicum export focus --since 2026-11-01 --until 2026-12-01 --out november.csv
      modicum export focus --tag app --tag tag:client --out focus.parquet
      modicum export focus --since 2026-10-01 --until 2026-11-01 --corrects october.csv --out october-2.csv
    """
    if options.out is None and options.as_json:
        raise UserError("--json prints what was written into a file: give --out FILE")
    kind = _kind(options.out)
    rows = _read_rows(options)
    if options.corrects is not None:
        from modicum.reports.focus.corrections import correct
        from modicum.reports.focus.files import read_focus_csv

        rows = correct(read_focus_csv(options.corrects), rows, options.version)
    _write(rows, options, kind)
    summary = _summary(rows, options, kind)
    if options.as_json:
        output.print_json(summary)
    else:
        _print_notes(summary)


def _kind(out: Path | None) -> str:
    if out is None:
        return "csv"
    if out.suffix.lower() not in SUFFIXES:
        raise UserError(f"--out {out}: the name says what is written: end it with .csv or .parquet")
    return SUFFIXES[out.suffix.lower()]


def _read_rows(options: FocusOptions) -> list[Row]:
    from zoneinfo import ZoneInfo

    from modicum.reports.focus.hours import parse_hours
    from modicum.reports.focus.rows import Account, build_rows

    settings = read_settings()
    typed = options.tags or USUAL_TAGS
    dimensions = [parse_dimension("export", one, TAGS) for one in dict.fromkeys(typed)]
    names = [tag or by for by, tag in dimensions]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"--tag: two tags would be called '{doubled[0]}'; leave one out")
    since, until = options.span(ZoneInfo("UTC"))
    with (
        resources.open_ledger(options.ledger_url, settings) as whole,
        choose_for_questions(whole, options.conditions(), ZoneInfo("UTC")) as (store, where),
    ):
        by, tag = [one for one, _ in dimensions], [one for _, one in dimensions]
        found = store.ask("charges_by_hour", by=by, tag=tag, zone="UTC", since=since, until=until, where=where)
        savings = _read_savings(store, options) if options.savings else ()
        if not found:
            raise no_calls_of(whole, "in that time", ZoneInfo("UTC"), "name another time or other calls")
    own = resources.load_prices(options.price_path, settings).price_file
    subscriptions = own.subscriptions if own is not None else ()
    account = Account(options.account, options.account_name)
    return build_rows(parse_hours(found, names), subscriptions, savings, account)


def _read_savings(store: "Store", options: FocusOptions) -> "list[CreditedSaving]":
    """Of experiments that began in that time."""
    from zoneinfo import ZoneInfo

    from modicum.experiments.recorded import read_graded
    from modicum.reports.focus.rows import CreditedSaving

    since, until = options.span(ZoneInfo("UTC"))
    return [
        CreditedSaving(
            one.experiment.name,
            one.experiment.started_at,
            one.saving.measured_usd,
            one.saving.measured_usd_low,
            one.saving.measured_usd_high,
        )
        for one in read_graded(store, state_folder())
        if since <= one.experiment.started_at < until
    ]


def _write(rows: Sequence[Row], options: FocusOptions, kind: str) -> None:
    from modicum.reports.focus.files import write_focus_csv, write_focus_parquet

    if options.out is None:
        write_focus_csv(sys.stdout, rows, options.version)
        return
    try:
        with shared_files():
            if kind == "parquet":
                write_focus_parquet(options.out, rows, options.version)
            else:
                with options.out.open("w", encoding="utf-8", newline="") as stream:
                    write_focus_csv(stream, rows, options.version)
    except OSError as error:
        raise UserError(f"{options.out} cannot be written: {error.strerror}; name another file") from None


def _summary(rows: Sequence[Row], options: FocusOptions, kind: str) -> dict[str, Any]:
    def total(column: str) -> Decimal:
        return sum((row[column] for row in rows), Decimal(0))

    return {
        "version": options.version,
        "format": kind,
        "file": None if options.out is None else str(options.out),
        "rows": len(rows),
        "billed_usd": total("BilledCost"),
        "effective_usd": total("EffectiveCost"),
        "list_usd": total("ListCost"),
        "rows_of_unknown_cost": sum(
            row.get("x_CostBasis") == "unknown" and row["ChargeCategory"] == "Usage" for row in rows
        ),
        "corrections": sum(row.get("ChargeClass") is not None for row in rows),
    }


def _print_notes(summary: dict[str, Any]) -> None:
    place = f" into {summary['file']}" if summary["file"] else ""
    click.echo(
        f"{output.number_of(summary['rows'], 'row')} of FOCUS {summary['version']}{place}: "
        f"{output.dollars(summary['billed_usd'])} billed, {output.dollars(summary['effective_usd'])} effective",
        err=True,
    )
    if unknown := summary["rows_of_unknown_cost"]:
        click.echo(
            f"{output.number_of(unknown, 'row')} of unknown cost: FOCUS has no word for that, so the amounts are 0 and "
            "x_CostBasis is 'unknown'; give these models a price in prices.toml",
            err=True,
        )
