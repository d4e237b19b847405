"""The commits of a repository, asked of the `git` command. No message and no name is kept."""

import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from modicum.calls import UserError
from modicum.insights.code.commits import Commit

_HEADER = "%x01%H%x02%at%x02%an <%ae>%x02%s"
_MOST_SECONDS = 300


@dataclass(frozen=True)
class Repository:
    folder: Path
    roots: tuple[str, ...]
    """Its folder and those of its further working trees."""
    refs: dict[str, tuple[str, ...]]
    """Branch name, without the remote's name, and the full refs that carry it."""
    user: str
    """The e-mail address that commits are made under here; empty where none is set."""


def repository(folder: Path) -> Repository:
    """The repository that holds this folder.

    Raises:
        UserError: there is none, or no git.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    root = git_output(folder, "rev-parse", "--show-toplevel").strip()
    trees = git_output(folder, "worktree", "list", "--porcelain", "-z").split("\0")
    roots = {root, *(line.removeprefix("worktree ") for line in trees if line.startswith("worktree "))}
    refs: dict[str, list[str]] = {}
    for ref in git_output(folder, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes").splitlines():
        kind, _, name = ref.removeprefix("refs/").partition("/")
        branch = name if kind == "heads" else name.partition("/")[2]
        if branch and branch != "HEAD":
            refs.setdefault(branch, []).append(ref)
    user = git_output(folder, "config", "--default", "", "user.email").strip()
    return Repository(folder, tuple(sorted(roots)), {name: tuple(held) for name, held in refs.items()}, user)


def commits(
    repo: Repository, since: datetime, until: datetime, branches: Sequence[str], authors: Sequence[str]
) -> list[Commit]:
    """The commits of all branches that were authored in that time, merges left out, copies of one commit once.

    Args:
        repo: where.
        since: first moment of the author's time.
        until: first moment after it.
        branches: names of those for which it shall be known whether they hold a commit.
        authors: parts of a name or e-mail address, any case; empty: everybody.
    """
    begin = f"--since=@{int(since.timestamp())}" if since.timestamp() > 0 else "--since=@0"
    holders: dict[str, set[str]] = {}
    for branch in branches:
        for ref in repo.refs.get(branch, ()):
            for sha in git_output(repo.folder, "rev-list", "--no-merges", begin, ref).splitlines():
                holders.setdefault(sha, set()).add(branch)
    everything = ("--branches", "--remotes", "HEAD") if repo.refs else ("--branches",)
    text = git_output(
        repo.folder,
        *("log", *everything, "--no-merges", "--numstat", "--find-renames", "-z", "--no-ext-diff", "--no-textconv"),
        *("--no-color", "--no-show-signature", f"--format={_HEADER}", begin),
    )
    found: dict[str, Commit] = {}
    for sha, at, author, subject, stats in _records(text):
        if not since <= at < until or not _is_by(author, authors):
            continue
        key = hashlib.blake2b(f"{author}\0{at.isoformat()}\0{subject}".encode(), digest_size=12).hexdigest()
        known = found.get(key)
        held = frozenset(holders.get(sha, ())) | (known.branches if known else frozenset())
        added, removed, files = (
            stats if known is None else (known.lines_added, known.lines_removed, known.files_changed)
        )
        found[key] = Commit(
            key=key, authored_at=at, branches=held, lines_added=added, lines_removed=removed, files_changed=files
        )
    return sorted(found.values(), key=lambda commit: commit.authored_at)


def _records(text: str) -> Iterator[tuple[str, datetime, str, str, tuple[int, int, int]]]:
    for record in text.split("\x01")[1:]:
        header, _, files = record.partition("\0")
        sha, seconds, author, subject = header.split("\x02", 3)
        try:
            at = datetime.fromtimestamp(int(seconds), UTC)
        except (ValueError, OverflowError, OSError):
            continue  # git keeps any number as a time; one that no calendar has lies in no span that is asked for
        yield sha, at, author, subject, _sums(files)


def _sums(files: str) -> tuple[int, int, int]:
    """Lines added and removed, and files changed. Of a binary file git counts no lines.

    A file is `added TAB removed TAB name NUL`; of a renamed one the name is empty, and the two names follow.
    """
    added = removed = count = 0
    for field in files.lstrip("\n").split("\0"):
        plus, tab, rest = field.partition("\t")
        minus, second, _ = rest.partition("\t")
        if not (tab and second) or not (plus + minus).replace("-", "0").isdigit():
            continue  # one of the two names of a renamed file
        count += 1
        if plus.isdigit():
            added, removed = added + int(plus), removed + int(minus)
    return added, removed, count


def _is_by(author: str, authors: Sequence[str]) -> bool:
    return not authors or any(part.casefold() in author.casefold() for part in authors)


def git_output(folder: Path, *words: str, may_fail: bool = False) -> str:
    """What git prints. `may_fail`: nothing where git says no.

    Raises:
        UserError: git is not there, or says no.
    """
    try:
        done = subprocess.run(  # noqa: S603 - every word is ours or a full ref that git itself listed
            ["git", "-C", str(folder), *words],  # noqa: S607 - the user's git, from the user's PATH
            capture_output=True,
            timeout=_MOST_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UserError(
            "there is no git command on this machine; install git, or use 'modicum outcome import'"
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"git took more than {_MOST_SECONDS} s in {folder}; give a shorter time with --since") from None
    if done.returncode and may_fail:
        return ""
    if done.returncode:
        error_lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError(f"git cannot read {folder}: {error_lines[0] if error_lines else 'no reason given'}")
    return done.stdout.decode("utf-8", "replace")
