"""`modicum top`: shows what the gateway does now, and how budgets stand."""

import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import UserError
from modicum.calls.outside.one_line import one_line
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.budgets.show import BUDGET_COLUMNS, budget_cells, budget_document
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.shared_options import json_option, pass_options
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.insights.budgets.standing import BudgetRow
from modicum.insights.dimensions import shown_name
from modicum.settings import budgets_of, read_settings, state_folder

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

EVERY_S = 1.0
MOST_BUDGETS = 10


@dataclass(frozen=True, kw_only=True)
class TopOptions(ChoiceOptions):
    by: str
    seconds: float
    once: bool
    as_json: bool


@click.command()
@click.option("--by", default="model", show_default=True, help="Group by model, team, app, user, key, task or agent.")
@click.option(
    "--seconds", default=60.0, show_default=True, type=Quantity(1, 900), help="How many seconds back to look."
)
@click.option("--once", is_flag=True, help="Print it once and exit.")
@choice_options
@json_option
@pass_options(TopOptions)
def command(options: TopOptions) -> None:
    """Show calls, tokens per second, time to first token, spend and cache share of the last minute.

    Below them stand the budgets of modicum.toml that are nearest to their limits. 'modicum up' must be running.

    \b
    Examples:
      modicum top
      modicum top --by team --seconds 600
      modicum top --team research --model 'gpt-*'
      modicum top --once --json
    """
    from modicum.ledger_process.client import LedgerProcessStore
    from modicum.ledger_process.running import find
    from modicum.ledger_process.watching.budget_watch import BudgetWatch

    running = find(state_folder())
    named = [(one.dimension, pattern) for one in options.conditions() for pattern in one.patterns]
    if running is None:
        raise UserError("no ledger process is running; start one with 'modicum up'")
    store, settings = LedgerProcessStore(running), read_settings()
    budgets, watch = (
        budgets_of(settings.budget, settings.timezone, settings.energy),
        BudgetWatch(state_folder() / "journal"),
    )

    def ask() -> tuple[dict[str, Any], list[BudgetRow]]:
        live = store.live(options.by, options.seconds, named)
        watch.refresh(store, budgets)
        return live, sorted(watch.rows, key=lambda row: row.left_share)

    if options.as_json:
        live, rows = ask()
        output.print_json({**live, "budgets": [budget_document(row) for row in rows]})
        return
    if options.once or not sys.stdout.isatty():
        output.console().print(_page(*ask()))
        return
    from rich.live import Live

    with Live(_page(*ask()), console=output.console(), refresh_per_second=4) as shown:
        while True:
            time.sleep(EVERY_S)
            shown.update(_page(*ask()))


def _page(live: dict[str, Any], rows: list[BudgetRow]) -> "Group":
    from rich.console import Group

    return Group(_live_table(live), *([_budget_table(rows)] if rows else []))


def _budget_table(rows: list[BudgetRow]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    more = len(rows) - MOST_BUDGETS
    caption = f"{number_of(more, 'more budget')}; 'modicum budget show --all'" if more > 0 else None
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, caption=caption)
    shown = [BUDGET_COLUMNS.index(name) for name in ("budget", "of", "limit", "left", "limit reached")]
    for index in shown:
        table.add_column(BUDGET_COLUMNS[index], justify="left" if index < 2 else "right")
    for row in rows[:MOST_BUDGETS]:
        cells = budget_cells(row)
        table.add_row(*(Text(one_line(cells[index])) for index in shown))
    return table


def _live_table(live: dict[str, Any]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, show_footer=True)
    rows = [_row(row, live["seconds"]) for row in live["rows"]]
    feet = _row(live["total"], live["seconds"])
    columns = (live["by"], "calls", "failed", "prompt tok/s", "completion tok/s", "cached", "first token", "spend")
    for index, (name, foot) in enumerate(zip(columns, feet, strict=True)):
        table.add_column(name, foot, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _row(line: dict[str, Any], seconds: float) -> list[str]:
    first = line["first_token_seconds"]
    known = line["cost_usd"]
    spend = output.dollars(None if known is None else Decimal(known)) if line["calls"] else ""
    if line["calls_unpriced"] and known is not None:
        spend += f" + {line['calls_unpriced']} unpriced"
    return [
        shown_name(line["name"]),
        output.count(line["calls"]),
        output.count(line["calls_failed"]) if line["calls_failed"] else "",
        f"{line['prompt_tokens'] / seconds:,.1f}",
        f"{line['completion_tokens'] / seconds:,.1f}",
        output.share(line["cache_read_tokens"], line["prompt_tokens"]),
        "" if first is None else f"{first:.2f} s",
        spend,
    ]
