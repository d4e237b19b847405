"""Where `modicum team` takes recorded runs from: a recording, or the ledger."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Problem, UserError
from modicum.calls.outside.regular_file import read_named
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.library import resources
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.agents.from_ledger import AgentCost, LedgerRows
    from modicum.agents.recordings import RecordedRow, RecordedTeam

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

Numbered = list[tuple[int, "RecordedRow"]]


@dataclass(frozen=True, kw_only=True)
class TeamLedgerOptions(shared.LedgerOptions, shared.SpanOptions):
    """Which runs of the ledger are used, and which outcome grades them."""

    outcome: str | None = None
    arm: str = "full"


def ledger_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--ledger` and the outcome that grades its runs."""
    graded = click.option(
        "--outcome", metavar="NAME", help="The outcome in the ledger that grades the runs, if there are several."
    )
    arm = click.option(
        "--arm",
        type=click.Choice(["full", "plan", "all"]),
        default="full",
        show_default=True,
        help="Runs of the ledger to use: those of the full team, those that the gateway ran under a plan, or all.",
    )
    return shared.ledger_option(graded(shared.span_options("when a run of the ledger began")(arm(command))))


def read_team(
    path: Path | None, name: str | None, protect: Iterable[str], options: TeamLedgerOptions
) -> "RecordedTeam":
    """The team of a recording or, without a path, of the ledger; prints problems and notes on stderr.

    Raises:
        UserError: both were named, or there is no team in it.
    """
    return read_team_with_costs(path, name, protect, options)[0]


def read_team_with_costs(
    path: Path | None, name: str | None, protect: Iterable[str], options: TeamLedgerOptions
) -> tuple["RecordedTeam", "dict[str, AgentCost] | None"]:
    """The same, and what the turns of each agent cost; None where a recording does not show it."""
    from modicum.agents.graph import TeamGraph
    from modicum.agents.recordings import build_team

    booked = _read_ledger(options) if path is None else None
    if booked is not None:
        rows, problems, place = booked[0].rows, booked[0].problems, booked[1]
    elif path is not None:
        rows, problems, place = _read_file(path, options)
    try:
        team, more = build_team(rows, path=place, team=name)
    except UserError:
        _print_problems(problems)  # they may be why
        raise
    if protect:
        graph = TeamGraph(team.graph.agents, team.graph.rounds, protect=protect)
        team, more = build_team(rows, path=place, team=name, graph=graph)
    _print_problems(problems + more)
    return team, booked[0].agent_costs(team.name) if booked is not None else None


def _read_file(path: Path, options: TeamLedgerOptions) -> tuple[Numbered, list[Problem], str]:
    from modicum.agents.recordings import read_rows

    if options.since or options.until:
        raise UserError("--since and --until select runs of the ledger; a recording is used as a whole")
    if options.ledger_url:
        raise UserError(f"{path} and --ledger are two sources of the same runs: give one of them")
    rows, problems = read_rows(read_named(path).splitlines(), str(path))
    return rows, problems, str(path)


def _read_ledger(options: TeamLedgerOptions) -> "tuple[LedgerRows, str]":
    from modicum.agents.from_ledger import RunSelection, read_ledger_rows

    zone = user_zone(read_settings().timezone).zone
    since, until = options.span(zone)
    which = RunSelection(since, until, "" if options.arm == "all" else options.arm)
    with resources.open_ledger(options.ledger_url) as store:
        found = read_ledger_rows(store, options.outcome, which)
        place = store.place
    if found.outcome:
        click.echo(f"runs of the ledger {place}, graded by the outcome '{found.outcome}'", err=True)
    for note in found.notes:
        click.echo(note, err=True)
    return found, place


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems[:10]:
        click.echo(str(problem), err=True)
    if len(problems) > 10:
        click.echo(f"... and {number_of(len(problems) - 10, 'more line was', 'more lines were')} left out", err=True)
