"""Where `modicum team` takes recorded runs from: a recording, or the ledger."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Problem, UserError
from modicum.cli import opening

if TYPE_CHECKING:
    from modicum.agents.recorded import RecordedTeam, Row

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

Numbered = list[tuple[int, "Row"]]


def ledger_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--ledger` and the outcome that grades its runs."""
    graded = click.option("--outcome", metavar="NAME", help="Which outcome of the ledger grades the runs, if several.")
    return opening.ledger_option(graded(command))


def recorded(path: Path | None, name: str | None, protect: Iterable[str], options: dict[str, Any]) -> "RecordedTeam":
    """The team of a recording or, without a path, of the ledger; problems and notes are told on stderr.

    Raises:
        UserError: both were named, or there is no team in it.
    """
    from modicum.agents.graph import TeamGraph
    from modicum.agents.recorded import recorded_team

    rows, problems, place = _from_ledger(options) if path is None else _from_file(path, options)
    team, more = recorded_team(rows, path=place, team=name)
    if protect:
        graph = TeamGraph(team.graph.agents, team.graph.rounds, protect=protect)
        team, more = recorded_team(rows, path=place, team=name, graph=graph)
    _tell(problems + more)
    return team


def _from_file(path: Path, options: dict[str, Any]) -> tuple[Numbered, list[Problem], str]:
    from modicum.agents.recorded import read_rows

    if options.get("ledger_url"):
        raise UserError(f"{path} and --ledger are two sources of the same runs: give one of them")
    with path.open("rb") as lines:
        rows, problems = read_rows(lines, str(path))
    return rows, problems, str(path)


def _from_ledger(options: dict[str, Any]) -> tuple[Numbered, list[Problem], str]:
    from modicum.agents.from_ledger import ledger_rows

    with opening.opened_ledger(options["ledger_url"]) as store:
        found = ledger_rows(store, options["outcome"])
        place = store.place
    if found.outcome:
        click.echo(f"runs of the ledger {place}, graded by the outcome '{found.outcome}'", err=True)
    for note in found.notes:
        click.echo(note, err=True)
    return found.rows, found.problems, place


def _tell(problems: list[Problem]) -> None:
    for problem in problems[:10]:
        click.echo(str(problem), err=True)
    if len(problems) > 10:
        click.echo(f"... and {len(problems) - 10} more lines that were left out", err=True)
