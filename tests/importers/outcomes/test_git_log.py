"""Commits of real repositories, made here."""

import os
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import UserError
from modicum.importers.outcomes.git_log import commits, repository

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
EVER = NOON - timedelta(days=30), NOON + timedelta(days=30)


class Repo:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "ada@example.org")
        self.git("config", "user.name", "Ada")

    def git(self, *words, hours=0.0, author="Ada <ada@example.org>"):
        name, _, mail = author.rstrip(">").partition(" <")
        at = (NOON + timedelta(hours=hours)).isoformat()
        told = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
        away = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(
            ["git", "-C", self.folder, *words], check=True, capture_output=True, env=os.environ | away | told
        )

    def commit(self, message, files, **fields):
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, **fields)


@pytest.fixture
def repo(tmp_path):
    made = Repo(tmp_path / "shop")
    made.commit("begin", {"a.txt": b"1\n2\n3\n4\n"})
    return made


def found(repo, branches=("main",), authors=(), span=EVER):
    return commits(repository(repo.folder), *span, list(branches), list(authors))


def lines(commits):
    return [(c.lines_added, c.lines_removed, c.files_changed) for c in commits]


def test_lines_and_files_are_counted_and_binaries_have_no_lines(repo):
    repo.commit("work", {"a.txt": b"1\n2\n3\nfour\n", "pic.png": b"\0\1\2", "b c.txt": b"x\n"}, hours=1)

    assert lines(found(repo)) == [(4, 0, 1), (2, 1, 3)]


def test_a_rename_adds_no_lines(repo):
    (repo.folder / "a.txt").rename(repo.folder / "1\t2.txt")
    repo.commit("rename", {}, hours=1)

    assert lines(found(repo))[1] == (0, 0, 1)


def test_merges_are_left_out(repo):
    repo.git("checkout", "-q", "-b", "fix")
    repo.commit("on fix", {"b.txt": b"1\n"}, hours=1)
    repo.git("checkout", "-q", "main")
    repo.commit("on main", {"c.txt": b"1\n"}, hours=2)
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "fix", hours=3)

    assert lines(found(repo)) == [(4, 0, 1), (1, 0, 1), (1, 0, 1)]


def test_it_is_known_which_branches_hold_a_commit(repo):
    repo.git("checkout", "-q", "-b", "fix")
    repo.commit("on fix", {"b.txt": b"1\n"}, hours=1)

    assert [c.branches for c in found(repo, ["main", "fix", "gone"])] == [{"main", "fix"}, {"fix"}]


def test_a_rebased_or_amended_copy_is_the_same_commit(repo):
    repo.git("checkout", "-q", "-b", "fix")
    repo.commit("on fix", {"b.txt": b"1\n"}, hours=1)
    (before,) = [c for c in found(repo) if c.lines_added == 1]
    repo.git("checkout", "-q", "main")
    repo.commit("on main", {"c.txt": b"1\n2\n"}, hours=2)
    repo.git("cherry-pick", "fix", hours=3)
    (after,) = [c for c in found(repo, ["main", "fix"]) if c.lines_added == 1]

    assert after.key == before.key
    assert after.branches == {"main", "fix"}


def test_authors_and_times_are_chosen(repo):
    repo.commit("other", {"b.txt": b"1\n"}, hours=1, author="Bob <bob@example.org>")

    assert lines(found(repo, authors=["BOB@"])) == [(1, 0, 1)]
    assert lines(found(repo, authors=["ada", "bob"])) == [(4, 0, 1), (1, 0, 1)]
    assert lines(found(repo, span=(NOON + timedelta(minutes=1), EVER[1]))) == [(1, 0, 1)]
    assert lines(found(repo, span=(EVER[0], NOON + timedelta(minutes=1)))) == [(4, 0, 1)]


def test_a_repository_knows_its_working_trees_branches_and_user(repo, tmp_path):
    repo.git("worktree", "add", "-q", "-b", "fix/it", str(tmp_path / "tree"))
    (repo.folder / "sub").mkdir()
    known = repository(repo.folder / "sub")

    assert set(known.roots) == {str(repo.folder), str(tmp_path / "tree")}
    assert known.refs == {"main": ("refs/heads/main",), "fix/it": ("refs/heads/fix/it",)}
    assert known.user == "ada@example.org"


def test_an_empty_repository_has_no_commits(tmp_path):
    assert found(Repo(tmp_path / "empty")) == []


@pytest.mark.parametrize(("name", "reason"), [("none", "no folder"), ("", "git cannot read")])
def test_what_is_no_repository_is_refused(tmp_path, name, reason, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(UserError, match=reason):
        repository(tmp_path / name)


def test_without_git_it_says_so(repo, monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UserError, match="no git command"):
        repository(repo.folder)
