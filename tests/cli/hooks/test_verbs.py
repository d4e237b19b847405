import io
import json
from pathlib import Path

import pytest

from hooks.events import LOG, claude
from modicum.hooks.running import run
from modicum.settings import data_folder


@pytest.fixture
def settings_file(home, monkeypatch):
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home / ".claude"))
    return home / ".claude" / "settings.json"


def after_tool(event):
    return run(["after-tool", "claude-code", str(data_folder() / "hooks")], event, 30)


def test_hooks_are_shown_installed_watch_act_and_go(modicum, settings_file):
    shown = modicum("hooks", "install", "claude-code", "--yes")
    assert shown.status == 0
    assert '"PostToolUse"' in shown.out
    assert "modicum.hooks after-tool claude-code" in settings_file.read_text()
    assert after_tool(claude()) == ""
    watched = modicum("hooks", "status", "--json").json["agents"][0]
    assert (watched["sessions"], watched["rules_that_act"], watched["rules"][0]["arm"]) == (1, [], "observed")

    consent = modicum("hooks", "act", "claude-code", "--rule", "content.log_fold", "--hold-out", "0", "--yes")

    assert "content.log_fold (lossy)" in consent.out
    assert len(json.loads(after_tool(claude()))["hookSpecificOutput"]["updatedToolOutput"]["stdout"]) < len(LOG)
    assert "content.log_fold" in modicum("hooks", "status").out
    assert modicum("hooks", "observe", "claude-code").status == 0
    assert after_tool(claude()) == ""
    assert modicum("hooks", "remove", "claude-code").status == 0
    assert not settings_file.exists()
    assert "no hooks are installed" in modicum("hooks", "status").out


def test_nothing_is_written_without_consent(modicum, settings_file, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert modicum("hooks", "install", "claude-code").status != 0
    assert not settings_file.exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["act", "claude-code", "--yes"],
            "no hooks are installed for claude-code: 'modicum hooks install claude-code'",
        ),
        (["remove", "gemini-cli"], "no hooks of this modicum are in the settings of Gemini CLI"),
        (["install", "notepad"], "'notepad' is not one of 'claude-code', 'gemini-cli', 'codex'"),
    ],
)
def test_what_cannot_be_done_is_one_line(modicum, settings_file, words, problem):
    ended = modicum("hooks", *words)

    assert ended.status == 2
    assert problem in ended.err


def test_codex_can_only_watch_and_wants_to_be_asked(modicum, home, monkeypatch):
    monkeypatch.setenv("CODEX_HOME", str(home / ".codex"))

    assert "trust the two new hooks" in modicum("hooks", "install", "codex", "--yes").out
    assert Path(home / ".codex" / "hooks.json").exists()
    assert "lets no hook replace" in modicum("hooks", "act", "codex", "--yes").err


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("content.code_skeleton", "hooks leave files whole"),
        ("guard.loop_stop", "it looks at more than the text of one result"),
        ("cache", "it looks at more than the text of one result"),
    ],
)
def test_a_rule_that_no_hook_can_run_is_refused_with_where_it_runs(modicum, settings_file, rule, why):
    modicum("hooks", "install", "claude-code", "--yes")

    refused = modicum("hooks", "act", "claude-code", "--rule", "content.log_fold", "--rule", rule, "--yes")

    assert refused.status == 2
    assert f"{rule} cannot act in hooks" in refused.err
    assert why in " ".join(refused.err.split())
    assert f'on = ["{rule}"] in [optimize]' in " ".join(refused.err.split())
    assert modicum("hooks", "status", "--json").json["agents"][0]["rules_that_act"] == []
