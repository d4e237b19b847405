import json

import pytest


@pytest.fixture
def settings_file(home, monkeypatch):
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home / ".claude"))
    file = home / ".claude" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"model": "opus"}')
    return file


@pytest.fixture
def long_reads(tmp_path):
    """A session that reads one long file early and carries it on."""
    words = " ".join(f"line{number}" for number in range(20_000))
    rows, prompt = [], 10_000
    for turn in range(4):
        at = f"2026-03-02T10:0{turn}:00Z"
        common = {
            "parentUuid": None,
            "isSidechain": False,
            "sessionId": "s",
            "cwd": "/w",
            "version": "2.1.37",
            "timestamp": at,
        }
        asked = {"type": "tool_use", "id": f"t{turn}", "name": "Read", "input": {"file_path": f"/w/{turn}"}}
        usage = {
            "input_tokens": 2,
            "cache_read_input_tokens": 0 if turn == 0 else prompt,
            "cache_creation_input_tokens": prompt if turn == 0 else 60_000,
            "output_tokens": 20,
        }
        prompt += 60_000 if turn else 0
        message = {
            "id": f"msg_{turn}",
            "model": "claude-opus-4-5",
            "role": "assistant",
            "content": [asked],
            "usage": usage,
        }
        result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": f"{turn} {words}"}
        rows.append({**common, "type": "assistant", "uuid": f"a{turn}", "message": message})
        rows.append({**common, "type": "user", "uuid": f"u{turn}", "message": {"role": "user", "content": [result]}})
    path = tmp_path / "logs" / "s.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path.parent


def test_changes_are_shown_made_listed_and_undone(modicum, long_reads, settings_file):
    shown = modicum("fix", long_reads)
    assert shown.status == 0
    assert "by replay of this history" in shown.out
    assert "+++" in shown.out
    assert "nothing was written" in shown.out
    assert settings_file.read_text() == '{"model": "opus"}'

    made = modicum("fix", long_reads, "--apply", "--json").json

    assert made["applied"]
    assert all(step["who"] == "you" and step["saving_usd"] > 0 for step in made["steps"])
    assert json.loads(settings_file.read_text())["env"]
    assert len(modicum("fix", "list", "--json").json["fixes"]) == len(made["applied"])
    assert "has all of it already" in modicum("fix", long_reads).out
    assert modicum("fix", "undo", "--all").status == 0
    assert settings_file.read_text() == '{"model": "opus"}'
    assert "no change of 'modicum fix' is in force" in modicum("fix", "list").out
    assert modicum("fix", "undo").status == 2
    assert modicum("fix", "forget").status == 2


def test_what_cannot_be_changed_is_refused_and_said(modicum, long_reads, settings_file):
    settings_file.write_text("{broken")

    made = modicum("fix", long_reads, "--apply")

    assert made.status == 2
    assert "refused" in made.out
    assert settings_file.read_text() == "{broken"


def test_a_name_that_is_none_is_refused_before_logs_are_read(modicum, long_reads):
    wrong = modicum("fix", long_reads, "--only", "cash-hour")

    assert wrong.status == 2
    assert "cache-hour" in wrong.err


def test_the_help_is_that_of_the_group(modicum):
    assert "fix undo" in modicum("fix", "--help").out
