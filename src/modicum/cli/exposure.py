"""`modicum exposure`: what was sent to whom, and which secrets and personal data were seen in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from modicum.calls import Problem
from modicum.calls.problem import problem_rows
from modicum.cli import shared_options as shared
from modicum.cli.anatomy import open_ledger_or_logs
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.found_logs import join_found
from modicum.cli.inputs.log_reading import NO_CALLS, print_problems
from modicum.cli.terminal import output
from modicum.insights.dimensions import EXPOSURE, parse_dimension, shown_name
from modicum.insights.scoping.persons import persons_note
from modicum.library.choosing import choose_from
from modicum.library.shown_figures import person_rule
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.exposure import ExposureRow


@dataclass(frozen=True, kw_only=True)
class ExposureOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    by: str
    found: bool
    as_csv: bool


@click.command()
@click.option("--by", default="provider", show_default=True, metavar="WHAT", help=f"Group by {', '.join(EXPOSURE)}.")
@shared.span_options()
@choice_options
@shared.found_option
@shared.csv_option
@shared.log_options
@shared.pass_options(ExposureOptions)
def command(options: ExposureOptions) -> None:
    """Show what was sent to whom: tokens by kind, and counts of secrets and personal data in them.

    Counted while logs are read and while calls pass the gateway; the values themselves are kept nowhere.

    \b
    Examples:
      modicum exposure
      modicum exposure ~/.claude/projects
      modicum exposure --by project --since 30d
      modicum exposure --by team --json
    """
    from modicum.insights.exposure import measure_exposure

    by, _ = parse_dimension("exposure", options.by, EXPOSURE)
    settings = read_settings()
    zone, persons = user_zone(settings.timezone).zone, person_rule(settings)
    since, until = options.span(zone)
    problems: list[Problem] = []
    conditions = options.conditions()
    with (
        open_ledger_or_logs(join_found(options.paths, found=options.found), options, settings, problems) as whole,
        choose_from(whole, conditions, zone) as store,
    ):
        rows = measure_exposure(store, by, since, until, persons)
    if options.as_json:
        output.print_json({"by": by, "rows": rows, "problems": problem_rows(problems)})
    elif options.as_csv:
        print_csv(by, rows)
    else:
        print_exposure(by, rows)
        if note := persons_note([by], persons, (row.name for row in rows)):
            output.print_text(note)
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _format_missing(row: "ExposureRow") -> str:
    return "unknown" if row.calls_not_looked_at >= row.calls > 0 else "nothing"


def _format_seen(row: "ExposureRow", kind: str) -> str:
    redacted = row.redacted.get(kind, 0)
    return f"{kind} {row.seen[kind]:,}" + (f" ({redacted:,} redacted)" if redacted else "")


def print_csv(by: str, rows: "Sequence[ExposureRow]") -> None:
    """A column for each kind of secret or personal data that was seen anywhere."""
    kinds = sorted({kind for row in rows for kind in row.seen})
    redacted = sorted({kind for row in rows for kind in row.redacted})
    output.print_csv(
        [by, "calls", "prompt_tokens", "calls_not_looked_at", *kinds, *(f"{kind}_redacted" for kind in redacted)],
        [
            [
                row.name,
                row.calls,
                row.prompt_tokens,
                row.calls_not_looked_at,
                *(row.seen.get(kind, 0) for kind in kinds),
                *(row.redacted.get(kind, 0) for kind in redacted),
            ]
            for row in rows
        ],
    )


def print_exposure(by: str, rows: "Sequence[ExposureRow]") -> None:
    from modicum.reports.kind_words import name_of_kind

    if not rows:
        click.echo(NO_CALLS)
        return
    output.print_table(
        [by, "calls", "prompt tokens", "not looked at", "seen"],
        [
            [
                shown_name(row.name),
                output.count(row.calls),
                output.count(row.prompt_tokens),
                output.count(row.calls_not_looked_at),
                ", ".join(_format_seen(row, kind) for kind in sorted(row.seen)) or _format_missing(row),
            ]
            for row in rows
        ],
    )
    click.echo("recognised by published shapes and check digits; what has no such shape is not seen")
    sent = [
        [shown_name(row.name), name_of_kind(kind), output.count(tokens)]
        for row in rows
        for kind, tokens in sorted(row.first_sent_tokens.items(), key=lambda item: -item[1])
    ]
    if sent:
        click.echo()
        output.print_table([by, "kind of text", "tokens when first sent"], sent)
