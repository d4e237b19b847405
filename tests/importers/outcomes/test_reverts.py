"""Reverts in real repositories, made here: by a merge, a squash, a rebase, and by a pull request of their own."""

import os
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from modicum.importers.outcomes.git_log import repository
from modicum.importers.outcomes.reverts import read_base_history

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=40)


class Clone:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.commit("begin")

    def git(self, *words, hours=0.0):
        at = (NOON + timedelta(hours=hours)).isoformat()
        who = {
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@e",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@e",
        }
        when = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
        away = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", self.folder, *words], check=True, capture_output=True, env=os.environ | away | who | when
        )
        return done.stdout.decode().strip()

    def commit(self, message, hours=0.0):
        self.git("commit", "-q", "--allow-empty", "-m", message, hours=hours)
        return self.git("rev-parse", "HEAD")

    def history(self, *bases, since=NOON):
        return read_base_history(repository(self.folder), bases or ("main",), since, NOW)


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path / "shop")


def test_a_commit_that_came_with_a_merge_takes_the_merge_along(clone):
    clone.git("checkout", "-q", "-b", "fix")
    own = clone.commit("fix it", 1)
    clone.git("checkout", "-q", "main")
    clone.git("merge", "-q", "--no-ff", "-m", "Merge pull request #1", "fix", hours=2)
    merge = clone.git("rev-parse", "HEAD")
    clone.commit(f'Revert "fix it"\n\nThis reverts commit {own[:10]}.', 3)

    (revert,) = clone.history().reverts

    assert revert.commits == {own, merge}
    assert revert.landed_at == NOON + timedelta(hours=3)


def test_a_revert_counts_from_when_it_came_to_the_branch(clone):
    own = clone.commit("squashed (#1)", 1)
    clone.git("checkout", "-q", "-b", "revert-1")
    clone.commit(f'Revert "squashed (#1)"\n\nThis reverts commit {own}, reversing\nchanges made to {own}.', 2)
    assert clone.history().reverts == []

    clone.git("checkout", "-q", "main")
    clone.git("merge", "-q", "--no-ff", "-m", "Merge pull request #2", "revert-1", hours=9)
    (revert,) = clone.history().reverts

    assert (revert.commits, revert.landed_at) == ({own}, NOON + timedelta(hours=9))


def test_pull_requests_that_are_named(clone):
    clone.commit('Revert "a (#1)" (#3)\n\nReverts ada/shop#1', 1)
    clone.commit("it says that this Reverts #5 in passing", 2)

    assert [revert.numbers for revert in clone.history().reverts] == [{1}]


def test_the_chain_has_authors_times_newest_first(clone):
    second = clone.commit("more", 5)

    (chain,) = clone.history().chains
    assert next(iter(chain.items())) == (second, NOON + timedelta(hours=5))
    assert len(chain) == 2


def test_a_branch_or_commit_that_is_not_there_says_nothing(clone):
    clone.commit(f"This reverts commit {'ab' * 20}.", 1)

    assert clone.history("develop").reverts == []
    assert [revert.commits for revert in clone.history().reverts] == [{"ab" * 20}]


def test_what_can_be_known_ends_with_the_last_fetch(clone, tmp_path):
    assert clone.history().known_until == NOW
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", clone.folder, copy], check=True, capture_output=True)
    for name in ("FETCH_HEAD", "description"):
        (copy / ".git" / name).touch()
        os.utime(copy / ".git" / name, (NOON.timestamp() + 86_400 * (name == "FETCH_HEAD"),) * 2)

    assert read_base_history(repository(copy), ("main",), NOON, NOW).known_until == NOON + timedelta(days=1)


def test_reverts_from_before_all_pull_requests_are_not_looked_for(clone):
    own = clone.commit("work", 1)
    clone.commit(f"This reverts commit {own}.", 2)

    assert len(clone.history().reverts) == 1
    assert clone.history(since=NOON + timedelta(hours=3)).reverts == []
