"""`modicum budget show`: how budgets stand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.budgets.events import read_events
from modicum.cli.shared_options import json_option, ledger_option
from modicum.cli.terminal import output
from modicum.governance.budget_raises import Raises
from modicum.governance.budgets import Budget, LimitUnit, plain_amount, show_amount
from modicum.governance.outcome_budgets import OutcomeBudget, OutcomeRuling
from modicum.insights.budgets.outcome_standing import OutcomeBudgetRow, outcome_budget_rows
from modicum.insights.budgets.standing import BudgetRow, budget_rows
from modicum.insights.dimensions import shown_name
from modicum.ledger.calls_in_flight import calls_under_way
from modicum.library import resources
from modicum.settings import Settings, budgets_of, outcome_budgets_of, read_settings, state_folder

MOST_ROWS = 20
BUDGET_COLUMNS = ("budget", "of", "per", "limit", "spent", "reserved", "left", "limit reached", "begins anew")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help=f"Show all names of budgets that are one for each, not {MOST_ROWS}.")
@click.option("--strict", is_flag=True, help="End with status 1 if outcomes cost more than their budget, for certain.")
@json_option
@ledger_option
def command(names: tuple[str, ...], ledger_url: str | None, *, every: bool, strict: bool, as_json: bool) -> None:
    """Show what is spent, reserved and left of each budget, when its limit will be reached, and what outcomes cost.

    Spent is what the ledger has; a running gateway brings calls into it within a second or two. Reserved is what calls
    under way may cost at most. The limit is reached 'at the pace so far': a straight line, no forecast. A budget on the
    cost of an outcome ([[outcome]]) is judged by its interval, and warns.

    \b
    Examples:
      modicum budget show
      modicum budget show team-month --json
      modicum budget show resolved --strict
    """
    settings = read_settings()
    budgets, outcome_budgets = _chosen(settings, names)
    with resources.open_ledger(ledger_url, settings) as store:
        now = datetime.now(UTC)
        under_way = calls_under_way(state_folder() / "journal")
        rows = budget_rows(store, budgets, under_way, now, Raises(read_events()))
        outcome_rows = outcome_budget_rows(store, outcome_budgets, now)
    if as_json:
        documents = {"outcome_budgets": [_outcome_document(row) for row in outcome_rows]} if outcome_budgets else {}
        output.print_json({"budgets": [budget_document(row) for row in rows]} | documents)
    else:
        _print_budgets(rows, every=every)
        _print_outcome_budgets(outcome_rows, every=every)
    if strict and any(row.verdict.ruling is OutcomeRuling.ABOVE for row in outcome_rows):
        raise click.exceptions.Exit(1)


def _print_budgets(rows: list[BudgetRow], *, every: bool) -> None:
    if not rows:
        return
    shown = list(rows if every else _first_of_each(rows))
    output.print_table(
        BUDGET_COLUMNS,
        [budget_cells(row) for row in shown],
        left=3,
    )
    if len(shown) < len(rows):
        click.echo(f"{len(rows) - len(shown):,} more; --all shows them")
    for row in shown:
        of = f" of {', '.join(row.instance)}" if row.instance else ""
        if row.calls_unknown:
            what = "what they drew" if row.budget.unit is LimitUnit.JOULES else "their cost"
            one = number_of(row.calls_unknown, "call is", "calls are")
            click.echo(f"{row.budget.name}{of}: {one} not in it, since nobody knows {what} (docs/budgets.md)")
        if row.raised_until is not None:
            until = row.raised_until.astimezone(ZoneInfo(row.budget.window.zone))
            click.echo(
                f"{row.budget.name}{of} is raised until {until:%Y-%m-%d %H:%M %Z}; 'modicum budget log' says by whom"
            )


def _print_outcome_budgets(rows: list[OutcomeBudgetRow], *, every: bool) -> None:
    if not rows:
        return
    count = len(rows)
    rows = rows if every else rows[:MOST_ROWS]
    output.print_table(
        ["cost of", "of", "per", "tasks", "outcomes", "limit", "each", "95 %", "standing"],
        [_outcome_cells(row) for row in rows],
        left=3,
    )
    for row in rows:
        of = f" of {shown_name(row.name)}" if row.budget.by else ""
        needed = (
            f"; about {number_of(row.verdict.tasks_needed, 'task')} would decide it" if row.verdict.tasks_needed else ""
        )
        click.echo(f"{row.budget.outcome}{of}: {row.verdict.why}{needed}")
    if len(rows) < count:
        click.echo(f"{count - len(rows):,} more; --all shows them")


def _outcome_cells(row: OutcomeBudgetRow) -> list[str]:
    spend = row.spend
    ends = "" if spend.low is None else f"{output.dollars_of(spend.low)} to {output.dollars_of(spend.high)}"
    return [
        row.budget.outcome,
        shown_name(row.name) if row.budget.by else "all",
        row.budget.window.text,
        output.count(spend.tasks),
        f"{spend.outcomes:,.6g}",
        output.dollars_of(row.budget.limit_usd),
        output.dollars_of(spend.usd_each),
        ends,
        row.verdict.ruling.value.replace("_", " "),
    ]


def _outcome_document(row: OutcomeBudgetRow) -> dict[str, object]:
    return {
        "outcome": row.budget.outcome,
        "by": row.budget.by,
        "of": row.name,
        "per": row.budget.window.text,
        "limit_usd": row.budget.limit_usd,
        "standing": row.verdict.ruling.value,
        "why": row.verdict.why,
        "tasks_needed": row.verdict.tasks_needed,
        **row.spend._asdict(),
    }


def _chosen(settings: Settings, names: tuple[str, ...]) -> tuple[list[Budget], list[OutcomeBudget]]:
    budgets = budgets_of(settings.budget, settings.timezone, settings.energy)
    outcome_budgets = outcome_budgets_of(settings.outcome, settings.timezone)
    if not budgets and not outcome_budgets:
        place = settings.file or "modicum.toml ('modicum init' writes one)"
        raise UserError(f"no budget is set: add [[budget]] to {place}; docs/budgets.md has examples")
    known = [*(budget.name for budget in budgets), *(budget.outcome for budget in outcome_budgets)]
    for name in names:
        if name not in known:
            raise unknown_name("budget", name, known)
    return (
        [budget for budget in budgets if not names or budget.name in names],
        [budget for budget in outcome_budgets if not names or budget.outcome in names],
    )


def _first_of_each(rows: list[BudgetRow]) -> Iterator[BudgetRow]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.budget.name] = counts.get(row.budget.name, 0) + 1
        if counts[row.budget.name] <= MOST_ROWS:
            yield row


def budget_cells(row: BudgetRow) -> list[str]:
    """A row of a table with `BUDGET_COLUMNS`."""
    budget, unit = row.budget, row.budget.unit
    zone = ZoneInfo(budget.window.zone)
    reached = "" if row.crossed_at is None else f"{row.crossed_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return [
        budget.name,
        ", ".join(name or "(none)" for name in row.instance),
        budget.window.text,
        show_amount(unit, budget.limit) + ("" if row.raised_until is None else " (raised)") + _carried(row),
        show_amount(unit, row.spent),
        show_amount(unit, row.reserved) if row.reserved else "",
        show_amount(unit, row.left),
        "now" if row.left == 0 else reached,
        "" if row.resets is None else f"{row.resets.astimezone(zone):%Y-%m-%d %H:%M}",
    ]


def _carried(row: BudgetRow) -> str:
    return f" ({show_amount(row.budget.unit, row.carried)} carried)" if row.carried else ""


def budget_document(row: BudgetRow) -> dict[str, object]:
    """Dollars and joules as numbers, as in other documents of ours."""
    unit = row.budget.unit

    def amount(value: int) -> float | int:
        return plain_amount(unit, value)

    return {
        "name": row.budget.name,
        "of": list(row.instance),
        "per": row.budget.window.text,
        "unit": unit.value,
        "at_limit": row.budget.at_limit.value,
        "limit": amount(row.budget.limit),
        "raised_until": row.raised_until,
        "carried": amount(row.carried),
        "emergency_reserve": amount(row.budget.emergency_reserve),
        "spent": amount(row.spent),
        "reserved": amount(row.reserved),
        "left": amount(row.left),
        "calls_unknown": row.calls_unknown,
        "limit_reached": row.crossed_at,
        "begins_anew": row.resets,
    }
