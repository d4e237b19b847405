"""`modicum outcome from-pull-requests`: records which pull requests were merged, passed their checks and stayed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import UserError
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.terminal import output
from modicum.insights.code.pull_requests import NAME, RULE, PullVerdict, Revert, Work, join_pulls, judge_pull, vacated
from modicum.ledger.records import OUTCOMES
from modicum.library import resources
from modicum.settings import read_settings

if TYPE_CHECKING:
    from modicum.calls import Outcome
    from modicum.importers.outcomes.git_log import Repository
    from modicum.importers.outcomes.pull_requests import PullRequests
    from modicum.insights.code.pull_requests import JoinedPulls, PullRequest
    from modicum.ledger.store import Store

MOST_NUMBERS = 10
FIELDS = (
    "number,url,body,headRefName,headRefOid,baseRefName,isCrossRepository,mergedAt,closedAt,mergeCommit,commits,"
    "statusCheckRollup"
)
_MEANINGS = {
    PullVerdict.KEPT: "merged with green checks, and not reverted: 1",
    PullVerdict.REVERTED: "merged, and reverted in that time: 0",
    PullVerdict.RED: "merged with a failed check: 0",
    PullVerdict.CLOSED: "closed without a merge: 0",
    PullVerdict.YOUNG: "not booked yet: merged or closed in the last days",
    PullVerdict.OPEN: "not booked: open",
    PullVerdict.UNCHECKED: "not booked: merged, and without a check that ended, or the file does not say (--unchecked)",
    PullVerdict.UNFETCHED: "not booked: merged, and this clone does not reach so far (git fetch)",
}


@dataclass(frozen=True, kw_only=True)
class FromPullRequestsOptions(shared.LedgerOptions):
    folder: Path
    paths: tuple[Path, ...]
    days: int
    tag: str
    sessions: tuple[Path, ...]
    projects: tuple[str, ...]
    unchecked: bool
    dry_run: bool
    strict: bool
    as_json: bool


@click.command(name="from-pull-requests")
@click.argument("folder", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--days", default=14, show_default=True, type=click.IntRange(0, 365), help="How long it must stay.")
@click.option("--tag", default="pull_request", show_default=True, metavar="NAME", help="Tag of calls that names one.")
@click.option(
    "--sessions",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Claude Code's transcripts, which name what a session made.",
)
@click.option(
    "--project", "projects", multiple=True, metavar="PATH", help="The repository's path as it is written in the logs."
)
@click.option("--unchecked", is_flag=True, help="One that had no checks at all counts as passed.")
@click.option("--dry-run", is_flag=True, help="Print what would be recorded, and record nothing.")
@click.option("--strict", is_flag=True, help="End with status 1 if anything could not be read.")
@shared.json_option
@shared.ledger_option
@shared.pass_options(FromPullRequestsOptions)
def command(options: FromPullRequestsOptions) -> None:
    """Record pull requests of REPO as outcomes of tasks: merged with green checks, and not reverted in 14 days.

    FILE is what the GitHub command line printed; reverts come from the clone. Nothing is fetched: 'git fetch' first.
    Prints the rule that judges and joins. Running it again corrects what has changed, and counts nothing twice.

    \b
    Examples:
      gh pr list --state all --limit 1000 --json FIELDS > pulls.json   (FIELDS: see docs/yield.md)
      modicum outcome from-pull-requests ~/src/shop pulls.json
      modicum outcome from-pull-requests . pulls.json --sessions ~/.claude/projects --dry-run
    """
    from modicum.importers.outcomes.git_log import repository
    from modicum.importers.outcomes.pull_requests import read_pull_requests

    for path in (*options.paths, *options.sessions):
        if not path.exists():
            raise UserError(f"there is no file {path}; make one with: gh pr list --state all --json {FIELDS}")
    repo = repository(options.folder)
    read = read_pull_requests(options.paths)
    if not read.pulls:
        reason = f": {read.problems[0].reason}" if read.problems else ""
        raise UserError(f"no pull request in {options.paths[0]}{reason}; expected: gh pr list --json {FIELDS}")
    verdicts = _judge(read, repo, options)
    name = next((pull.repository for pull in read.pulls if pull.repository), repo.folder.resolve().name)
    with resources.open_ledger(options.ledger_url, read_settings(), creates=True) as store:
        joined = join_pulls(verdicts, _work(store, repo, options, name), name)
        moved = vacated(_read_stored(store, joined), joined.outcomes)
        if not options.dry_run:
            store.append_records(OUTCOMES, [*moved, *joined.outcomes])
    rule = RULE.format(days=options.days)
    if options.as_json:
        output.print_json(_document(joined, rule, name, options) | {"problems": problem_rows(read.problems)})
    else:
        _print(joined, rule, options)
    print_problems(read.problems, strict=options.strict, quiet=options.as_json)


def _judge(
    read: "PullRequests", repo: "Repository", options: FromPullRequestsOptions
) -> "list[tuple[PullRequest, PullVerdict]]":
    from modicum.importers.outcomes.reverts import read_base_history

    repositories = {pull.repository for pull in read.pulls}
    if len(repositories) > 1:
        raise UserError(f"the files name several repositories: {', '.join(sorted(repositories))}; give one at a time")
    now = datetime.now(UTC)
    merged = [pull.merged_at for pull in read.pulls if pull.merged_at]
    bases = {pull.base for pull in read.pulls if pull.merged_at}
    history = read_base_history(repo, bases, min(merged, default=now), now)
    others = [
        Revert(landed_at=pull.merged_at, numbers=pull.reverts)
        for pull in read.pulls
        if pull.merged_at is not None and pull.reverts
    ]
    reverts = [*history.reverts, *others]
    return [
        (pull, judge_pull(pull, reverts, history, now, options.days, unchecked=options.unchecked))
        for pull in sorted(read.pulls, key=lambda one: one.number)
    ]


def _read_stored(store: "Store", joined: "JoinedPulls") -> "list[Outcome]":
    """Outcomes of the time of these pull requests: theirs of earlier runs are among them."""
    times = [outcome.time for outcome in joined.outcomes]
    if not times:
        return []
    return store.records(OUTCOMES, since=min(times), until=max(times) + timedelta(seconds=1))


def _work(store: "Store", repo: "Repository", options: FromPullRequestsOptions, name: str) -> Work:
    from modicum.importers.outcomes.pull_requests import parse_name, read_session_links

    roots = [root.rstrip("/") for root in (*repo.roots, *options.projects)]
    touches = [
        row
        for row in store.ask("tasks_on_branches", since=datetime(1970, 1, 1, tzinfo=UTC), until=datetime.now(UTC))
        if any(row["project"] == root or row["project"].startswith(f"{root}/") for root in roots)
    ]
    named: dict[int, set[str]] = {}
    for row in store.ask("tagged_tasks", tag=options.tag):
        pull = parse_name(row["value"])
        if pull is not None and pull[0] in {"", name}:
            named.setdefault(pull[1], set()).add(row["task"])
    in_ledger = {touch["task"] for touch in touches}
    for folder in options.sessions:
        for link in read_session_links(folder):
            if link.repository in {"", name} and link.session in in_ledger:
                named.setdefault(link.number, set()).add(link.session)
    return Work(touches=touches, named={number: frozenset(tasks) for number, tasks in named.items()})


def _print(joined: "JoinedPulls", rule: str, options: FromPullRequestsOptions) -> None:
    click.echo(f"Rule: {rule}")
    output.print_table(
        ["pull requests", "", "which means"],
        [
            [verdict, output.count(joined.verdicts[verdict]), meaning]
            for verdict, meaning in _MEANINGS.items()
            if joined.verdicts.get(verdict)
        ],
    )
    click.echo(
        f"joined: {joined.named:,} by tag or transcript, {joined.by_branch:,} by branch, "
        f"{len(joined.without_task):,} to no task of the ledger{_numbers(joined.without_task)}"
    )
    click.echo(
        f"{number_of(joined.tasks, 'task')} with a pull request; tasks of the repository without one: "
        f"{joined.tasks_without:,}"
    )
    verb = "would be booked" if options.dry_run else "booked"
    click.echo(f"{number_of(len(joined.outcomes), 'outcome')} {verb}; next: modicum yield --outcome {NAME}")


def _numbers(numbers: list[int]) -> str:
    if not numbers:
        return ""
    more = ", ..." if len(numbers) > MOST_NUMBERS else ""
    return f" ({', '.join(f'#{number}' for number in numbers[:MOST_NUMBERS])}{more})"


def _document(joined: "JoinedPulls", rule: str, name: str, options: FromPullRequestsOptions) -> dict[str, Any]:
    return {
        "rule": rule,
        "repository": name,
        "pull_requests": {verdict: joined.verdicts.get(verdict, 0) for verdict in _MEANINGS},
        "joined_by_name": joined.named,
        "joined_by_branch": joined.by_branch,
        "without_task": joined.without_task,
        "tasks": joined.tasks,
        "tasks_without_pull_request": joined.tasks_without,
        "outcomes": len(joined.outcomes),
        "dry_run": options.dry_run,
    }
