import sqlite3
from contextlib import closing

from importers.fixture_pairs import as_shown, cases_of, read
from modicum.calls import Basis

COLUMNS = (
    "id INTEGER PRIMARY KEY, session_id, agent_id, model, copilot_usage_model, input_tokens, output_tokens, "
    "cache_read_tokens, cache_write_tokens, reasoning_tokens, total_nano_aiu, duration_ms, finish_reason, created_at"
)


def store(folder, *rows):
    path = folder / "session-store.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, cwd TEXT, branch TEXT)")
        database.execute("INSERT INTO sessions VALUES ('c0-1', '/home/ada/shop', 'main')")
        database.execute(f"CREATE TABLE assistant_usage_events ({COLUMNS})")
        names = [part.split()[0] for part in COLUMNS.split(", ")]
        for row in rows:
            values = [row.get(name) for name in names]
            marks = ", ".join("?" * len(names))
            database.execute(f"INSERT INTO assistant_usage_events VALUES ({marks})", values)
        database.commit()
    return path


def stored(**changed):
    row = {
        "session_id": "c0-1",
        "model": "claude-sonnet-4.5",
        "input_tokens": 24210,
        "output_tokens": 40,
        "cache_read_tokens": 100,
        "cache_write_tokens": 24000,
        "reasoning_tokens": 15,
        "duration_ms": 2000,
        "created_at": "2026-05-02 09:00:10",
    }
    return row | changed


def test_a_row_of_the_database_is_a_call_with_its_cache_inside_the_input(tmp_path):
    path = store(tmp_path, stored(), stored(agent_id="explore", copilot_usage_model="gpt-5-mini"))

    calls, problems = read([path])

    assert problems == []
    assert as_shown(calls[0], ["call_id", "provider", "model", "started", "finished", "usage", "task", "project"]) == {
        "call_id": "copilot-cli:c0-1:1",
        "provider": "github-copilot",
        "model": "claude-sonnet-4.5",
        "started": "2026-05-02T09:00:08Z",
        "finished": "2026-05-02T09:00:10Z",
        "usage": {
            "input_uncached": 110,
            "cache_read": 100,
            "cache_write_5m": 24000,
            "output_visible": 25,
            "output_reasoning": 15,
        },
        "task": "c0-1",
        "project": "/home/ada/shop",
    }
    assert (calls[1].agent, calls[1].model) == ("explore", "gpt-5-mini")


def test_a_null_count_is_unknown_and_a_bad_row_is_a_problem(tmp_path):
    path = store(tmp_path, stored(input_tokens=None), stored(output_tokens=-3), stored(created_at=None), stored())

    calls, problems = read([path])

    assert [call.usage_basis for call in calls] == [Basis.UNKNOWN, Basis.EXACT]
    assert len(problems) == 2
    assert "output" in problems[0]
    assert "time" in problems[1]


def test_a_session_in_the_database_is_not_counted_again_from_its_events(tmp_path):
    events = tmp_path / "session-state" / "c0-1" / "events.jsonl"
    events.parent.mkdir(parents=True)
    events.write_text(cases_of("copilot-cli")[1].read_text())
    store(tmp_path, stored())

    calls, problems = read([tmp_path])

    assert "session.start" in events.read_text()
    by_source = ["store" if call.calls_count == 1 and call.call_id.endswith(":1") else "events" for call in calls]
    assert by_source == ["events", "events", "store"]  # the first life ended before the database had calls
    assert not any("follow after" in problem for problem in problems)


def test_another_database_is_no_session_store(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("CREATE TABLE sessions (id)")

    calls, problems = read([tmp_path / "a.db"])

    assert calls == []
    assert "no known log format" in problems[0]


def test_an_event_with_sums_alone_is_known_and_dated_by_its_session(tmp_path):
    row = (
        '{"type":"session.shutdown","data":{"sessionStartTime":1777626000000,"modelMetrics":{"gpt-5":{"usage":'
        '{"inputTokens":100,"outputTokens":20,"cacheReadTokens":30,"cacheWriteTokens":10}}}}}'
    )
    (tmp_path / "events.jsonl").write_text(row)

    calls, problems = read([tmp_path])

    assert problems == []
    assert [(call.usage.input_uncached, call.started.isoformat()) for call in calls] == [
        (60, "2026-05-01T09:00:00+00:00")
    ]
