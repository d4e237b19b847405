from pathlib import Path

from modicum.importers.claude_code.format import FORMAT


def test_folders_are_the_usual_two_or_those_of_the_environment(tmp_path):
    usual = [tmp_path / ".config/claude/projects", tmp_path / ".claude/projects"]

    assert FORMAT.places(tmp_path, {}) == usual
    assert FORMAT.places(tmp_path, {"CLAUDE_CONFIG_DIR": "/a, /b"}) == [Path("/a/projects"), Path("/b/projects")]


def test_a_transcript_is_known_by_its_rows():
    path = Path("x.jsonl")

    assert FORMAT.recognises(path, b'{"sessionId":"s","parentUuid":null,"type":"user"}\n')
    assert FORMAT.recognises(path, b'{"type":"file-history-snapshot","messageId":"m"}\n')
    assert not FORMAT.recognises(path, b'{"sessionId":"s"}\n')
    assert not FORMAT.recognises(path, b"sessionId parentUuid\n")
