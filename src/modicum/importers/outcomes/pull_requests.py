"""Pull requests of GitHub as `gh` prints them, and which session made one as Claude Code's transcripts say.

Read: `gh pr list --json ...` (fields `number`, `url`, `body`, `state`, `headRefName`, `headRefOid`, `baseRefName`,
`isCrossRepository`, `mergedAt`, `closedAt`, `mergeCommit`, `commits`, `statusCheckRollup`); `gh api
repos/OWNER/NAME/pulls?state=closed` (`head`, `base`, `merged_at`, `merge_commit_sha`, ...), which has no checks, with
`gh api .../commits/SHA/check-runs` and `.../commits/SHA/status` beside it; rows `pr-link` of transcripts.

Field names and states were looked up on 2026-11-30 in cli/cli, `api/export_pr.go` and `api/queries_pr.go`, and in
GitHub's REST reference. No file of a private repository was at hand.

Traps, each with a test: a check that ran again stands twice, and its last run counts; SKIPPED and NEUTRAL pass; a
StatusContext has `state` and no `conclusion`; an empty list is a pull request without checks, a missing field is
nobody's knowledge; REST writes states in small letters and keeps `merge_commit_sha` of a test merge for pull requests
that were never merged.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Problem
from modicum.importers.files import lines, records
from modicum.insights.code.pull_requests import Checks, PullRequest
from modicum.providers.fields import checked_moment, first, label, listed, mapping, text
from modicum.providers.json_values import decoded

Row = Mapping[str, Any]
_PASSED = {"success", "neutral", "skipped"}
_FAILED = {"failure", "error", "cancelled", "timed_out", "action_required", "startup_failure", "stale"}
_URL = re.compile(r"^https?://[^/]+/([^/\s]+/[^/\s]+)/pull/(\d+)")
_REVERTS = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?#(\d+)\b", re.MULTILINE)
_NAMED = re.compile(r"^(?:([\w.-]+/[\w.-]+)?#)?(\d+)$")
_LINK = b'"pr-link"'
_NEEDED = "number and headRefName (gh pr list --json) or number and head (gh api)"


class PullRequests(msgspec.Struct, frozen=True, kw_only=True):
    pulls: list[PullRequest]
    problems: list[Problem]


class SessionLink(msgspec.Struct, frozen=True, kw_only=True):
    """A transcript's word that a session made a pull request."""

    session: str
    repository: str
    number: int


def read_pull_requests(paths: Iterable[Path]) -> PullRequests:
    """The pull requests of these files, one for each number of a repository: the last that was read."""
    pulls: dict[tuple[str, int], PullRequest] = {}
    checks: dict[str, list[Row]] = {}
    problems: list[Problem] = []
    for path in paths:
        for item in records(path):
            if isinstance(item, Problem):
                problems.append(item)
                continue
            number, row = item
            if (found := _checks_of_commit(row)) is not None:
                checks.setdefault(found[0], []).extend(found[1])
                continue
            try:
                pull = _pull(row)
            except ValueError as error:
                problems.append(Problem(str(path), f"not a pull request: {error}", number))
                continue
            pulls[pull.repository, pull.number] = pull
    joined = [
        msgspec.structs.replace(pull, checks=_sum_up(checks[pull.head_commit]))
        if pull.checks is Checks.UNKNOWN and pull.head_commit in checks
        else pull
        for pull in pulls.values()
    ]
    return PullRequests(pulls=joined, problems=problems)


def read_session_links(folder: Path) -> list[SessionLink]:
    """Which sessions made which pull requests, of all transcripts below a folder. Other rows are passed over."""
    paths = sorted(folder.rglob("*.jsonl")) if folder.is_dir() else [folder]
    links: dict[tuple[str, str, int], SessionLink] = {}
    for path in paths:
        for item in lines(path):
            if isinstance(item, Problem) or _LINK not in item[1]:
                continue
            try:
                row = mapping(decoded(item[1]))
            except (ValueError, RecursionError):
                continue
            found = parse_name(text(row.get("prUrl"))) or (label(row.get("prRepository")), row.get("prNumber"))
            session = label(row.get("sessionId")) or path.stem
            if row.get("type") == "pr-link" and isinstance(found[1], int):
                link = SessionLink(session=session, repository=found[0].lower(), number=found[1])
                links[session, link.repository, link.number] = link
    return list(links.values())


def parse_name(name: str) -> tuple[str, int] | None:
    """Repository and number of a pull request as tags name it: `12`, `#12`, `owner/name#12`, its address."""
    found = _URL.match(name.strip()) or _NAMED.match(name.strip())
    return ((found[1] or "").lower(), int(found[2])) if found and len(found[2]) <= 9 else None


def _pull(row: Row) -> PullRequest:
    number = row.get("number")
    head, base = mapping(row.get("head")), mapping(row.get("base"))
    if not isinstance(number, int) or isinstance(number, bool) or number < 1 or not (head or "headRefName" in row):
        raise ValueError(f"it lacks {_NEEDED}")
    named = parse_name(text(row.get("url"))) or parse_name(text(row.get("html_url")))
    repository = named[0] if named else label(mapping(base.get("repo")).get("full_name")).lower()
    merged_at = _time(row, "mergedAt", "merged_at")
    commits = [mapping(one) for one in listed(row.get("commits"))]
    merge_commit = label(mapping(row.get("mergeCommit")).get("oid")) or label(row.get("merge_commit_sha"))
    return PullRequest(
        repository=repository,
        number=number,
        head=label(first(row, "headRefName")) or label(head.get("ref")),
        base=label(first(row, "baseRefName")) or label(base.get("ref")),
        is_fork=row.get("isCrossRepository") is True or _is_elsewhere(head, base),
        merged_at=merged_at,
        closed_at=_time(row, "closedAt", "closed_at"),
        merge_commit=merge_commit if merged_at else "",
        commits=frozenset(label(one.get("oid")) for one in commits) - {""},
        authored=frozenset(at for one in commits if (at := checked_moment(one.get("authoredDate"))) is not None),
        head_commit=label(row.get("headRefOid")) or label(head.get("sha")),
        checks=_sum_up(listed(row["statusCheckRollup"]))
        if row.get("statusCheckRollup") is not None
        else Checks.UNKNOWN,
        reverts=frozenset(int(found) for found in _REVERTS.findall(text(row.get("body")))[:100] if len(found) <= 9),
    )


def _time(row: Row, *names: str) -> datetime | None:
    """`gh` writes a time that there is not as null, older ones as the year 1."""
    try:
        at = checked_moment(first(row, *names))
    except ValueError:
        raise ValueError(f"{names[0]} is no time") from None
    return None if at is None or at.year < 1970 else at.astimezone(UTC)


def _is_elsewhere(head: Row, base: Row) -> bool:
    """REST: the branch's repository differs, or was deleted."""
    if not head or "repo" not in head:
        return False
    mine, theirs = mapping(head.get("repo")).get("full_name"), mapping(base.get("repo")).get("full_name")
    return mine != theirs


def _checks_of_commit(row: Row) -> tuple[str, list[Row]] | None:
    """The commit and its checks, if this is a reply about checks or statuses of one commit."""
    if isinstance(row.get("check_runs"), list):
        runs = [mapping(one) for one in row["check_runs"]]
        return (label(runs[0].get("head_sha")) if runs else "", runs)
    if isinstance(row.get("statuses"), list) and "sha" in row:
        return label(row["sha"]), [mapping(one) for one in row["statuses"]]
    return None


def _sum_up(checks: Iterable[Any]) -> Checks:
    """Green if the last run of every check passed."""
    last: dict[tuple[str, str], tuple[str, str]] = {}
    for check in map(mapping, checks):
        name = label(check.get("name")) or label(check.get("context"))
        place = label(check.get("workflowName")), name
        began = text(first(check, "startedAt", "started_at", "updated_at", "created_at"))
        if place not in last or began >= last[place][0]:
            last[place] = began, _state(check)
    states = {state for _, state in last.values()}
    if not states:
        return Checks.NONE
    if states & _FAILED:
        return Checks.RED
    return Checks.GREEN if states <= _PASSED else Checks.UNFINISHED


def _state(check: Row) -> str:
    """`conclusion` of a check run that has ended, `state` of a status."""
    return (text(check.get("conclusion")) or text(check.get("state")) or text(check.get("status"))).lower()
