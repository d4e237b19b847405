import json
import os
import subprocess
from typing import NamedTuple

import pytest

from modicum.calls import UserError
from modicum.cli.fixing.applying import apply, forget, list_fixes, place_of, plan_file, undo
from modicum.ledger.file_lock import FileLock


class Step(NamedTuple):
    name: str = "cache-hour"
    client: str = "claude-code"
    kind: str = "json"
    place: str = "~/.claude/settings.json"
    paste: str = '"env": {"A": "1"}'


OWN = b'{"model":  "opus",\t"x": "\xc3\xa4"}'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "home" / ".claude" / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(OWN)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "fixes"


def test_a_change_is_a_diff_and_undo_restores_the_bytes(file, folder):
    plan = plan_file(file, [Step()])
    assert '+    "A": "1"' in plan.diff()
    assert file.read_bytes() == OWN
    file.chmod(0o640)

    apply(plan, folder)

    assert json.loads(file.read_bytes()) == {"model": "opus", "x": "ä", "env": {"A": "1"}}
    assert file.stat().st_mode & 0o777 == 0o640
    assert [(one.number, one.names) for one in list_fixes(folder)] == [(1, ("cache-hour",))]
    assert undo(folder).file == str(file)
    assert file.read_bytes() == OWN
    assert list_fixes(folder) == []


def test_a_file_that_was_not_there_goes_again(file, folder):
    file.unlink()
    plan = plan_file(file, [Step()])
    assert not plan.is_nothing
    apply(plan, folder)
    assert file.exists()

    undo(folder)

    assert not file.exists()


def test_changes_are_taken_back_newest_first(file, folder):
    apply(plan_file(file, [Step()]), folder)
    between = file.read_bytes()
    apply(plan_file(file, [Step("other", paste='"env": {"B": "2"}')]), folder)

    undo(folder)
    assert file.read_bytes() == between
    undo(folder)
    assert file.read_bytes() == OWN
    with pytest.raises(UserError, match="nothing to undo"):
        undo(folder)


def test_undo_refuses_a_file_that_changed_since(file, folder):
    apply(plan_file(file, [Step()]), folder)
    file.write_bytes(b'{"mine": 1}')

    with pytest.raises(UserError, match="was changed since 'modicum fix' wrote it"):
        undo(folder)

    assert file.read_bytes() == b'{"mine": 1}'
    assert forget(folder).names == ("cache-hour",)
    assert list_fixes(folder) == []


def test_a_plan_of_a_file_that_changed_meanwhile_is_not_made(file, folder):
    plan = plan_file(file, [Step()])
    file.write_bytes(b"{}")

    with pytest.raises(UserError, match="was changed meanwhile"):
        apply(plan, folder)

    assert file.read_bytes() == b"{}"
    assert list_fixes(folder) == []


def test_two_at_once_wait_for_each_other(file, folder, monkeypatch):
    monkeypatch.setattr("modicum.cli.fixing.applying.LOCK_WITHIN_S", 0.0)
    plan = plan_file(file, [Step()])
    lock = FileLock(folder / "lock")
    assert lock.acquire()

    with pytest.raises(UserError, match="another 'modicum fix' is at work"):
        apply(plan, folder)

    lock.release()
    assert apply(plan, folder).number == 1


def test_a_read_only_file_stays(file, folder):
    file.chmod(0o444)

    with pytest.raises(UserError, match="is read-only"):
        plan_file(file, [Step()])


def test_a_link_is_followed_and_stays_a_link(file, folder, tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(file)

    apply(plan_file(link, [Step()]), folder)

    assert link.is_symlink()
    assert b'"A"' in file.read_bytes()
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(UserError, match=r"circle|cannot be read"):
        plan_file(circle, [Step()])


def test_a_folder_and_a_pipe_are_no_files(file, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path, reason in ((tmp_path, "it is a folder"), (tmp_path / "pipe", "it is a pipe")):
        with pytest.raises(UserError, match=reason):
            plan_file(path, [Step()])


def test_a_repositorys_file_is_changed_only_by_name(file, folder):
    subprocess.run(["git", "init", "-q", file.parent], check=True)
    subprocess.run(["git", "-C", file.parent, "add", file.name], check=True)

    with pytest.raises(UserError, match="a file of a git repository"):
        plan_file(file, [Step()])

    apply(plan_file(file, [Step()], is_named=True), folder)
    assert b'"A"' in file.read_bytes()


def test_what_cannot_be_written_leaves_no_record(file, folder, monkeypatch):
    plan = plan_file(file, [Step()])

    def fail(_file, _content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("modicum.cli.fixing.applying.replace_user_file", fail)
    with pytest.raises(UserError, match="No space left on device; nothing was changed"):
        apply(plan, folder)

    assert list_fixes(folder) == []


def test_a_broken_record_is_named(folder):
    folder.mkdir()
    (folder / "000001.json").write_text("{")

    with pytest.raises(UserError, match=r"000001\.json is no record"):
        list_fixes(folder)


def test_the_place_follows_the_agents_own_variable(tmp_path):
    assert place_of(Step(), tmp_path, {}) == tmp_path / ".claude" / "settings.json"
    assert place_of(Step(), tmp_path, {"CLAUDE_CONFIG_DIR": "/c"}).as_posix() == "/c/settings.json"
    assert place_of(Step(client="codex", place="~/.codex/config.toml"), tmp_path, {"CODEX_HOME": "/x"}).as_posix() == (
        "/x/config.toml"
    )
