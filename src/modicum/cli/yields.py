"""`modicum yield`: shows outcomes per million tokens, and cost per outcome."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.task_energy import add_task_energy
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.insights.dimensions import YIELD, parse_dimension, shown_name
from modicum.insights.scoping.persons import group_persons, persons_note
from modicum.insights.scoping.time_span import bounds_or_none
from modicum.ledger.outcomes import find_outcome
from modicum.library import resources
from modicum.library.choosing import choose_for_questions
from modicum.library.shown_figures import person_rule
from modicum.settings import read_settings, user_zone, worth_of

if TYPE_CHECKING:
    from modicum.energy.carbon import PerUnit
    from modicum.insights.margins import OutcomeMargin
    from modicum.insights.yields import Estimate, Yield, YieldLine
    from modicum.ledger.rows import Row


@dataclass(frozen=True, kw_only=True)
class YieldOptions(shared.LedgerOptions, shared.SpanOptions, ChoiceOptions):
    outcome: str
    by: str
    worth: float | None
    grid: float | None
    timezone: str | None
    as_json: bool
    as_csv: bool


@click.command()
@click.option(
    "--outcome", required=True, metavar="NAME", help="Name of the outcome; 'modicum outcome list' shows all names."
)
@click.option(
    "--by",
    default="model",
    metavar="WHAT",
    help=f"Group by {', '.join(YIELD)}.",
)
@click.option(
    "--worth",
    type=Quantity(min=0),
    metavar="USD",
    help="What one outcome is worth: shows the margin. Default: worth_usd of [[outcome]] in the settings.",
)
@click.option(
    "--grid", type=Quantity(min=0), metavar="G", help="Grams of CO2 equivalent per kWh: adds grams per outcome."
)
@shared.span_options("when the task began")
@choice_options
@shared.timezone_option
@shared.csv_option
@shared.json_option
@shared.ledger_option
@shared.pass_options(YieldOptions)
def command(options: YieldOptions) -> None:
    """Show outcomes per million tokens, and cost per outcome, with a 95 % interval.

    Each figure is a ratio of sums over all tasks that have the outcome, failed tasks included. Tasks without the
    outcome are counted separately.

    \b
    Examples:
      modicum yield --outcome resolved
      modicum yield --outcome lines_added --by project --since 30d
      modicum yield --outcome tests_passed --by tag:team --json
      modicum yield --outcome resolved --by tag:feature --worth 4.50
    """
    from modicum.insights.scoping.scope import Scope
    from modicum.insights.yields import build, yield_document

    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone)
    by, tag = parse_dimension("yield", options.by, YIELD)
    since, until = options.span(zone.zone)
    conditions, name, persons = options.conditions(), options.outcome, person_rule(settings)
    with (
        resources.open_ledger(options.ledger_url, settings) as whole,
        choose_for_questions(whole, conditions, zone.zone) as (store, where),
    ):
        scope = Scope(since=since, until=until, zone=zone.name, where=where)
        outcome_row = find_outcome(store, name)
        cells = store.ask("yield", by=by, tag=tag, outcome=name, **scope.parameters)
        cells = add_task_energy(store, cells, scope, by=by, tag=tag)
        place = store.place
    if not cells:
        raise UserError(f"the ledger {place} holds no tasks in that time; fill it with 'modicum import PATH...'")
    found = build(group_persons(cells, [by], persons), name, by)
    worth = options.worth if options.worth is not None else worth_of(settings.outcome, name)
    margins = _margins(found, worth)
    if options.as_json:
        document = yield_document(found, options.by, zone.name, *bounds_or_none((since, until)), outcome_row)
        each = _per_outcome(found, options.grid)
        output.print_json(document | ({"margins": margins} if margins else {}) | {"energy_per_outcome": each})
        return
    if options.as_csv:
        from modicum.cli.terminal.csv_rows import print_struct_rows

        print_struct_rows(found.rows)
        return
    print_yield(found, options.by, outcome_row)
    if (each := _per_outcome(found, options.grid)) is not None:
        grams = "" if each.grams_co2 is None else f", {each.grams_co2:.3g} g CO2e"
        click.echo(f"energy per outcome: {each.joules:,.4g} J{grams} ({each.method})")
    if note := persons_note([by], persons, (str(cell["name"]) for cell in cells)):
        output.print_text(note)
    if margins:
        _print_margins(margins, options.by)


def _per_outcome(found: "Yield", grid: float | None) -> "PerUnit | None":
    """Of the tasks of which every call was measured; None where there is none, or no outcome."""
    from modicum.energy.carbon import divide

    per_kwh = found.total.outcomes_per_kwh
    if per_kwh is None or not per_kwh.value:
        return None
    return divide(1.0, grid, per_kwh.value)


def _margins(found: "Yield", worth: float | None) -> "list[OutcomeMargin]":
    """Of each line, and of all tasks together last."""
    from modicum.insights.margins import margin_of

    if worth is None:
        return []
    return [margin_of(line, Decimal(repr(worth))) for line in (*found.rows, found.total)]


def _print_margins(margins: "list[OutcomeMargin]", by: str) -> None:
    rows = [
        [
            shown_name(one.name),
            output.dollars(one.worth_usd),
            output.dollars(one.cost_usd),
            output.dollars(one.margin_usd),
        ]
        for one in margins
    ]
    click.echo()
    output.print_table([by, "worth", "cost", "margin"], rows[:-1], footer=rows[-1])
    if any(one.margin_usd is None for one in margins):
        click.echo("no margin where a call has no price: it would be too high")


def print_yield(found: "Yield", by: str, outcome_row: "Row") -> None:
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
    output.print_table(columns, [_row(row) for row in found.rows], footer=_row(found.total))
    total = found.total
    if total.tasks_without_outcome:
        each = total.cost_per_outcome_all_tasks_usd
        click.echo(
            f"tasks without this outcome: {total.tasks_without_outcome:,}, at "
            f"{output.dollars(total.cost_without_outcome_usd)}; if they tried and failed, each {found.outcome} costs "
            f"{_format_dollars(each.value)}{_format_dollar_interval(each)}"
        )
    if total.calls_outside_tasks:
        click.echo(
            f"calls outside any task: {total.calls_outside_tasks:,}, at {output.dollars(total.cost_outside_tasks_usd)}"
        )
    if outcome_row["tasks_without_calls"]:
        click.echo(
            f"tasks with this outcome of which the ledger holds no call: {outcome_row['tasks_without_calls']:,}, with "
            f"{outcome_row['value_sum_without_calls']:,.6g} {found.outcome}"
        )
    if (energy := total.outcomes_per_kwh) is not None:
        click.echo(
            f"outcomes per kilowatt-hour: {_format_number(energy.value)}"
            + (f" ({_format_interval(energy)})" if _format_interval(energy) else "")
            + f", over {number_of(energy.tasks, 'task')} of which every call was measured, {total.energy_kwh:,.4g} kWh"
        )
    for estimate, what in (
        (total.outcomes_per_million_effective_tokens, "outcomes per million effective tokens"),
        (total.cost_per_outcome_usd, "cost per outcome"),
    ):
        if estimate.no_interval:
            click.echo(f"no interval for {what}: {estimate.no_interval}")
    for caution in dict.fromkeys(
        estimate.caution for estimate in (total.outcomes_per_million_effective_tokens, total.cost_per_outcome_usd)
    ):
        if caution:
            click.echo(f"take the intervals with care: {caution}")
    for rule in found.rules:
        click.echo(rule)


def _row(line: "YieldLine") -> list[str]:
    return [
        shown_name(line.name),
        output.count(line.tasks),
        output.count(line.tasks_failed),
        f"{line.outcomes:,.6g}",
        _format_number(line.outcomes_per_million_effective_tokens.value),
        _format_interval(line.outcomes_per_million_effective_tokens),
        _format_number(line.outcomes_per_million_tokens.value),
        _format_dollars(line.cost_per_outcome_usd.value),
        _format_dollar_interval(line.cost_per_outcome_usd).strip(" ()"),
        output.dollars(line.cost_usd),
        output.dollars(line.cost_failed_usd),
        output.dollars(line.cost_without_outcome_usd) if line.tasks_without_outcome else "",
        line.basis.value.replace("_", " "),
    ]


def _format_number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.3g}" if value < 1_000 else f"{value:,.0f}"


def _format_interval(estimate: "Estimate") -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{_format_number(estimate.low)} to {_format_number(estimate.high)}"


def _format_dollars(value: float | None) -> str:
    return output.dollars_of(value)


def _format_dollar_interval(estimate: "Estimate") -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" ({_format_dollars(estimate.low)} to {_format_dollars(estimate.high)})"
