"""`modicum yield`: what came of the tokens."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.cli.inputs import resources
from modicum.cli.shared_options import (
    LedgerOptions,
    SpanOptions,
    json_option,
    ledger_option,
    span_options,
    timezone_option,
    typed,
)
from modicum.cli.terminal import output
from modicum.cli.terminal.time_span import given
from modicum.ledger.records import ENERGY_WINDOWS
from modicum.settings import checked_zone, read_settings

if TYPE_CHECKING:
    from datetime import datetime

    from modicum.insights.yields import Estimate, Yield, YieldLine
    from modicum.ledger.rows import Row
    from modicum.ledger.store import Store

BESIDE = timedelta(days=1)
"""Windows from so long before and after the tasks are fitted too: a law from an hour's windows would be a poor one."""


@dataclass(frozen=True, kw_only=True)
class YieldOptions(LedgerOptions, SpanOptions):
    outcome: str
    by: str
    timezone: str | None
    as_json: bool


@click.command()
@click.option("--outcome", required=True, metavar="NAME", help="Which outcome; 'modicum outcome list' names them.")
@click.option(
    "--by", default="model", metavar="WHAT", help="model, project, branch, agent, source, owner, ... or tag:NAME."
)
@span_options("when the task began")
@timezone_option
@json_option
@ledger_option
@typed(YieldOptions)
def command(options: YieldOptions) -> None:
    """Outcomes per million tokens, and cost per outcome, with a 95 % interval.

    Ratios of sums over all tasks that have the outcome, failed ones included. Tasks without it are counted apart.

    \b
    Examples:
      modicum yield --outcome resolved
      modicum yield --outcome lines_added --by project --since 30d
      modicum yield --outcome tests_passed --by tag:team --json
    """
    from modicum.insights.yields import build, yield_document

    settings = read_settings()
    zone_name = options.timezone or settings.timezone
    zone = checked_zone(zone_name)
    by, tag = _dimension(options.by)
    since, until = options.span(zone)
    name = options.outcome
    with resources.opened_ledger(options.ledger_url, settings) as store:
        told = _outcome_holdings(store, name)
        cells = store.ask("yield", by=by, tag=tag, zone=zone_name, since=since, until=until, outcome=name)
        cells = _add_energy(store, cells, (since, until), by=by, tag=tag, zone=zone_name)
        place = store.place
    if not cells:
        raise UserError(f"the ledger {place} holds no tasks in that time; fill it with 'modicum import PATH...'")
    found = build(cells, name, by)
    if options.as_json:
        output.print_json(yield_document(found, options.by, zone_name, *given((since, until)), told))
    else:
        print_yield(found, options.by, told)


def _add_energy(store: "Store", cells: "list[Row]", span: "tuple[datetime, datetime]", **cut: str) -> "list[Row]":
    """The cells with the energy of their tasks, where servers were watched meanwhile."""
    if not cells:
        return cells
    ran = store.ask("yield_span", since=span[0], until=span[1])[0]
    windows = store.records(ENERGY_WINDOWS, ran["first_started"] - BESIDE, ran["last_finished"] + BESIDE)
    if not windows:
        return cells
    from modicum.insights.energy_consumption import add_energy, find_time_span, share_energy

    since, until = find_time_span(windows)
    rows = store.ask("energy_calls", since=since, until=until, provider="", **cut)
    return [dict(cell) for cell in add_energy(cells, rows, share_energy(windows, rows))]


def _dimension(by: str) -> tuple[str, str]:
    """The dimension, and the tag where it is one."""
    from modicum.insights.yields import DIMENSIONS

    if by.startswith("tag:") and len(by) > len("tag:"):
        return "tag", by.removeprefix("tag:")
    if by not in DIMENSIONS or by == "tag":
        raise UserError(
            f"a yield cannot be cut by '{by}'; by what: {', '.join(DIMENSIONS[:-4])}, day, week, month, tag:NAME"
        )
    return by, ""


def _outcome_holdings(store: "Store", name: str) -> "Row":
    """What the ledger knows of outcomes of this name.

    Raises:
        UserError: nothing.
    """
    known = {row["name"]: row for row in store.ask("outcomes")}
    if name not in known:
        names = ", ".join(known) or "none yet: see 'modicum outcome --help'"
        raise UserError(f"the ledger {store.place} holds no outcome '{name}'; it knows {names}")
    return known[name]


def print_yield(found: "Yield", by: str, told: "Row") -> None:
    columns = [
        by,
        "tasks",
        "failed",
        found.outcome,
        "per M effective",
        "95 %",
        "per M raw",
        "cost each",
        "95 %",
        "cost",
        "of failed",
        "no outcome",
        "basis",
    ]
    output.print_table(columns, [_cells(row) for row in found.rows], footer=_cells(found.total))
    total = found.total
    if total.tasks_without_outcome:
        each = total.cost_per_outcome_all_tasks_usd
        click.echo(
            f"tasks without this outcome: {total.tasks_without_outcome:,}, at "
            f"{output.dollars(total.cost_without_outcome_usd)}; if they tried and failed, each {found.outcome} costs "
            f"{_money(each.value)}{_money_span(each)}"
        )
    if total.calls_outside_tasks:
        click.echo(
            f"calls outside any task: {total.calls_outside_tasks:,}, at {output.dollars(total.cost_outside_tasks_usd)}"
        )
    if told["tasks_without_calls"]:
        click.echo(
            f"tasks with this outcome of which the ledger holds no call: {told['tasks_without_calls']:,}, with "
            f"{told['value_sum_without_calls']:,.6g} {found.outcome}"
        )
    if (energy := total.outcomes_per_kwh) is not None:
        click.echo(
            f"outcomes per kilowatt-hour: {_figure(energy.value)}"
            + (f" ({_span(energy)})" if _span(energy) else "")
            + f", over {energy.tasks:,} tasks of which every call was measured, {total.energy_kwh:,.4g} kWh"
        )
    for estimate, what in (
        (total.outcomes_per_million_effective_tokens, "outcomes per million effective tokens"),
        (total.cost_per_outcome_usd, "cost per outcome"),
    ):
        if estimate.no_interval:
            click.echo(f"no interval for {what}: {estimate.no_interval}")
    for rule in found.rules:
        click.echo(rule)


def _cells(line: "YieldLine") -> list[str]:
    return [
        line.name,
        output.count(line.tasks),
        output.count(line.tasks_failed),
        f"{line.outcomes:,.6g}",
        _figure(line.outcomes_per_million_effective_tokens.value),
        _span(line.outcomes_per_million_effective_tokens),
        _figure(line.outcomes_per_million_tokens.value),
        _money(line.cost_per_outcome_usd.value),
        _money_span(line.cost_per_outcome_usd).strip(" ()"),
        output.dollars(line.cost_usd),
        output.dollars(line.cost_failed_usd),
        output.dollars(line.cost_without_outcome_usd) if line.tasks_without_outcome else "",
        line.basis.value.replace("_", " "),
    ]


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.3g}" if value < 1_000 else f"{value:,.0f}"


def _span(estimate: "Estimate") -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{_figure(estimate.low)} to {_figure(estimate.high)}"


def _money(value: float | None) -> str:
    return output.dollars_of(value)


def _money_span(estimate: "Estimate") -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" ({_money(estimate.low)} to {_money(estimate.high)})"
