"""`modicum outcome early-signs`: names tasks that will fail by a rule that is sure enough; else why there is none."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.terminal import output
from modicum.insights.dimensions import YIELD, parse_dimension, shown_name
from modicum.ledger.outcomes import find_outcome
from modicum.library import resources
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.early_signs.learning import EarlyAdvice
    from modicum.insights.early_signs.owners import EarlySigns


@dataclass(frozen=True, kw_only=True)
class EarlySignsOptions(shared.LedgerOptions, shared.SpanOptions):
    outcome: str
    by: str
    under_way: float
    as_json: bool


@click.command(name="early-signs")
@click.option("--outcome", required=True, metavar="NAME", help="What tasks fail at: those whose values sum to 0.")
@click.option("--by", default="", metavar="WHAT", help="Learn for each team, app, user, project, tag:NAME apart.")
@click.option(
    "--under-way",
    default=6.0,
    type=click.FloatRange(0, 8760),
    metavar="HOURS",
    help="A task without the outcome runs if its last call is not older. Default: 6.",
)
@shared.span_options("when calls were made")
@shared.json_option
@shared.ledger_option
@shared.pass_options(EarlySignsOptions)
def command(options: EarlySignsOptions) -> None:
    """Name tasks that run and will fail, as advice, by a rule that is learned from your own tasks.

    The rule is chosen on the older three fifths of the tasks and measured on the others. It names nothing until the
    share of false alarms is below 2 % for certain (95 %); then it says for each owner which rule, and how often wrong.

    \b
    Examples:
      modicum outcome early-signs --outcome resolved
      modicum outcome early-signs --outcome resolved --by team --json
    """
    from modicum.insights.early_signs.owners import find_early_signs

    settings = read_settings()
    by = parse_dimension("outcome early-signs", options.by, YIELD) if options.by else ("", "")
    span = options.span(user_zone(settings.timezone).zone)
    with resources.open_ledger(options.ledger_url, settings) as store:
        find_outcome(store, options.outcome)
        found = find_early_signs(
            store,
            options.outcome,
            span,
            by=by,
            under_way=timedelta(hours=options.under_way),
            now=datetime.now(UTC),
        )
        place = store.place
    if not found.advice:
        raise UserError(f"the ledger {place} holds no tasks in that time; fill it with 'modicum import PATH...'")
    if options.as_json:
        output.print_json(found)
    else:
        _print(found, options.by)


def _print(found: "EarlySigns", by: str) -> None:
    for one in found.advice:
        whose = f"{by} {shown_name(one.owner)}: " if by else ""
        click.echo(f"{whose}{'on' if one.is_on else 'off'}: {one.why}")
        for line in _rule_lines(one):
            click.echo(f"  {line}")
    on = sum(one.is_on for one in found.advice)
    if not on:
        click.echo(
            "no task is named: there is no rule that is sure enough; "
            f"{number_of(found.under_way, 'task runs', 'tasks run')}"
        )
        return
    click.echo(
        f"{len(found.named):,} of {number_of(found.under_way, 'task that runs', 'tasks that run')} "
        f"{noun_for(len(found.named), 'is named: it', 'are named: they')} will fail, by these rules"
    )
    if found.named:
        output.print_table(
            ["task", by or "owner", "named at call", "calls", "last call"],
            [
                [
                    one.task,
                    one.owner,
                    output.count(one.after_calls),
                    output.count(one.calls),
                    f"{one.last_at:%Y-%m-%d %H:%M}Z",
                ]
                for one in found.named
            ],
        )


def _rule_lines(one: "EarlyAdvice") -> list[str]:
    if one.rule is None or one.held_out is None:
        return []
    figures = one.held_out
    lines = [
        f"rule, chosen on {number_of(one.tasks_learned, 'older task')} ({one.failed_learned:,} failed): {one.rule.text}"
    ]
    caught = figures.alarms - figures.false_alarms
    line = f"on {figures.tasks:,} newer ones: {caught:,} of {number_of(figures.failed, 'failure')} named"
    if figures.tokens_to_come is not None:
        line += f", with {percent(figures.tokens_to_come, 0)} of their tokens still to come"
    if figures.passed_named_share is not None:
        line += f"; of tasks that did not fail {percent(figures.passed_named_share)} named"
    return [*lines, line]
