"""What was taken back on the base branches of a clone, asked of the `git` command. No message is kept.

Read: "This reverts commit SHA" (`git revert`), "Reverts OWNER/NAME#12" (GitHub's button). What a merge or a squash
brought to the branch counts from when it came there.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from modicum.importers.outcomes.git_log import Repository, git_output
from modicum.insights.code.pull_requests import BaseHistory, Revert

_COMMIT = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
_NUMBER = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?#(\d{1,9})\b", re.MULTILINE)
_LOG = ("log", "-z", "--no-color", "--no-show-signature")
_FULL = 40

Chain = dict[str, tuple[datetime, datetime]]
"""Commits of one branch, one after the other, the newest first: when each was authored, and when committed."""


def read_base_history(repo: Repository, bases: Collection[str], since: datetime, now: datetime) -> BaseHistory:
    """The history of the branches that pull requests went to.

    Args:
        repo: the clone.
        bases: names of the branches; one that the clone does not have has no history.
        since: reverts that were made before are not looked for.
        now: to when a repository without a remote is known.
    """
    chains: dict[str, Chain] = {}
    for base in sorted(bases):
        for ref in repo.refs.get(base, ()):
            chains[ref] = _chain(repo.folder, ref)
    return BaseHistory(
        reverts=list(_reverts(repo.folder, chains, since)),
        chains=[{sha: authored for sha, (authored, _) in chain.items()} for chain in chains.values()],
        known_until=_known_until(repo, chains, now),
    )


def _chain(folder: Path, ref: str) -> Chain:
    chain: Chain = {}
    for record in git_output(folder, *_LOG, "--first-parent", "--format=%H%x02%at%x02%ct", ref).split("\0"):
        sha, _, times = record.partition("\x02")
        authored, _, committed = times.partition("\x02")
        try:
            chain[sha] = datetime.fromtimestamp(int(authored), UTC), datetime.fromtimestamp(int(committed), UTC)
        except (ValueError, OverflowError, OSError):
            continue  # git keeps any number as a time
    return chain


def _reverts(folder: Path, chains: dict[str, Chain], since: datetime) -> Iterator[Revert]:
    if not chains:
        return
    which = (
        f"--since=@{max(int(since.timestamp()), 0)}",
        "--extended-regexp",
        "--grep=This reverts commit [0-9a-f]{7,}",
        "--grep=^Reverts .*#[0-9]+",
    )
    for record in git_output(folder, *_LOG, *which, "--format=%H%x02%B", *chains).split("\0"):
        sha, _, message = record.partition("\x02")
        landing = _landing(folder, sha, chains) if sha else None
        if landing is None:
            continue
        commits: set[str] = set()
        for commit in _COMMIT.findall(message):
            whole = commit if len(commit) >= _FULL else _whole_id(folder, commit)
            came = _landing(folder, whole, chains) if whole else None
            commits.update({whole, came[0] if came else ""} - {""})
        numbers = frozenset(int(number) for number in _NUMBER.findall(message))
        yield Revert(landed_at=landing[1], commits=frozenset(commits), numbers=numbers)


def _whole_id(folder: Path, commit: str) -> str:
    """The id that these first characters belong to; empty where it is none of this clone, or several."""
    return git_output(folder, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}", may_fail=True).strip()


def _landing(folder: Path, sha: str, chains: dict[str, Chain]) -> tuple[str, datetime] | None:
    """With which commit of a branch this one came there, and when; None: it is in none of them."""
    for chain in chains.values():
        if sha in chain:
            return sha, chain[sha][1]
    for ref, chain in chains.items():
        since = git_output(folder, "rev-list", "--ancestry-path", f"{sha}..{ref}", may_fail=True).split()
        came = [one for one in since if one in chain]
        if came:
            first = min(came, key=lambda one: chain[one][1])
            return first, chain[first][1]
    return None


def _known_until(repo: Repository, chains: dict[str, Chain], now: datetime) -> datetime:
    """When the clone was fetched last, or made; a repository without a remote is its own truth."""
    if not any(ref.startswith("refs/remotes/") for refs in repo.refs.values() for ref in refs):
        return now
    times = [committed for chain in chains.values() for _, committed in chain.values()]
    folder = Path(repo.folder, git_output(repo.folder, "rev-parse", "--git-common-dir").strip())
    for name in ("FETCH_HEAD", "description"):  # git writes the second when it makes a repository, and never again
        try:
            times.append(datetime.fromtimestamp((folder / name).stat().st_mtime, UTC))
        except OSError:
            continue
    return max(times, default=datetime.fromtimestamp(0, UTC))
