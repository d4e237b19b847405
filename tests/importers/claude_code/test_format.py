from pathlib import Path

from modicum.importers.claude_code.format import FORMAT


def test_folders_are_the_usual_two_or_those_of_the_environment(tmp_path):
    usual = [tmp_path / ".config/claude/projects", tmp_path / ".claude/projects"]

    assert FORMAT.places(tmp_path, {}) == usual
    assert FORMAT.places(tmp_path, {"CLAUDE_CONFIG_DIR": "/a, /b"}) == [Path("/a/projects"), Path("/b/projects")]


def test_tasks_of_claude_desktop_are_found_on_every_system(tmp_path):
    sessions = "local-agent-mode-sessions/org/account"
    mac = tmp_path / "Library/Application Support/Claude" / sessions / "local_1/.claude/projects"
    packaged = (
        tmp_path / "local/Packages/Claude_pz/LocalCache/Roaming/Claude" / sessions / "agent/local_2/.claude/projects"
    )
    for folder in (mac, packaged):
        folder.mkdir(parents=True)
    (mac.parents[1] / "audit.jsonl").touch()

    found = FORMAT.places(tmp_path, {"CLAUDE_CONFIG_DIR": "/a", "LOCALAPPDATA": str(tmp_path / "local")})

    assert found == [Path("/a/projects"), mac, packaged]


def test_a_transcript_is_known_by_its_rows():
    path = Path("x.jsonl")

    assert FORMAT.recognises(path, b'{"sessionId":"s","parentUuid":null,"type":"user"}\n')
    assert FORMAT.recognises(path, b'{"type":"file-history-snapshot","messageId":"m"}\n')
    assert not FORMAT.recognises(path, b'{"sessionId":"s"}\n')
    assert not FORMAT.recognises(path, b"sessionId parentUuid\n")
