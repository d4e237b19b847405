"""Commits joined to tasks: what of a coding agent's work was kept.

The rule, `RULE`, is last touch: a commit counts in full for the one task that worked there last before it. Sharing a
commit among all tasks of the window would need a weight that nobody can check; the last session before a commit is the
one that people name when asked.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from modicum.calls import Outcome

RULE = (
    "A commit counts in full for the task with the last call in the repository before it, at most {window} earlier:"
    " first among tasks on a branch that holds the commit; if there is none, among tasks whose branch is gone or was"
    " not logged. The time of a commit is the author's, so that rebasing does not move it. Merges are left out, copies"
    " of a commit count once, a rename adds no lines. A task of the repository that got no commit is booked as 0,"
    " unless no task got any."
)
MEASURES = ("commits", "lines_added", "lines_removed", "files_changed")


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    """The same for a commit and its rebased, amended or picked copies."""
    authored_at: datetime
    branches: frozenset[str]
    """Names of the branches that hold it, without the remote's name."""
    lines_added: int
    lines_removed: int
    files_changed: int

    def measure(self) -> dict[str, float]:
        return {
            "commits": 1.0,
            "lines_added": float(self.lines_added),
            "lines_removed": float(self.lines_removed),
            "files_changed": float(self.files_changed),
        }


class JoinedCommits(msgspec.Struct, frozen=True, kw_only=True):
    outcomes: list[Outcome]
    by_branch: int
    """Commits joined by branch and time."""
    by_time: int
    """Commits joined by time alone: the branch of the task is gone, or no log named it."""
    without_task: int
    """Commits before which no task worked within the window: people's own work, or work that was not logged."""
    tasks: int
    tasks_without_commit: int


class _Touches:
    """The calls of tasks in one place, in order of time."""

    def __init__(self) -> None:
        self._times: list[datetime] = []
        self._tasks: list[str] = []

    def add(self, at: datetime, task: str) -> None:
        self._times.append(at)
        self._tasks.append(task)

    def sort(self) -> None:
        order = sorted(range(len(self._times)), key=lambda i: (self._times[i], self._tasks[i]))
        self._times = [self._times[i] for i in order]
        self._tasks = [self._tasks[i] for i in order]

    def last(self, before: datetime, window: timedelta) -> tuple[datetime, str] | None:
        place = bisect_right(self._times, before) - 1
        if place < 0 or self._times[place] < before - window:
            return None
        return self._times[place], self._tasks[place]


def join_commits(
    commits: Iterable[Commit],
    touches: Sequence[Mapping[str, Any]],
    branches: frozenset[str],
    window: timedelta,
    examined: tuple[datetime, datetime],
) -> JoinedCommits:
    """Outcomes of the tasks that the commits are joined to, by `RULE`.

    Args:
        commits: those of one repository.
        touches: rows of the question `tasks_on_branches` in that repository.
        branches: the branches that the repository still has.
        window: how long before a commit a task may have worked on it.
        examined: the time whose commits these are, up to now at most. Only tasks whose calls and windows lie within it
            can be booked as 0.
    """
    by_branch, adrift, worked = _group_touches(touches, branches)
    outcomes: list[Outcome] = []
    counts = {"branch": 0, "time": 0, "none": 0}
    for commit in commits:
        found = [
            last
            for branch in commit.branches
            if branch in by_branch and (last := by_branch[branch].last(commit.authored_at, window))
        ]
        rule = "branch"
        if not found and (loose := adrift.last(commit.authored_at, window)):
            found, rule = [loose], "time"
        if not found:
            counts["none"] += 1
            continue
        counts[rule] += 1
        outcomes += _make_outcomes(commit, max(found)[1], rule)
    idle = worked.keys() - {outcome.task for outcome in outcomes}
    since, until = examined
    # Where no commit was joined at all, this is more likely the wrong repository than a time of failure.
    if outcomes:
        outcomes += _make_zero_outcomes(
            {task: worked[task][1] for task in idle if since <= worked[task][0] and worked[task][1] + window <= until}
        )
    return JoinedCommits(
        outcomes=outcomes,
        by_branch=counts["branch"],
        by_time=counts["time"],
        without_task=counts["none"],
        tasks=len(worked),
        tasks_without_commit=len(idle),
    )


def _group_touches(
    touches: Sequence[Mapping[str, Any]], branches: frozenset[str]
) -> tuple[dict[str, _Touches], _Touches, dict[str, tuple[datetime, datetime]]]:
    """Touches by branch, those on no living branch, and the first and last call of each task."""
    by_branch: dict[str, _Touches] = {}
    adrift = _Touches()
    worked: dict[str, tuple[datetime, datetime]] = {}
    for touch in touches:
        task, branch = touch["task"], touch["branch"]
        held = by_branch.setdefault(branch, _Touches()) if branch in branches else adrift
        for at in {touch["first_at"], touch["last_at"]}:
            held.add(at, task)
        first_at, last_at = worked.get(task, (touch["first_at"], touch["last_at"]))
        worked[task] = min(first_at, touch["first_at"]), max(last_at, touch["last_at"])
    for held in (*by_branch.values(), adrift):
        held.sort()
    return by_branch, adrift, worked


def _make_outcomes(commit: Commit, task: str, rule: str) -> list[Outcome]:
    """The task is no part of the identity: a commit that is joined anew moves, it is not counted twice."""
    source = "git: last touch on the branch" if rule == "branch" else "git: last touch by time alone"
    return [
        Outcome(
            outcome_id=f"git/{commit.key}/{name}",
            task=task,
            name=name,
            value=value,
            time=commit.authored_at,
            source=source,
        )
        for name, value in commit.measure().items()
    ]


def _make_zero_outcomes(idle: Mapping[str, datetime]) -> list[Outcome]:
    return [
        Outcome(
            outcome_id=f"git/none/{name}/{task}",
            task=task,
            name=name,
            value=0.0,
            time=last_at,
            source="git: no commit within the window",
        )
        for task, last_at in sorted(idle.items())
        for name in MEASURES
    ]
