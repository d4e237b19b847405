"""Where it goes: the bill by any dimension, step by step down to one task; and what prompts consisted of."""

from collections.abc import Sequence

from modicum.calls.errors import unknown_name
from modicum.console.asking import Asking
from modicum.console.charts import Series, draw_columns
from modicum.console.page import Cell, Content, Page, Table, Tile
from modicum.console.tables import bill_table, money
from modicum.console.view import View
from modicum.insights.bill import build
from modicum.insights.dimensions import shown_name
from modicum.insights.rent import Rent, RentPart, compute_rent
from modicum.insights.scoping.persons import persons_note
from modicum.insights.trends.spend_over_time import fold_days
from modicum.reports.figures import count, dollars, dollars_of, dollars_of_axis, share, uncosted_note

CUTS = ("team", "app", "user", "key", "model", "project", "agent", "provider", "source", "branch", "status")
NEXT = {
    "team": "user",
    "app": "user",
    "key": "model",
    "user": "model",
    "model": "task",
    "project": "task",
    "agent": "model",
    "provider": "model",
    "source": "model",
    "branch": "task",
    "status": "model",
}
"""By what the calls of one name are cut when somebody follows it."""
ANATOMY_CUTS = ("kind", "tool")


def read(asking: Asking, view: View) -> Content:
    """The figures of `modicum bill --by WHAT`, or of `modicum anatomy --by kind` or `tool`.

    Raises:
        UserError: there is no such dimension.
    """
    by = view.word("by", "model")
    if by in ANATOMY_CUTS:
        return _read_anatomy(asking, view, by)
    if by not in CUTS:
        raise unknown_name("dimension of this page", by, (*CUTS, *ANATOMY_CUTS))
    cells = asking.rows("bill", by=by, tag="", **view.scope.parameters)
    if not cells:
        return Content()
    bill = build(cells, by)
    days = fold_days(asking.rows("spend_by_day", by=by, tag="", **view.scope.parameters))
    next_page = "tasks" if NEXT[by] == "task" else "where"
    series = [Series(name, [float(usd) for usd in values]) for name, values in zip(days.names, days.usd, strict=True)]
    note = persons_note([by], asking.reach.persons, (str(cell["name"]) for cell in cells))
    return Content(
        notes=[note] if note else [],
        tiles=[
            Tile(label="spent", value=money(bill.total), basis=bill.total.basis.value),
            Tile(label="calls", value=count(bill.total.calls)),
            Tile(label=f"names in {by}", value=count(len(bill.rows))),
        ],
        tables=[
            bill_table(
                bill,
                by,
                view,
                f"by-{by}",
                title=f"By {by}",
                page=next_page,
                next_by=NEXT[by],
            )
        ],
        parts={
            "tabs": _tabs(asking, view, by),
            "chart": draw_columns(days.days, series, dollars_of_axis, f"Spend by day and {by}")
            if len(days.days) > 1
            else "",
        },
    )


def _tabs(asking: Asking, view: View, by: str) -> list[tuple[str, str, bool]]:
    cuts = (*CUTS, *ANATOMY_CUTS) if asking.viewer.sees_everything else CUTS
    tabs = [(cut, view.query(by=cut), cut == by) for cut in cuts]
    return [*tabs, ("task", f"tasks{view.query()}", False)]


def _read_anatomy(asking: Asking, view: View, by: str) -> Content:
    since, until = view.scope.since, view.scope.until
    rent = asking.share(
        ("rent", by, since, until), lambda: asking.with_store(lambda store: compute_rent(store, by, since, until))
    )
    if not rent.calls:
        return Content(parts={"tabs": _tabs(asking, view, by), "chart": ""})
    notes = ["prompts were counted by the provider; how they divide among their parts is our estimate"]
    if view.scope.where:
        notes.insert(0, "what prompts consisted of is known for all calls of that time: conditions are left aside")
    if rent.calls_unpriced:
        notes.append(uncosted_note(rent.calls_unpriced, rent.calls))
    return Content(
        tiles=[
            Tile(label="spent", value=dollars(rent.cost_usd)),
            Tile(label="calls", value=count(rent.calls)),
        ],
        notes=notes,
        tables=[_rent_table(rent, by, view)],
        parts={"tabs": _tabs(asking, view, by), "chart": ""},
    )


def _rent_table(rent: Rent, by: str, view: View) -> Table:
    most = max((part.cost_usd or 0 for part in rent.parts), default=0)
    return Table(
        name=f"anatomy-by-{by}",
        title=f"What prompts consisted of, by {by}",
        columns=[by, "cost", "share", "tokens", "tokens carried", "read again", "written"],
        rows=[_rent_row(part, rent, most) for part in rent.parts],
        verb=f"modicum anatomy --by {by}{view.options(takes_where=False)}",
    )


def _rent_row(part: RentPart, rent: Rent, most: float) -> Sequence[Cell]:
    cost = part.cost_usd
    return [
        Cell(shown_name(part.name), part.name),
        Cell(
            dollars_of(cost),
            "" if cost is None else cost,
            basis=part.basis.value,
            part=cost / most if cost and most else None,
        ),
        Cell(
            share(cost, rent.cost_usd or 0),
            "" if cost is None or not rent.cost_usd else round(cost / float(rent.cost_usd), 6),
        ),
        Cell(count(part.tokens), part.tokens),
        Cell(count(part.tokens_carried), part.tokens_carried),
        Cell(dollars_of(part.read_usd), part.read_usd),
        Cell(dollars_of(part.written_usd), part.written_usd),
    ]


PAGE = Page(
    name="where",
    title="Where it goes",
    about="Who and what the money went to. Follow a name to look at its calls only.",
    read=read,
)
