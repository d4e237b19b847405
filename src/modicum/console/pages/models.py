"""Models: what each cost, how fast it was, what came of it, and which are beaten by another."""

import shlex
from collections.abc import Mapping, Sequence

from modicum.console.asking import Asking
from modicum.console.page import Cell, Content, Page, Table, with_command
from modicum.console.tables import money
from modicum.console.view import View
from modicum.insights.bill import BillLine, build
from modicum.insights.dimensions import shown_name
from modicum.insights.yields import Estimate, Yield, YieldLine
from modicum.insights.yields import build as build_yield
from modicum.reports.figures import count, dollars_of, share
from modicum.routing.rule import CASCADE_FAMILY, FAMILY

MILLION = 1_000_000
ROUTES = (FAMILY, CASCADE_FAMILY)
"""How rules begin that send calls to another model."""


def read(asking: Asking, view: View) -> Content:
    """The figures of `modicum bill --by model`, and of `modicum yield --by model` for one outcome.

    Raises:
        UserError: the ledger is away.
    """
    cells = asking.rows("bill", by="model", tag="", **view.scope.parameters)
    if not cells:
        return Content()
    bill = build(cells, "model")
    names = [row["name"] for row in sorted(asking.rows("outcomes"), key=lambda row: (-row["tasks"], row["name"]))]
    outcome = view.word("outcome", names[0] if names else "")
    tables = [_price_table(bill.rows, view)]
    notes: list[str] = []
    if outcome:
        found = read_yield(asking, view, outcome)
        tables.insert(0, _yield_table(found, view))
        notes += found.rules
    else:
        notes.append(
            with_command(
                "which model is worth its price, outcomes say, and none is on record: ask who knows what came of the "
                "tasks to record it (docs/yield.md)",
                "modicum outcome --help",
            )
        )
    if asking.viewer.sees_everything and not view.scope.where:
        tables += _route_tables(asking, view)
    return Content(
        tables=tables,
        notes=notes,
        parts={"outcomes": [(name, view.query(outcome=name), name == outcome) for name in names]},
    )


def _route_tables(asking: Asking, view: View) -> list[Table]:
    """What routes and cascades sent to another model than callers asked for; none where none did. The question is of
    all calls of a time.
    """
    rows = asking.rows("edits", since=view.scope.since, until=view.scope.until)
    moved = [row for row in rows if row["rule"].startswith(ROUTES)]
    if not moved:
        return []
    return [
        Table(
            name="routing",
            title="Sent to another model",
            columns=["by", "team of agents", "calls"],
            left=2,
            rows=[
                [Cell(row["rule"]), Cell(row["agent_team"] or ""), Cell(count(row["calls"]), row["calls"])]
                for row in moved
            ],
            verb="modicum team spared"
            + "".join(f" --{one} {shlex.quote(view.typed[one])}" for one in ("since", "until") if view.typed.get(one)),
        )
    ]


def read_yield(asking: Asking, view: View, outcome: str) -> Yield:
    """The yield by model, shared by all viewers: it takes the tasks one by one."""
    rows = asking.rows("yield", by="model", tag="", outcome=outcome, **view.scope.parameters)
    key = ("yield", outcome, view.scope.since, view.scope.until, tuple(sorted(view.scope.where.items())))
    return asking.share(key, lambda: build_yield(rows, outcome, "model"))


def _price_table(lines: Sequence[BillLine], view: View) -> Table:
    return Table(
        name="models",
        title="Price and speed",
        columns=["model", "spent", "calls", "$ a call", "$ per 1M tokens", "cached", "first token", "tokens a second"],
        rows=[_price_row(line, view) for line in lines],
        verb=f"modicum bill --by model{view.options()}",
    )


def _price_row(line: BillLine, view: View) -> Sequence[Cell]:
    priced = line.calls - line.calls_unpriced - line.calls_without_usage
    tokens = line.usage.total_tokens
    each = None if line.cost_usd is None or not priced else float(line.cost_usd) / priced
    per_million = None if line.cost_usd is None or not tokens or priced < line.calls else float(line.cost_usd) / tokens
    latency = line.latency
    first = None if latency is None else latency.first_token_seconds
    speed = None if latency is None else latency.output_tokens_per_second
    return [
        Cell(shown_name(line.name), line.name, href=f"tasks{view.narrowed('model', line.name)}"),
        Cell(money(line), "" if line.cost_usd is None else line.cost_usd, basis=line.basis.value),
        Cell(count(line.calls), line.calls),
        Cell(dollars_of(each), "" if each is None else each),
        Cell(
            dollars_of(None if per_million is None else per_million * MILLION),
            "" if per_million is None else per_million * MILLION,
        ),
        Cell(share(line.usage.cache_read, line.prompt_tokens), line.usage.cache_read),
        Cell("" if first is None else f"{first:.2f} s", "" if first is None else first),
        Cell("" if speed is None else f"{speed:,.0f}", "" if speed is None else speed),
    ]


def _yield_table(found: Yield, view: View) -> Table:
    beaten = beaten_by(found.rows)
    return Table(
        name="yield",
        title=f"What came of it: {found.outcome}",
        columns=["model", "cost of one", "95 %", "outcomes per task", "tasks", "failed", "spent on failed", "standing"],
        rows=[_yield_row(line, beaten) for line in found.rows],
        verb=f"modicum yield --outcome {found.outcome} --by model{view.options()}",
        empty="no task of this view has that outcome",
    )


def _yield_row(line: YieldLine, beaten: Mapping[str, str]) -> Sequence[Cell]:
    each = line.cost_per_outcome_usd
    rate = line.outcomes / line.tasks if line.tasks else None
    standing = "on the line" if line.tasks else "no outcome"
    if line.name in beaten:
        standing = f"by the means {beaten[line.name]} had no less for no more"
    return [
        Cell(shown_name(line.name), line.name),
        Cell(dollars_of(each.value), "" if each.value is None else each.value, basis=line.basis.value),
        Cell(_interval(each), f"{each.low} to {each.high}" if each.low is not None else ""),
        Cell("" if rate is None else f"{rate:.2f}", "" if rate is None else rate),
        Cell(count(line.tasks), line.tasks),
        Cell(count(line.tasks_failed), line.tasks_failed),
        Cell(
            dollars_of(None if line.cost_failed_usd is None else float(line.cost_failed_usd)),
            "" if line.cost_failed_usd is None else line.cost_failed_usd,
        ),
        Cell(standing),
    ]


def _interval(each: Estimate) -> str:
    return "" if each.low is None or each.high is None else f"{dollars_of(each.low)} to {dollars_of(each.high)}"


def beaten_by(lines: Sequence[YieldLine]) -> dict[str, str]:
    """Models of which another one has more outcomes a task at less cost a task: names by names. By the means, which
    says nothing of how sure that is, nor of whether both had tasks alike; `modicum compare` does.
    """
    points = {
        line.name: (line.outcomes / line.tasks, float(line.cost_usd) / line.tasks)
        for line in lines
        if line.tasks and line.cost_usd is not None and not line.calls_unpriced
    }
    beaten = {}
    for name, (rate, cost) in points.items():
        better = [
            (other_cost, other)
            for other, (other_rate, other_cost) in points.items()
            if other_rate >= rate and other_cost <= cost and (other_rate, other_cost) != (rate, cost)
        ]
        if better:
            beaten[name] = min(better)[1]
    return beaten


PAGE = Page(
    name="models",
    title="Models",
    about="What models cost, how fast they are, and what came of their tasks. 'On the line': no other one had more "
    "outcomes a task for less.",
    read=read,
)
