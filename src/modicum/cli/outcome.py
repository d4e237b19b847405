"""`modicum outcome`: records the results of tasks, from a file, by hand, or from git."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Outcome, Problem, UserError
from modicum.calls.outcome import checked_time
from modicum.calls.outside.storable import storable
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.outcomes import early_signs, from_pull_requests
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.cli.terminal.verb_group import WholeLines
from modicum.insights.scoping.time_span import EVER, parse_time
from modicum.ledger.records import OUTCOMES
from modicum.library import resources
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.importers.outcomes.git_log import Repository
    from modicum.insights.code.commits import JoinedCommits
    from modicum.ledger.rows import Row
    from modicum.ledger.store import Store

_WINDOW = re.compile(r"^(\d{1,4})(m|h|d)$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, kw_only=True)
class FromGitOptions(shared.LedgerOptions, shared.SpanOptions):
    folder: Path
    window: str
    authors: tuple[str, ...]
    all_authors: bool
    projects: tuple[str, ...]
    dry_run: bool
    as_json: bool


@click.group(cls=WholeLines)
def command() -> None:
    """Record what came of tasks: tests passed, tickets resolved, commits kept.

    \b
    Examples:
      modicum outcome import resolved.csv
      modicum outcome record TICKET-12 resolved 1
      modicum outcome from-git ~/src/shop --since 30d
      modicum outcome from-pull-requests ~/src/shop pulls.json
      modicum outcome early-signs --outcome resolved
      modicum outcome list
    """


command.add_command(from_pull_requests.command)
command.add_command(early_signs.command)


@command.command(name="import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="End with status 1 if any row could not be read.")
@shared.json_option
@shared.ledger_option
def import_file(*, paths: tuple[Path, ...], strict: bool, as_json: bool, ledger_url: str | None) -> None:
    """Import outcomes from CSV with a header, or from JSON lines: task, name, value, time; optional: id and source.

    A value is a share in 0..1 or a count; a failure is a row with 0. Importing the same file again adds nothing.

    \b
    Examples:
      modicum outcome import resolved.csv
      modicum outcome import evals/*.jsonl --strict
    """
    from modicum.importers.outcomes.outcome_file import read_outcomes

    found: list[Outcome] = []
    problems: list[Problem] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"there is no file {path}")
        for item in read_outcomes(path):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                found.append(item)
    with resources.open_ledger(ledger_url, creates=True) as store:
        count, repeated = _append_outcomes(store, found)
        place = store.place
    if as_json:
        output.print_json(
            {"ledger": place, "outcomes": count, "repeated": repeated, "problems": problem_rows(problems)}
        )
    else:
        again = f", {repeated:,} of them repeated" if repeated else ""
        click.echo(f"{number_of(count, 'outcome')} booked{again}; ledger: {place}")
    print_problems(problems, strict=strict, quiet=as_json)


@command.command()
@click.argument("task")
@click.argument("name")
@click.argument("value", type=Quantity(min=0))
@click.option("--time", "at", metavar="TIME", help="When: 2026-01-31T12:00, today, 2h. Default: now.")
@click.option(
    "--add", is_flag=True, help="One more outcome of this name. Without it a second record corrects the first."
)
@shared.json_option
@shared.ledger_option
def record(
    *, task: str, name: str, value: float, at: str | None, add: bool, as_json: bool, ledger_url: str | None
) -> None:
    """Record one outcome NAME of TASK with VALUE: a share in 0..1, or a count; 0 is a failure.

    \b
    Examples:
      modicum outcome record TICKET-12 resolved 1
      modicum outcome record TICKET-12 reopened 0 --time 2026-01-31T12:00
    """
    import math

    from modicum.importers.outcomes.outcome_file import outcome_id

    if not math.isfinite(value):
        raise UserError(f"the value {value} is no share and no count")
    if not task.strip() or not name.strip():
        raise UserError("a task and a name are needed: modicum outcome record TASK NAME VALUE")
    settings = read_settings()
    try:
        time = checked_time(parse_time(at, user_zone(settings.timezone).zone, datetime.now(UTC)))
    except ValueError as error:
        raise UserError(f"--time {at}: the {error}") from None
    task, name = storable(task), storable(name)
    outcome_key = outcome_id(task, name, time) if add else f"recorded/{name}/{task}"
    outcome = Outcome(outcome_id=outcome_key, task=task, name=name, value=value, time=time, source="recorded")
    with resources.open_ledger(ledger_url, settings, creates=True) as store:
        store.append_records(OUTCOMES, [outcome])
    if as_json:
        output.print_json(outcome)
    else:
        click.echo(f"{name} = {value:g} booked for {task}")


@command.command(name="from-git")
@click.argument("folder", metavar="REPO", type=click.Path(path_type=Path))
@shared.span_options("when the commit was made")
@click.option(
    "--window", default="8h", metavar="TIME", help="How long before a commit its task may have worked: 90m, 8h, 2d."
)
@click.option("--author", "authors", multiple=True, metavar="TEXT", help="Part of an author's name or e-mail address.")
@click.option(
    "--all-authors", is_flag=True, help="Commits of all authors. Default: those of this repository's user.email."
)
@click.option(
    "--project", "projects", multiple=True, metavar="PATH", help="The repository's path as it is written in the logs."
)
@click.option("--dry-run", is_flag=True, help="Print what would be recorded, and record nothing.")
@shared.json_option
@shared.ledger_option
@shared.pass_options(FromGitOptions)
def from_git(options: FromGitOptions) -> None:
    """Record commits of REPO as outcomes of tasks: commits, lines_added, lines_removed, files_changed.

    Prints the rule that joins commits to tasks. Running it again records each commit once.

    \b
    Examples:
      modicum outcome from-git ~/src/shop --since 30d
      modicum outcome from-git . --all-authors --window 2d --dry-run
    """
    from modicum.importers.outcomes.git_log import commits, repository
    from modicum.insights.code.commits import RULE, join_commits

    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    since, until = options.span(zone)
    window = _parse_window(options.window)
    repo = repository(options.folder)
    authors = options.authors or ((repo.user,) if repo.user and not options.all_authors else ())
    rule = RULE.format(window=options.window)
    with resources.open_ledger(options.ledger_url, settings) as store:
        touches = _read_tasks_on_branches(
            store, repo, options.projects, since - window if since > EVER else EVER, until
        )
        branches = frozenset(repo.refs) & {touch["branch"] for touch in touches}
        start = max(since, min(touch["first_at"] for touch in touches))
        found = commits(repo, start, until, sorted(branches), authors)
        joined = join_commits(found, touches, branches, window, (since, min(until, datetime.now(UTC))))
        if not options.dry_run:
            store.append_records(OUTCOMES, joined.outcomes)
    if options.as_json:
        output.print_json(_join_document(joined, len(found), rule, authors, dry_run=options.dry_run))
        return
    click.echo(f"Rule: {rule}")
    click.echo(f"Authors: {', '.join(authors) or 'everybody'}")
    click.echo(
        f"{number_of(len(found), 'commit')}: {joined.by_branch:,} joined by branch and time, {joined.by_time:,} by "
        f"time alone, {joined.without_task:,} to no task"
    )
    click.echo(
        f"{number_of(joined.tasks, 'task')} in this repository, {joined.tasks_without_commit:,} without a commit"
    )
    if not joined.outcomes:
        click.echo(
            "nothing is booked: no commit follows a task. "
            f"Is {options.folder} the repository they worked in, and fetched?"
        )
        return
    verb = "would be booked" if options.dry_run else "booked"
    click.echo(f"{number_of(len(joined.outcomes), 'outcome')} {verb}; next: modicum yield --outcome commits")


@command.command(name="list")
@shared.json_option
@shared.ledger_option
def list_names(*, as_json: bool, ledger_url: str | None) -> None:
    """List the outcomes in the ledger.

    \b
    Examples:
      modicum outcome list
      modicum outcome list --json
    """
    with resources.open_ledger(ledger_url) as store:
        rows = store.ask("outcomes")
    if as_json:
        output.print_json({"outcomes": rows})
        return
    if not rows:
        click.echo("no outcomes yet: add some with 'modicum outcome import FILE', 'record' or 'from-git'")
        return
    output.print_table(
        ["outcome", "rows", "tasks", "tasks without calls", "sum", "first", "last"],
        [
            [
                row["name"],
                output.count(row["outcomes"]),
                output.count(row["tasks"]),
                output.count(row["tasks_without_calls"]),
                f"{row['value_sum']:,.6g}",
                f"{row['first_at']:%Y-%m-%d}",
                f"{row['last_at']:%Y-%m-%d}",
            ]
            for row in rows
        ],
    )


def _append_outcomes(store: "Store", outcomes: list[Outcome]) -> tuple[int, int]:
    """How many outcomes were booked, and how many rows repeated one of them."""
    appended = store.append_records(OUTCOMES, outcomes)
    return appended.booked, appended.unchanged


def _parse_window(text: str) -> timedelta:
    found = _WINDOW.match(text)
    if not found or not int(found[1]):
        raise UserError(f"'{text}' is no window; write 90m, 8h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _read_tasks_on_branches(
    store: "Store", repo: "Repository", projects: tuple[str, ...], since: datetime, until: datetime
) -> "list[Row]":
    """Where and when the tasks of this repository worked.

    Raises:
        UserError: no call of the ledger was made in it.
    """
    roots = [root.rstrip("/") for root in (*repo.roots, *projects)]
    rows = store.ask("tasks_on_branches", since=since, until=until)
    held = [
        row for row in rows if any(row["project"] == root or row["project"].startswith(f"{root}/") for root in roots)
    ]
    if not held:
        known = sorted({row["project"] for row in rows if row["project"]})
        shown = ", ".join(known[:5]) + (", ..." if len(known) > 5 else "") if known else "none"
        raise UserError(
            f"the ledger holds no calls made in {' or '.join(roots)} in that time; if the logs name it otherwise, "
            f"give --project PATH (projects in the ledger: {shown})"
        )
    return held


def _join_document(
    joined: "JoinedCommits", count: int, rule: str, authors: tuple[str, ...], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "rule": rule,
        "authors": list(authors),
        "commits": count,
        "commits_by_branch": joined.by_branch,
        "commits_by_time": joined.by_time,
        "commits_without_task": joined.without_task,
        "tasks": joined.tasks,
        "tasks_without_commit": joined.tasks_without_commit,
        "outcomes": len(joined.outcomes),
        "dry_run": dry_run,
    }
