import subprocess

import pytest

from modicum.calls import UserError
from modicum.insights.code.context_files import changed_context_files


def words(text):
    return len(text.split())


@pytest.fixture
def repository(tmp_path):
    def git(*more):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, "-C", str(tmp_path), *more], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "AGENTS.md").write_text("one two three")
    (tmp_path / "CLAUDE.md").write_text("one")
    (tmp_path / "README.md").write_text("one")
    git("add", ".")
    git("commit", "-qm", "one")
    return tmp_path


def test_changed_new_and_deleted_files_are_counted_the_largest_change_first(repository):
    (repository / "CLAUDE.md").write_text("one two")
    (repository / "sub" / "AGENTS.md").unlink()
    (repository / "README.md").write_text("much more " * 99)
    (repository / ".claude" / "skills" / "x").mkdir(parents=True)
    (repository / ".claude" / "skills" / "x" / "SKILL.md").write_text("a b c d e")
    (repository / "prompts").mkdir()
    (repository / "prompts" / "ä b.txt").write_text("a b c d")

    found = changed_context_files(repository / "sub", "HEAD", words)
    assert [(one.path, one.added_tokens) for one in found] == [
        (".claude/skills/x/SKILL.md", 5),
        ("prompts/ä b.txt", 4),
        ("sub/AGENTS.md", -3),
        ("CLAUDE.md", 1),
    ]


def test_a_link_is_not_followed(repository):
    (repository / "CLAUDE.md").unlink()
    (repository / "CLAUDE.md").symlink_to("/etc/hostname")

    assert [(one.path, one.after_tokens) for one in changed_context_files(repository, "HEAD", words)] == [
        ("CLAUDE.md", 0)
    ]


@pytest.mark.parametrize("base", ["gone", "--help", ""])
def test_a_base_that_git_does_not_know_is_said(repository, base):
    with pytest.raises(UserError, match="git knows no"):
        changed_context_files(repository, base, words)


def test_outside_of_a_repository_that_is_said_too(tmp_path):
    with pytest.raises(UserError, match="git knows no 'HEAD'"):
        changed_context_files(tmp_path, "HEAD", words)
