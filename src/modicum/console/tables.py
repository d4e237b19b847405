"""Tables that several pages have."""

from collections.abc import Sequence
from decimal import Decimal

from modicum.console.page import Cell, Table
from modicum.console.view import View
from modicum.insights.bill import Bill, BillLine
from modicum.insights.dimensions import shown_name
from modicum.insights.scoping.persons import PERSONAL
from modicum.reports.figures import count, dollars, share

MOST_ROWS = 20_000
"""Rows that a table has at all. The page shows the first of them, the CSV file all."""


def bill_table(
    bill: Bill, by: str, view: View, name: str, *, title: str = "", page: str = "", next_by: str = "model"
) -> Table:
    """The rows of a bill, dearest first.

    Args:
        bill: the figures.
        by: what they are cut by, as the verb takes it.
        view: the page's view.
        name: of the CSV file.
        title: what stands above it.
        page: the page that its names lead to, which then looks at the calls of that name only; empty: none.
        next_by: by what that page cuts them.
    """
    most = max((line.cost_usd or Decimal(0) for line in bill.rows), default=Decimal(0))
    rows = [_bill_row(line, bill.total, most, _link(page, by, line.name, view, next_by)) for line in bill.rows]
    return Table(
        name=name,
        title=title,
        columns=[by, "spent", "share", "calls", "tokens sent", "cached", "tokens received"],
        rows=rows[:MOST_ROWS],
        total=_bill_row(bill.total, bill.total, Decimal(0), "") if bill.rows else (),
        verb=f"modicum bill --by {by}{view.options()}",
        more=max(0, len(rows) - MOST_ROWS),
    )


def _link(page: str, by: str, name: str, view: View, next_by: str) -> str:
    if not page or (by in PERSONAL and name.startswith("(")):  # a group of persons
        return ""
    return f"{page}{view.narrowed(by, name, by=None if page == 'tasks' else next_by)}"


def _bill_row(line: BillLine, total: BillLine, most: Decimal, href: str) -> Sequence[Cell]:
    cost = line.cost_usd
    return [
        Cell(shown_name(line.name), line.name, href=href),
        Cell(
            money(line),
            "" if cost is None else cost,
            basis=line.basis.value,
            part=float(cost / most) if cost and most else None,
        ),
        Cell(
            share(cost, total.cost_usd or 0),
            "" if not total.cost_usd or cost is None else round(cost / total.cost_usd, 6),
        ),
        Cell(count(line.calls), line.calls),
        Cell(count(line.prompt_tokens), line.prompt_tokens),
        Cell(share(line.usage.cache_read, line.prompt_tokens), line.usage.cache_read),
        Cell(count(line.completion_tokens), line.completion_tokens),
    ]


def money(line: BillLine) -> str:
    """What a line cost; how many of its calls are not in it stands beside."""
    unknown = line.calls_unpriced + line.calls_without_usage
    if line.cost_usd is None:
        return "unknown"
    return dollars(line.cost_usd) + (f" + {unknown:,} unknown" if unknown else "")
