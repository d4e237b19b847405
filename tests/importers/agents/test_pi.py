import json
from pathlib import Path

from importers.fixture_pairs import cases_of, read
from modicum.importers.agents.pi import places

CASE = cases_of("pi")[0]


def test_a_fork_repeats_its_parent_and_brings_only_its_own_calls(tmp_path):
    rows = [json.loads(line) for line in CASE.read_text().splitlines()[:-1]]
    fork = [{**rows[0], "id": "5e55-2", "parentSession": "x.jsonl"}, *rows[1:]]
    own = json.loads(json.dumps(rows[6]))
    own["timestamp"], own["message"]["timestamp"] = "2026-05-02T09:00:00.000Z", 1777712399000
    for entry in fork[1:]:
        entry["id"] = f"migrated-{entry['id']}" if entry["type"] == "message" else entry["id"]
    for name, entries in (("2026_5e55-1.jsonl", rows), ("2026_5e55-2.jsonl", [*fork, own])):
        (tmp_path / name).write_text("\n".join(map(json.dumps, entries)))

    calls, _ = read([tmp_path])

    once, twice = {call.call_id for call in read([CASE])[0]}, {call.call_id for call in calls}
    assert len(once) == 9
    assert len(twice - once) == 1


def test_a_first_session_without_ids_is_read(tmp_path):
    usage = {"input": 3, "output": 7, "cacheRead": 0, "cacheWrite": 9, "cost": {"total": 1}}
    message = {"role": "assistant", "model": "claude-sonnet-4-5", "usage": usage, "stopReason": "toolUse"}
    (tmp_path / "s_1.jsonl").write_text(
        '{"type": "session", "id": "1", "timestamp": "2025-11-20T23:33:50.805Z", "cwd": "/home/ada"}\n'
        + json.dumps({"type": "message", "timestamp": "2025-11-20T23:33:54.572Z", "message": message})
    )

    calls, problems = read([tmp_path])

    assert problems == []
    assert [call.usage.total_tokens for call in calls] == [19]


def test_a_log_cut_off_in_front_is_known_by_its_rows(tmp_path):
    (tmp_path / "2026_5e55-1.jsonl").write_text("\n".join(CASE.read_text().splitlines()[2:]))

    calls, _ = read([tmp_path])

    assert len(calls) == 9
    assert {call.task for call in calls} == {"5e55-1"}


def test_an_agents_folder_may_be_elsewhere():
    found = places(Path("/home/ada"), {"PI_CODING_AGENT_DIR": "/data/pi"})

    assert found[0] == Path("/data/pi/sessions")
