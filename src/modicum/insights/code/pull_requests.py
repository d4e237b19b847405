"""Pull requests as outcomes: merged with green checks, and not reverted within some days.

Pure: what a pull request was, which reverts there were and which tasks worked are handed over. `RULE` says how they are
judged and joined. Successes and failures are booked at the same age, so that failures, which show sooner, do not weigh
more among the youngest.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from modicum.calls import Outcome

NAME = "pull_requests_kept"
RULE = (
    "A pull request counts 1 if it was merged, all checks of its last commit passed, and no commit of it was reverted"
    " on its base branch within {days} days; 0 if it was closed unmerged, merged with a failed check, or reverted. It"
    " is booked {days} days after it was merged or closed, whatever came of it. It belongs to the tasks that name it"
    " (tag, transcript) and to those that worked on its branch before, since the one before it from that branch, in"
    " equal shares; with no such task it is booked without a task of the ledger."
)
PREFIX = "pull_request/"


class Checks(StrEnum):
    """What the checks of a pull request's last commit said."""

    GREEN = "green"
    RED = "red"
    UNFINISHED = "unfinished"
    NONE = "none"
    """It has none."""
    UNKNOWN = "unknown"
    """The file does not say."""


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    repository: str
    """`owner/name`, in small letters; empty where the file does not say."""
    number: int
    head: str
    """The branch that it came from."""
    base: str
    is_fork: bool = False
    """Its branch lies in another repository, whatever it is called."""
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    merge_commit: str = ""
    commits: frozenset[str] = frozenset()
    """Ids of its own commits, as far as the file has them."""
    authored: frozenset[datetime] = frozenset()
    """When they were authored: what rebasing keeps."""
    head_commit: str = ""
    checks: Checks = Checks.UNKNOWN
    reverts: frozenset[int] = frozenset()
    """Numbers of the pull requests that this one takes back."""

    @property
    def ended_at(self) -> datetime | None:
        return self.merged_at or self.closed_at


class Revert(msgspec.Struct, frozen=True, kw_only=True):
    """A commit on a base branch that takes others back."""

    landed_at: datetime
    """When it came to the base branch."""
    commits: frozenset[str] = frozenset()
    """What it takes back, and with which commits these came to the base branch."""
    numbers: frozenset[int] = frozenset()
    """Pull requests that it names."""


class PullVerdict(StrEnum):
    KEPT = "kept"
    REVERTED = "reverted"
    RED = "red"
    CLOSED = "closed"
    OPEN = "open"
    YOUNG = "young"
    """Merged or closed, but not long enough ago."""
    UNCHECKED = "unchecked"
    """Merged, and nobody knows with which checks."""
    UNFETCHED = "unfetched"
    """Merged, and the clone does not reach so far that a revert would show."""


VALUES = {PullVerdict.KEPT: 1.0, PullVerdict.REVERTED: 0.0, PullVerdict.RED: 0.0, PullVerdict.CLOSED: 0.0}
"""What is booked. The others are not decided."""


class BaseHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What a clone holds of the base branches."""

    reverts: Sequence[Revert]
    chains: Sequence[Mapping[str, datetime]]
    """Of each branch, commits that it has one after the other, the newest first, and when each was authored."""
    known_until: datetime
    """To when what happened there can be known."""

    def own_commits(self, pull: PullRequest) -> frozenset[str]:
        """A pull request's commits, with those that it became where it was rebased: these keep their authors' times."""
        rebased: set[str] = set()
        for chain in self.chains:
            is_behind = False
            for sha, authored_at in chain.items():
                is_behind = is_behind or sha == pull.merge_commit
                if is_behind and authored_at not in pull.authored:
                    break
                if is_behind:
                    rebased.add(sha)
        return (pull.commits | rebased | {pull.merge_commit}) - {""}

    def holds(self, commit: str) -> bool:
        return any(commit in chain for chain in self.chains)


def judge_pull(
    pull: PullRequest, reverts: Iterable[Revert], history: BaseHistory, now: datetime, days: int, *, unchecked: bool
) -> PullVerdict:
    """What came of a pull request.

    Args:
        pull: which.
        reverts: all that are known, those of the clone and of other pull requests.
        history: what the clone holds.
        now: the moment of looking.
        days: how long it must stay.
        unchecked: whether one without any check counts as passed.
    """
    if pull.ended_at is None:
        return PullVerdict.OPEN
    over = pull.ended_at + timedelta(days=days)
    if over > now:
        return PullVerdict.YOUNG
    if pull.merged_at is None:
        return PullVerdict.CLOSED
    return _judge_merged(pull, pull.merged_at, over, reverts, history, unchecked=unchecked)


def _judge_merged(
    pull: PullRequest,
    merged_at: datetime,
    over: datetime,
    reverts: Iterable[Revert],
    history: BaseHistory,
    *,
    unchecked: bool,
) -> PullVerdict:
    own = history.own_commits(pull)
    if any(
        merged_at <= revert.landed_at <= over and (pull.number in revert.numbers or own & revert.commits)
        for revert in reverts
    ):
        return PullVerdict.REVERTED
    if pull.checks is Checks.RED:
        return PullVerdict.RED
    if pull.checks is not Checks.GREEN and not (unchecked and pull.checks is Checks.NONE):
        return PullVerdict.UNCHECKED
    if not history.holds(pull.merge_commit) or history.known_until < over:
        return PullVerdict.UNFETCHED
    return PullVerdict.KEPT


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks say of the pull requests that they worked on."""

    touches: Sequence[Mapping[str, Any]]
    """Rows of the question `tasks_on_branches`, of this repository."""
    named: Mapping[int, frozenset[str]]
    """Tasks that name a pull request, by its number: a tag of their calls, or their transcript."""


class JoinedPulls(msgspec.Struct, frozen=True, kw_only=True):
    outcomes: list[Outcome]
    verdicts: dict[PullVerdict, int]
    """How many pull requests of each."""
    named: int
    """Decided ones that belong to tasks by their name."""
    by_branch: int
    without_task: list[int]
    """Numbers of decided ones that no task of the ledger worked on."""
    tasks: int
    """Tasks that got one."""
    tasks_without: int
    """Tasks of the repository that got none, decided or not."""


def join_pulls(verdicts: Sequence[tuple[PullRequest, PullVerdict]], work: Work, repository: str) -> JoinedPulls:
    """Outcomes of the tasks that pull requests belong to, by `RULE`.

    Args:
        verdicts: each pull request, once, with what came of it.
        work: what tasks did.
        repository: the name for outcomes of pull requests whose file names none.
    """
    spoken_for = frozenset(task for tasks in work.named.values() for task in tasks)
    by_branch = _tasks_by_branch(verdicts, work.touches, spoken_for)
    outcomes: list[Outcome] = []
    without: list[int] = []
    counts = {"named": 0, "branch": 0}
    reached: set[str] = set()
    for pull, verdict in verdicts:
        named, worked = work.named.get(pull.number, frozenset()), by_branch.get(pull.number, frozenset())
        tasks = sorted(named | worked)
        reached.update(tasks)
        value = VALUES.get(verdict)
        if value is None:
            continue
        if not tasks:
            without.append(pull.number)
        else:
            counts["named" if named else "branch"] += 1
        outcomes += _outcomes(pull, verdict, value, tasks, pull.repository or repository)
    every = {touch["task"] for touch in work.touches} | spoken_for
    return JoinedPulls(
        outcomes=outcomes,
        verdicts=dict(Counter(verdict for _, verdict in verdicts)),
        named=counts["named"],
        by_branch=counts["branch"],
        without_task=sorted(without),
        tasks=len({outcome.task for outcome in outcomes} & every),
        tasks_without=len(every - reached),
    )


def vacated(stored: Iterable[Outcome], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Shares of earlier runs whose tasks no longer have a part, set to nothing.

    Args:
        stored: outcomes of the ledger.
        outcomes: those of this run.
    """
    current = {outcome.outcome_id for outcome in outcomes}
    pulls = {_pull_of(outcome.outcome_id) for outcome in outcomes}
    return [
        msgspec.structs.replace(one, task=_pull_of(one.outcome_id), value=0.0, source="pull request: share moved")
        for one in stored
        if one.outcome_id.startswith(PREFIX)
        and one.outcome_id not in current
        and _pull_of(one.outcome_id) in pulls
        and one.task != _pull_of(one.outcome_id)
    ]


def _pull_of(outcome_id: str) -> str:
    return outcome_id.rpartition("/")[0]


def _tasks_by_branch(
    verdicts: Sequence[tuple[PullRequest, PullVerdict]],
    touches: Sequence[Mapping[str, Any]],
    spoken_for: frozenset[str],
) -> dict[int, frozenset[str]]:
    """Whose calls were made on a pull request's branch, since the one before it from that branch had ended."""
    on_branch: dict[str, list[Mapping[str, Any]]] = {}
    for touch in touches:
        if touch["task"] not in spoken_for:
            on_branch.setdefault(touch["branch"], []).append(touch)
    ended: dict[str, list[PullRequest]] = {}
    for pull, _ in verdicts:
        if pull.head and not pull.is_fork:
            ended.setdefault(pull.head, []).append(pull)
    tasks: dict[int, frozenset[str]] = {}
    for head, pulls in ended.items():
        since: datetime | None = None
        for pull in sorted(pulls, key=lambda one: one.ended_at.timestamp() if one.ended_at else math.inf):
            until = pull.ended_at
            tasks[pull.number] = frozenset(
                touch["task"]
                for touch in on_branch.get(head, ())
                if (since is None or touch["first_at"] > since) and (until is None or touch["first_at"] <= until)
            )
            since = until
    return tasks


def _outcomes(
    pull: PullRequest, verdict: PullVerdict, value: float, tasks: Sequence[str], repository: str
) -> list[Outcome]:
    """The task is no part of the identity: a share that moves to another task is not counted twice."""
    pull_id = f"{PREFIX}{repository}#{pull.number}"
    assert pull.ended_at is not None  # noqa: S101 - it was decided
    return [
        Outcome(
            outcome_id=f"{pull_id}/{slot}",
            task=task,
            name=NAME,
            value=value / max(len(tasks), 1),
            time=pull.ended_at,
            source=f"pull request: {verdict}",
        )
        for slot, task in enumerate(tasks or [pull_id])
    ]
