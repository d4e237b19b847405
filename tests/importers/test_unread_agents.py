from pathlib import Path

from modicum.importers import FORMATS
from modicum.importers.unread_agents import find_unread


def write(path):
    path.parent.mkdir(parents=True)
    path.write_text("x")


def test_an_agent_is_named_with_its_place_until_a_format_reads_it(tmp_path):
    write(tmp_path / ".pi/agent/sessions/a.jsonl")

    (found,) = find_unread(tmp_path, {}, ())

    assert (found.title, found.place) == ("pi", tmp_path / ".pi/agent/sessions")
    assert find_unread(tmp_path, {}, ("pi",)) == []


def test_places_follow_the_desktop_standard_and_those_of_macos(tmp_path):
    write(tmp_path / "data/amazon-q/data.sqlite3")
    write(tmp_path / "Library/Application Support/Cursor/User/globalStorage/state.vscdb")

    found = find_unread(tmp_path, {"XDG_DATA_HOME": str(tmp_path / "data")}, ())

    assert [agent.title for agent in found] == ["Cursor", "Amazon Q"]
    assert "CSV" in found[0].remedy


def test_an_agent_that_was_never_used_is_not_named(tmp_path):
    (tmp_path / ".continue/sessions").mkdir(parents=True)

    assert find_unread(tmp_path, {}, ()) == []


def test_no_agent_that_a_format_finds_is_named(tmp_path):
    write(tmp_path / ".claude/projects/p/s.jsonl")
    write(tmp_path / ".codex/sessions/2026/rollout.jsonl")

    assert find_unread(Path(tmp_path), {}, FORMATS) == []
