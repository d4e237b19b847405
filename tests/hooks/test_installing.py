"""A user's settings get hooks, and are what they were when these go."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from modicum.calls import UserError
from modicum.hooks import installing
from modicum.hooks.agents import AGENTS
from modicum.hooks.policy import read_policy

CLAUDE = AGENTS["claude-code"]
OWN = b'{"model":  "opus", "hooks": {"PostToolUse": [{"matcher": "Edit", "hooks": []}]},\t"x": "\xc3\xa4"}'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "home" / ".claude" / "settings.json"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "modicum"


def plan(file, folder, agent=CLAUDE, *, with_status_line=True):
    return installing.plan_hooks(agent, file, folder, "/opt/m/bin/python", with_status_line=with_status_line)


def test_settings_keep_what_they_had_and_are_restored_to_the_byte(file, folder):
    file.write_bytes(OWN)
    file.chmod(0o640)

    installing.install(plan(file, folder), folder)

    settings = json.loads(file.read_bytes())
    own, ours = settings["hooks"]["PostToolUse"]
    assert own == {"matcher": "Edit", "hooks": []}
    assert settings["model"] == "opus"
    command = ours["hooks"][0]["command"]
    assert command == f"/opt/m/bin/python -I -m modicum.hooks after-tool claude-code {folder}"
    assert "PreToolUse" not in settings["hooks"]
    assert file.stat().st_mode & 0o777 == 0o640
    assert read_policy(folder, "claude-code").rules == ()
    assert installing.installed_by(folder, CLAUDE)
    assert installing.remove(CLAUDE, folder) == file
    assert file.read_bytes() == OWN
    assert read_policy(folder, "claude-code") is None


def test_a_file_that_was_not_there_goes_again(file, folder):
    installing.install(plan(file, folder), folder)
    assert file.exists()

    installing.remove(CLAUDE, folder)

    assert not file.exists()
    with pytest.raises(UserError, match="no hooks of this modicum are in the settings of Claude Code"):
        installing.remove(CLAUDE, folder)


def test_a_file_that_was_changed_since_is_refused_and_ours_alone_can_go(file, folder):
    file.write_bytes(OWN)
    installing.install(plan(file, folder), folder)
    settings = json.loads(file.read_bytes())
    settings["model"] = "sonnet"
    file.write_text(json.dumps(settings))
    changed = file.read_bytes()

    with pytest.raises(UserError, match=r"was changed since the hooks came.*--only-ours"):
        installing.remove(CLAUDE, folder)
    assert file.read_bytes() == changed
    assert read_policy(folder, "claude-code") is not None
    installing.remove(CLAUDE, folder, only_ours=True)

    assert json.loads(file.read_bytes()) == {**json.loads(OWN), "model": "sonnet"}


def test_a_second_installation_by_any_version_is_refused(file, folder, tmp_path):
    installing.install(plan(file, folder), folder)

    for other in (folder, tmp_path / "another version"):
        with pytest.raises(UserError, match="has hooks of a modicum already"):
            plan(file, other)


def test_a_status_line_of_ones_own_stays(file, folder):
    file.write_text('{"statusLine": {"type": "command", "command": "mine"}}')

    found = plan(file, folder)

    assert "you have one already" in found.left_out
    assert json.loads(found.after)["statusLine"]["command"] == "mine"
    assert "statusLine" not in plan(Path("/nowhere/settings.json"), folder, with_status_line=False).added


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("// a comment\n{}", "is no plain JSON"),
        ("[]", "is no JSON object"),
        ('{"hooks": []}', "'hooks' has not the shape"),
        ('{"hooks": {"PostToolUse": {}}}', "'hooks' has not the shape"),
    ],
)
def test_what_cannot_be_added_to_is_left_as_it_is(file, folder, content, problem):
    file.write_text(content)

    with pytest.raises(UserError, match=problem):
        plan(file, folder)

    assert file.read_text() == content


def test_a_file_that_changes_between_plan_and_consent_is_left(file, folder):
    made = plan(file, folder)
    file.write_text("{}")

    with pytest.raises(UserError, match="was changed meanwhile"):
        installing.install(made, folder)


def test_files_of_a_user_are_taken_and_those_of_a_repository_refused(tmp_path):
    home = tmp_path / "home"
    assert installing.settings_file(CLAUDE, home, {}) == home / ".claude" / "settings.json"
    elsewhere = {"CLAUDE_CONFIG_DIR": str(tmp_path / "c"), "CODEX_HOME": str(tmp_path / "x")}
    assert installing.settings_file(CLAUDE, home, elsewhere) == tmp_path / "c" / "settings.json"
    assert installing.settings_file(AGENTS["codex"], home, elsewhere) == tmp_path / "x" / "hooks.json"
    assert installing.settings_file(AGENTS["gemini-cli"], home, elsewhere) == home / ".gemini" / "settings.json"
    shared = tmp_path / "dotfiles"
    shared.mkdir()
    (shared / "settings.json").write_text("{}")
    (home / ".claude").mkdir(parents=True)
    (home / ".claude" / "settings.json").symlink_to(shared / "settings.json")
    git = ["git", "-C", str(shared), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert installing.settings_file(CLAUDE, home, {}) == shared / "settings.json"
    subprocess.run([*git, "add", "settings.json"], check=True)

    with pytest.raises(UserError, match="is a file of a git repository"):
        installing.settings_file(CLAUDE, home, {})


@pytest.mark.parametrize("name", [name for name, agent in AGENTS.items() if not agent.is_plugin])
def test_every_agents_hooks_name_the_interpreter_by_its_path_and_a_time(name, folder, tmp_path):
    agent = AGENTS[name]
    added = plan(tmp_path / "none.json", folder, agent).added

    entries = [entry for groups in added["hooks"].values() for group in groups for entry in group["hooks"]]
    assert [set(entry) for entry in entries] == [{"type", "command", "timeout"}] * 2
    assert all(entry["command"].startswith("/opt/m/bin/python -I -m modicum.hooks ") for entry in entries)
    assert set(added["hooks"]) == {agent.after_tool, "SessionStart"}
    assert os.sep in entries[0]["command"]
