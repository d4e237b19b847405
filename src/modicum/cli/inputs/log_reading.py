"""Reading logs for a verb: with a progress bar on a terminal, and all problems gathered for the end."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import Call, Problem, UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.library.paths import check_paths_exist

if TYPE_CHECKING:
    from collections.abc import Callable

    from modicum.importers.forks import BookedIn
    from modicum.importers.format import Reading

SHOWN_PROBLEMS = 8
SHOWN_REASONS = 3
NO_CALLS = "no calls in that time; name other logs, or another time"
"""What a table says in the place of no rows."""


def read_logs(
    paths: Sequence[Path],
    reading: "Reading",
    source: str | None,
    problems: list[Problem],
    *,
    title: str = "reading",
    booked_in: "BookedIn | None" = None,
) -> Iterator[Call]:
    """The calls in these paths; problems go to the list. `booked_in`: for calls that go into a ledger, what it knows.

    Raises:
        UserError: a path does not exist: that is a mistyped command, not bad data.
    """
    from modicum.importers import format_named, read_calls

    check_paths_exist(paths)
    if source:
        format_named(source)
    with _progress(title) as show_progress:
        for found in read_calls(paths, reading, source=source, progress=show_progress, booked_in=booked_in):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                yield found


def no_calls_in(problems: Sequence[Problem]) -> UserError:
    """What to raise where logs were named and not one call is in them. An empty folder, one without logs and one that
    may not be read are told apart.
    """
    reasons = "; ".join(str(problem) for problem in problems[:SHOWN_REASONS])
    more = f"; and {number_of(len(problems) - SHOWN_REASONS, 'more problem')}" if len(problems) > SHOWN_REASONS else ""
    return UserError(
        f"there is no call in these logs{f': {reasons}{more}' if reasons else ''}. Name other logs, or let the logs of "
        "agents be found: 'modicum bill --found'"
    )


def print_problems(problems: Sequence[Problem], *, strict: bool, quiet: bool = False, where: str = "logs") -> None:
    """The problems on stderr, a few in full, and what `--strict` makes of them. `quiet`: they are in the JSON."""
    if not problems:
        return
    if not quiet:
        click.echo(f"\n{number_of(len(problems), 'problem')} in the {where}:", err=True)
        lines = _problem_lines(problems)
        for line, _ in lines[:SHOWN_PROBLEMS]:
            click.echo(f"  {line}", err=True)
        if more := sum(count for _, count in lines[SHOWN_PROBLEMS:]):
            click.echo(f"  ... and {more} more; --json lists them all", err=True)
    if strict:
        raise click.exceptions.Exit(1)


def _problem_lines(problems: Sequence[Problem]) -> list[tuple[str, int]]:
    """A line for each problem with the number of problems in it: what is wrong with many files as a whole is one."""
    alike: dict[tuple[str, ...], list[Problem]] = {}
    for number, problem in enumerate(sorted(problems, key=lambda one: not one.is_of_cost)):
        key = (problem.reason,) if problem.line is None else (problem.reason, str(number))
        alike.setdefault(key, []).append(problem)
    return [
        (f"{group[0].path} and {len(group) - 1:,} more: {group[0].reason}" if group[1:] else str(group[0]), len(group))
        for group in alike.values()
    ]


@contextmanager
def _progress(title: str) -> "Iterator[Callable[[int, int], None] | None]":
    """A bar on a terminal, nothing in a pipe. It vanishes when done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        # Hidden until the size of all logs is known: `0/? bytes` looks as if nothing went on.
        task = bar.add_task(title, total=None, visible=False)
        yield lambda done, whole: bar.update(task, completed=done, total=whole, visible=True)


@contextmanager
def show_finding() -> "Iterator[Callable[[int], None]]":
    """How many log files were found by now, on a terminal; nothing in a pipe. It vanishes when done."""
    with show_steps("looking for logs") as on_step:
        yield lambda count: on_step(number_of(count, "file"))


@contextmanager
def show_steps(title: str) -> "Iterator[Callable[[str], None]]":
    """What long work is at, on a terminal; nothing in a pipe. It vanishes when done."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console

    with Console(stderr=True).status(title) as shown:
        yield lambda step: shown.update(f"{title}: {step}")
