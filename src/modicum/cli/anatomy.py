"""`modicum anatomy`: what the prompts were made of, and what each part cost to carry."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.found_logs import join_found
from modicum.cli.inputs.log_reading import NO_CALLS, print_problems
from modicum.cli.terminal import output
from modicum.insights.dimensions import ANATOMY, parse_dimension
from modicum.insights.rent import MOST_SEGMENTS
from modicum.library import resources
from modicum.library.choosing import choose_from
from modicum.reports.figures import uncosted_note
from modicum.settings import Settings, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.cli.inputs.log_sets import LogSet
    from modicum.insights.rent import Rent
    from modicum.ledger.store import Store


@dataclass(frozen=True, kw_only=True)
class AnatomyOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    by: str
    found: bool
    top: int
    as_csv: bool


@click.command()
@click.option("--by", default="kind", show_default=True, metavar="WHAT", help=f"Group by {', '.join(ANATOMY)}.")
@click.option(
    "--top",
    default=MOST_SEGMENTS,
    show_default=True,
    metavar="N",
    type=click.IntRange(min=1),
    help="With --by segment: number of rows to list.",
)
@shared.span_options()
@choice_options
@shared.found_option
@shared.csv_option
@shared.log_options
@shared.pass_options(AnatomyOptions)
def command(options: AnatomyOptions) -> None:
    """Show what prompts consisted of, and what each part cost: written once, read again in every later call.

    \b
    Examples:
      modicum anatomy
      modicum anatomy ~/.claude/projects --by tool
      modicum anatomy --by agent --since 7d --json
      modicum anatomy --by segment --top 50
    """
    from modicum.insights.rent import compute_rent

    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    by, _ = parse_dimension("anatomy", options.by, ANATOMY)
    since, until = options.span(zone)
    problems: list[Problem] = []
    conditions = options.conditions()
    with (
        open_ledger_or_logs(join_found(options.paths, found=options.found), options, settings, problems) as whole,
        choose_from(whole, conditions, zone) as store,
    ):
        found = compute_rent(store, by, since, until, most=options.top)
    print_report(found, problems, options, as_csv=options.as_csv)


def print_report(
    rent: "Rent", problems: Sequence[Problem], options: shared.LogOptions, *, as_csv: bool = False
) -> None:
    """The anatomy, as JSON, CSV or a table."""
    if options.as_json:
        output.print_json({**_anatomy_document(rent), "problems": problem_rows(problems)})
    elif as_csv:
        from modicum.cli.terminal.csv_rows import print_struct_rows

        print_struct_rows(rent.parts)
    else:
        print_anatomy(rent)
    print_problems(problems, strict=options.strict, quiet=options.as_json)


@contextmanager
def open_ledger_or_logs(
    paths: Sequence[Path],
    options: shared.LogOptions,
    settings: Settings,
    problems: list[Problem],
    logs: "LogSet | None" = None,
) -> "Iterator[Store]":
    """The ledger; or, where paths are given, one that holds just these logs. They are read once, and again when they
    change. `logs`: the set of these paths, where it was found before.

    Raises:
        UserError: the ledger is empty.
    """
    if not paths:
        with resources.open_ledger(options.ledger_url, settings) as store:
            if not store.ask("holdings"):
                raise UserError(
                    f"the ledger {store.place} is empty; fill it with 'modicum import PATH...', name logs, or write "
                    "--found for those of your agents"
                )
            yield store
        return
    from modicum.cli.inputs.log_sets import find_log_set, open_log_set

    prices = resources.load_prices(options.price_path, settings)
    with open_log_set(logs or find_log_set(paths, options.source, prices), prices, problems) as store:
        yield store


def print_anatomy(rent: "Rent") -> None:
    if not rent.calls:
        click.echo(NO_CALLS)
        return
    if rent.by == "segment":
        _print_segments(rent)
    else:
        _print_parts(rent)
    if rent.calls_unpriced:
        click.echo(uncosted_note(rent.calls_unpriced, rent.calls))
    output.print_text("prompts were counted by the provider; how they divide among their parts is our estimate")


def _print_segments(rent: "Rent") -> None:
    from modicum.insights.rent import OTHERS, SegmentPart

    whole = float(rent.cost_usd or 0)
    rows = []
    for part in rent.parts:
        one = part if isinstance(part, SegmentPart) else None
        named = number_of(part.segments, "other segment") if part.name == OTHERS else part.name
        rows.append(
            [
                named,
                one.task if one else "",
                f"#{one.position}" if one else "",
                f"{one.born:%Y-%m-%d %H:%M}" if one else "",
                output.count(part.tokens),
                output.count(one.calls_carried) if one else "",
                output.dollars_of(part.written_usd + part.uncached_usd) if part.segments else "",
                output.dollars_of(part.read_usd) if part.segments else "",
                output.dollars_of(part.cost_usd),
                output.share(part.cost_usd, whole),
            ]
        )
    if rent.has_rest:
        rest = output.dollars_of(rent.rest_usd)
        rows.append(["(rest)", *[""] * 7, rest, output.share(rent.rest_usd, whole)])
    columns = ["segment", "task", "place", "born (UTC)", "tokens", "calls", "written", "re-read", "cost"]
    total = ["total", *[""] * 7, output.dollars(rent.cost_usd), ""]
    output.print_table([*columns, "share"], rows, left=4, footer=total)


def _print_parts(rent: "Rent") -> None:
    from modicum.reports.kind_words import name_of_kind

    whole = float(rent.cost_usd or 0)
    rows = [
        [
            (name_of_kind(part.name) if rent.by == "kind" else part.name) or "(main)",
            output.count(part.segments) if part.segments else "",
            output.count(part.tokens),
            output.count(part.tokens_carried),
            output.dollars_of(part.read_usd),
            output.dollars_of(part.written_usd),
            output.dollars_of(part.cost_usd),
            output.share(part.cost_usd, whole),
            output.bar(part.cost_usd, whole),
        ]
        for part in rent.parts
    ]
    if rent.has_rest:
        rows.append(
            ["(rest)", "", "", "", "", "", output.dollars_of(rent.rest_usd), output.share(rent.rest_usd, whole), ""]
        )
    columns = [rent.by, "segments", "tokens", "carried", "re-read", "written", "cost", "share", ""]
    output.print_table(columns, rows, footer=["total", "", "", "", "", "", output.dollars(rent.cost_usd), "", ""])


def _anatomy_document(rent: "Rent") -> dict[str, Any]:
    import msgspec

    return msgspec.structs.asdict(rent)
