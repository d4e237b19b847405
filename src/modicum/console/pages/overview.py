"""Overview: what was spent, what it bought, and what was saved."""

from datetime import date, timedelta
from decimal import Decimal

from modicum.calls.words.percentages import percent
from modicum.console.asking import Asking
from modicum.console.charts import Series, draw_columns
from modicum.console.page import Cell, Content, Page, Table, Tile
from modicum.console.pages.experiments import read_all
from modicum.console.pages.models import read_yield
from modicum.console.tables import bill_table
from modicum.console.view import View
from modicum.insights.bill import Bill, build
from modicum.insights.doubts import find_doubts
from modicum.insights.trends.spend_over_time import DailySpend, fold_days
from modicum.reports.figures import count, dollars, dollars_of, dollars_of_axis, number_of, share

MOST_DOUBTS = 6


def read(asking: Asking, view: View) -> Content:
    """The figures of `modicum bill --by model` for the same calls, and their days."""
    cells = asking.rows("bill", by="model", tag="", **view.scope.parameters)
    bill = build(cells, "model")
    if not cells:
        return Content()
    days = fold_days(asking.rows("spend_by_day", by="model", tag="", **view.scope.parameters))
    table = bill_table(bill, "model", view, "spend-by-model", title="By model", page="where")
    return Content(
        tiles=[
            *_spend_tiles(bill, days),
            *_yield_tiles(asking, view),
            *_saving_tiles(asking, view),
            *_live_tiles(asking),
        ],
        tables=[table, _days_table(days, view)],
        notes=[*_unpriced_notes(bill), *_doubt_notes(asking, view)],
        parts={"chart": _draw_days(days)},
    )


def _spend_tiles(bill: Bill, days: DailySpend) -> list[Tile]:
    total = bill.total
    unknown = total.calls_unpriced + total.calls_without_usage
    weighed = days.effective_tokens
    return [
        Tile(
            label="spent",
            value=dollars(total.cost_usd),
            basis=total.basis.value,
            note=f"{number_of(unknown, 'call')} of unknown cost not in it" if unknown else "list prices of each day",
        ),
        Tile(label="calls", value=count(total.calls), note=f"on {number_of(sum(map(bool, days.calls)), 'day')}"),
        Tile(
            label="tokens sent",
            value=count(total.prompt_tokens),
            note=f"{share(total.usage.cache_read, total.prompt_tokens) or '0 %'} read from cache",
        ),
        Tile(label="tokens received", value=count(total.completion_tokens)),
        Tile(
            label="effective tokens",
            value="unknown" if weighed is None else count(round(weighed)),
            note="weighed by price, uncached input = 1"
            + (f"; {number_of(days.calls_unweighted, 'call')} without a weight" if days.calls_unweighted else ""),
        ),
    ]


def _yield_tiles(asking: Asking, view: View) -> list[Tile]:
    """The yield of the outcome that most tasks have."""
    outcomes = asking.rows("outcomes")
    if not outcomes:
        return []
    name = max(outcomes, key=lambda row: row["tasks"])["name"]
    total = read_yield(asking, view, name).total
    each = total.cost_per_outcome_usd
    between = "" if each.low is None or each.high is None else f"{dollars_of(each.low)} to {dollars_of(each.high)}; "
    return [
        Tile(
            label=f"cost of one '{name}'",
            value=dollars_of(each.value),
            basis=total.basis.value,
            note=f"{between}{number_of(total.tasks, 'task')}, failed ones paid",
            href=f"models{view.query(outcome=name)}",
        )
    ]


def _saving_tiles(asking: Asking, view: View) -> list[Tile]:
    """What a replay promises, if one was made, and what hold-outs have measured, if there are any."""
    tiles = []
    document = asking.last_audit(view.scope).value
    if document is not None:
        tiles.append(
            Tile(
                label="would be saved, by a replay",
                value=dollars_of(document["joint_saving_usd"]),
                basis="estimated",
                note=f"{percent(document['joint_saving_share'])} of what was spent",
                href=f"waste{view.query()}",
            )
        )
    elif not asking.viewer.sees_everything:
        return []
    else:
        tiles.append(Tile(label="would be saved", value="replay it", href=f"waste{view.query()}"))
    measured = [one.saving.measured_usd for one in read_all(asking) if one.saving.measured_usd is not None]
    if measured:
        tiles.append(
            Tile(
                label="saved, by hold-outs",
                value=dollars_of(sum(measured)),
                basis="estimated",
                note=number_of(len(measured), "experiment"),
                href=f"experiments{view.query()}",
            )
        )
    return tiles


def _live_tiles(asking: Asking) -> list[Tile]:
    live = asking.live()
    if live is None:
        return []
    total = live["total"]
    known = total["cost_usd"]
    return [
        Tile(
            label="in the last minute",
            value=number_of(total["calls"], "call"),
            note=f"{dollars_of(None if known is None else float(known)) if total['calls'] else '$0.00'}, "
            f"{total['calls_failed']:,} failed",
        )
    ]


def _draw_days(days: DailySpend) -> object:
    series = [Series(name, [float(usd) for usd in values]) for name, values in zip(days.names, days.usd, strict=True)]
    return draw_columns(days.days, series, dollars_of_axis, "Spend by day and model") if len(days.days) > 1 else ""


def _days_table(days: DailySpend, view: View) -> Table:
    sums = [sum((values[at] for values in days.usd), Decimal(0)) for at in range(len(days.days))]
    rows = [
        [
            Cell(day, href=f"where{view.query(since=day, until=_next_day(day), by='model')}"),
            Cell(count(calls), calls),
            Cell(
                "unknown" if calls and basis.value == "unknown" else dollars(usd),
                "" if basis.value == "unknown" else usd,
                basis=basis.value if calls else "",
            ),
        ]
        for day, calls, usd, basis in zip(days.days, days.calls, sums, days.bases, strict=True)
    ]
    return Table(
        name="spend-by-day",
        title="By day",
        columns=["day", "calls", "spent"],
        rows=list(reversed(rows)),
        verb=f"modicum bill --by day{view.options()}",
    )


def _next_day(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _unpriced_notes(bill: Bill) -> list[str]:
    return [
        f"no price is known for {name or 'calls without a model name'}: its cost is unknown, not 0"
        for name in bill.models_unpriced[:MOST_DOUBTS]
    ]


def _doubt_notes(asking: Asking, view: View) -> list[str]:
    doubts = find_doubts(asking.rows("doubts", **view.scope.parameters), asking.sources.prices)
    return [f"not exact, {number_of(doubt.calls, 'call')}: {doubt.reason}" for doubt in doubts[:MOST_DOUBTS]]


PAGE = Page(
    name="overview",
    title="Overview",
    about="What was spent, on which models, and how sure each figure is.",
    read=read,
)
