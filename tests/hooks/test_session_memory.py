import os

from hooks.events import LOG
from modicum.hooks import session_memory
from modicum.hooks.agents import HookedResult
from modicum.hooks.policy import HookPolicy
from modicum.hooks.session_memory import SessionMemory, forget_old

POLICY = HookPolicy(b"key")


def result(text=LOG, call=""):
    return HookedResult("Read", text, "s", call, "")


def test_results_are_known_by_keyed_digests_within_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(session_memory, "MOST_RESULTS", 3)
    memory = SessionMemory(tmp_path, POLICY, "s")
    for number in range(5):
        assert memory.note(result(f"{number} {LOG}"), number) == ""

    assert memory.note(result(f"0 {LOG}"), 6) == ""  # forgotten, the oldest first
    assert "unchanged" in memory.note(result(f"4 {LOG}"), 7)
    assert b"request" not in next((tmp_path / "sessions").iterdir()).read_bytes()


def test_short_results_and_broken_files_are_no_repeats(tmp_path):
    memory = SessionMemory(tmp_path, POLICY, "s")
    assert [memory.note(result("short"), 1), memory.note(result("short"), 2)] == ["", ""]
    memory.note(result(), 1)
    (file,) = (tmp_path / "sessions").iterdir()
    for content in ("{", "[]", '{"schema": 9, "results": {}}', '{"schema": 1, "results": 7}'):
        file.write_text(content)
        assert memory.note(result(), 2) == ""


def test_what_old_sessions_left_goes(tmp_path):
    SessionMemory(tmp_path, POLICY, "s").note(result(), 1)
    (file,) = (tmp_path / "sessions").iterdir()
    os.utime(file, (1_000, 1_000))

    forget_old(tmp_path, 1_000 + 86_400)
    assert file.exists()
    forget_old(tmp_path, 1_000 + 3 * 86_400)
    assert not file.exists()
