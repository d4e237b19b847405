"""Month: what this month will come to, and what each owes for it or for another one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from modicum.calls import Basis
from modicum.console.asking import Asking
from modicum.console.page import Cell, Content, Page, Table, Tile
from modicum.console.view import View
from modicum.insights.scoping.months import Month, month_before, month_of, next_month, parse_month
from modicum.insights.scoping.persons import PersonRule
from modicum.reports.figures import count, dollars, dollars_of
from modicum.reports.forecast.forecast_document import forecast_document
from modicum.reports.showback.month_statement import month_statement
from modicum.reports.showback.statement_page import shown_payer
from modicum.settings.showing.showback import parse_showback, showback_rules_of

AMOUNTS = ("list_usd", "metered_usd", "subscription_usd", "shared_usd", "total_usd")
EVERYBODY = PersonRule(frozenset(), shows_everyone=True)
"""Who may be seen by name is decided where the ledger is asked."""


def read(asking: Asking, view: View) -> Content:
    """The figures of `modicum statement` and, for the month that is not over, of `modicum forecast`. Where no month is
    named and this one has no calls, the last one that has.

    Raises:
        UserError: the address names no month.
    """
    today = datetime.now(UTC).astimezone(view.zone.zone).date()
    typed = view.word("month")
    month = parse_month(typed, view.zone.zone) if typed else month_of(today, view.zone.zone)
    statement, forecast = _read_statement(asking, view, month), None
    if month == month_of(today, view.zone.zone):
        forecast = _read_forecast(asking, view, today)
    if statement is None and forecast is None and not typed and (last := _last_month(asking, view)):
        return read(asking, msgspec.structs.replace(view, words={**view.words, "month": last}))
    if statement is None and forecast is None:
        return Content(parts={"outcomes": _tabs(view, month, today)}) if typed else Content()
    total = statement["total"] if statement is not None else None
    tiles = (
        [] if total is None else [Tile(label="total", value=dollars(total["total_usd"]), basis=total["basis"].value)]
    )
    tiles += _forecast_tiles(forecast)
    return Content(
        tiles=tiles,
        notes=statement["rules"] if statement is not None else (),
        tables=[
            *([] if statement is None else [_statement_table(statement, month)]),
            *([] if forecast is None else [_forecast_table(forecast)]),
        ],
        parts={"outcomes": _tabs(view, month, today)},
    )


def _last_month(asking: Asking, view: View) -> str:
    """The last month that has calls; empty: there are none."""
    months = [row["month"] for row in asking.rows("months", **view.scope.parameters)]
    return max(months, default="")[: len("2026-11")]


def _read_statement(asking: Asking, view: View, month: Month) -> dict[str, Any] | None:
    settings = asking.settings()
    dimensions, rules = parse_showback(settings.showback.by), showback_rules_of(settings.showback)
    own = asking.sources.prices.price_file
    fees = own.subscriptions if own is not None else []
    return month_statement(asking.rows, month, dimensions, view.zone.zone, rules, fees, EVERYBODY)


def _read_forecast(asking: Asking, view: View, today: date) -> dict[str, Any] | None:
    ((by, tag), *_) = parse_showback(asking.settings().showback.by)
    return forecast_document(asking.rows, (by, tag), view.zone.zone, today, EVERYBODY)


def _forecast_tiles(forecast: dict[str, Any] | None) -> list[Tile]:
    if forecast is None or forecast["total"]["expected_usd"] is None:
        return []
    total = forecast["total"]
    between = f"nine months of ten end between {dollars_of(total['low_usd'])} and {dollars_of(total['high_usd'])}"
    expected = dollars_of(total["expected_usd"])
    return [Tile(label="at the month's end", value=expected, basis=Basis.ESTIMATED.value, note=between)]


def _statement_table(statement: dict[str, Any], month: Month) -> Table:
    rows = [_statement_row(row, shown_payer(row["name"])) for row in statement["rows"]]
    return Table(
        name="statement",
        title=f"Statement of {statement['month']}",
        columns=[statement["by"], "code", "calls", "at list", "by use", "subscription", "shared", "total"],
        left=2,
        rows=rows,
        total=_statement_row(statement["total"], "total"),
        verb=f"modicum statement --month {month.first:%Y-%m}",
    )


def _statement_row(row: dict[str, Any], name: str) -> Sequence[Cell]:
    return [
        Cell(name, row["name"]),
        Cell(row["code"]),
        Cell(count(row["calls"]), row["calls"]),
        *(Cell(dollars(row[column]), row[column]) for column in AMOUNTS[:-1]),
        Cell(dollars(row["total_usd"]), row["total_usd"], basis=row["basis"].value),
    ]


def _forecast_table(forecast: dict[str, Any]) -> Table:
    columns = ("spent_usd", "expected_usd", "low_usd", "high_usd")
    return Table(
        name="forecast",
        title=f"Forecast of {forecast['month']}",
        columns=[forecast["by"], "so far, days that are over", "at the month's end", "low", "high"],
        rows=[
            [Cell(shown_payer(row["name"]), row["name"])]
            + [Cell("" if row[one] is None else dollars_of(row[one]), row[one]) for one in columns]
            for row in forecast["rows"]
        ],
        verb=f"modicum forecast --by {forecast['by']}",
    )


def _tabs(view: View, month: Month, today: date) -> list[tuple[str, str, bool]]:
    """This month, that of the page, and those beside it."""
    this = today.replace(day=1)
    shown = {this, month.first, month_before(month.first), min(next_month(month.first), this)}
    return [(f"{first:%Y-%m}", view.query(month=f"{first:%Y-%m}"), first == month.first) for first in sorted(shown)]


PAGE = Page(
    name="month",
    title="Month",
    about="What this month will come to, and what each owes for a month: use, subscriptions and shared costs.",
    read=read,
    takes_where=False,
    takes_times=False,
    for_teams=False,
)
