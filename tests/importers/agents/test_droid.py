import json
import shutil

from importers.fixture_pairs import cases_of, read
from modicum.importers.agents.droid import places


def test_the_rows_beside_tell_when_and_how_many_replies(tmp_path):
    folder = tmp_path / ".factory" / "sessions" / "-home-ada-shop"
    folder.mkdir(parents=True)
    shutil.copy(cases_of("droid")[0], folder)
    rows = [
        {"type": "session_start", "id": "d-1", "cwd": "/home/ada/shop"},
        {"type": "message", "timestamp": "2026-05-01T08:59:00Z", "message": {"role": "user", "content": []}},
        {"type": "message", "timestamp": "2026-05-01T08:59:09Z", "message": {"role": "assistant", "content": []}},
        {"type": "message", "timestamp": "2026-05-01T09:30:00Z", "message": {"role": "assistant", "content": []}},
    ]
    (folder / "d-1.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"type": "mess')

    calls, problems = read([folder])

    assert problems == []
    assert [(call.calls_count, call.project, call.started.minute) for call in calls] == [(2, "/home/ada/shop", 59)]
    assert places(tmp_path, {}) == [folder / "d-1.settings.json"]


def test_settings_without_any_time_are_a_problem(tmp_path):
    settings = json.loads(cases_of("droid")[0].read_text())
    del settings["providerLockTimestamp"]
    (tmp_path / "d-9.settings.json").write_text(json.dumps(settings))

    calls, problems = read([tmp_path])

    assert calls == []
    assert "time" in problems[0]
