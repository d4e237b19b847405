import json
import sqlite3
from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modicum.calls import Call, Problem
from modicum.importers import read_calls
from modicum.importers.agents.opencode_database import is_opencode, read_database
from modicum.importers.format import BlockListener, Reading

TOKENS = {"input": 10, "output": 5, "reasoning": 0, "cache": {"read": 9000, "write": 300}}


def reply(created, **more):
    fields = {"role": "assistant", "modelID": "claude-sonnet-4-5", "providerID": "anthropic", "tokens": TOKENS}
    return {**fields, "agent": "explore", "time": {"created": created}, **more}


SESSIONS = [("ses_1", None), ("ses_2", "ses_1")]
MESSAGES = [
    ("msg_1", "ses_1", {"role": "user", "time": {"created": 1767225600000}}),
    ("msg_2", "ses_1", reply(1767225601000)),
    ("msg_3", "ses_1", reply(1767225609000)),
    ("msg_4", "ses_1", reply(1767225612000, summary=True)),
    ("msg_5", "ses_1", reply(1767225613000)),
    ("msg_6", "ses_2", reply(1767225605000, tokens={"input": -1})),
    ("msg_7", "ses_2", reply(1767225606000)),
]
TOOL = {
    "type": "tool",
    "tool": "read",
    "callID": "c1",
    "state": {"status": "error", "input": {"p": 1}, "error": "gone"},
}
PARTS = [
    ("prt_1", "msg_1", {"type": "text", "text": "Read it."}),
    ("prt_2", "msg_2", {"type": "step-start"}),
    ("prt_3", "msg_2", TOOL),
    ("prt_4", "msg_3", {"type": "text", "text": "It is gone."}),
    ("prt_5", "msg_4", {"type": "text", "text": "A file was looked for."}),
]


def database(path, messages=MESSAGES, parts=PARTS):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE session (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT)")
        connection.execute(
            "CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, data TEXT)"
        )
        connection.execute("CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, data TEXT)")
        connection.executemany("INSERT INTO session VALUES (?, ?, '')", SESSIONS)
        rows = [(name, session, 0, json.dumps(data)) for name, session, data in messages]
        connection.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", rows)
        rows = [(name, message, "", json.dumps(data)) for name, message, data in parts]
        connection.executemany("INSERT INTO part VALUES (?, ?, ?, ?)", rows)
    return path


def read(path, **options):
    found = list(read_calls([path], Reading(**options)))
    return [c for c in found if isinstance(c, Call)], [str(p) for p in found if isinstance(p, Problem)]


def test_messages_are_calls_of_their_session_and_of_the_task_at_its_root(tmp_path):
    calls, problems = read(database(tmp_path / "opencode.db"))

    assert [(c.call_id, c.task, c.conversation, c.agent) for c in calls] == [
        ("opencode:msg_2", "ses_1", "ses_1", ""),
        ("opencode:msg_3", "ses_1", "ses_1", ""),
        ("opencode:msg_4", "ses_1", "ses_1", ""),
        ("opencode:msg_5", "ses_1", "ses_1", ""),
        ("opencode:msg_7", "ses_1", "ses_2", "explore"),
    ]
    assert {(c.usage.input_uncached, c.usage.cache_read, c.usage.cache_write_5m) for c in calls} == {(10, 9000, 300)}
    assert len(problems) == 1
    assert "msg_6 not counted: input is negative" in problems[0]


def test_parts_are_the_anatomy(tmp_path):
    calls, _ = read(database(tmp_path / "opencode.db"), anatomy=True)

    shown = [
        (c.anatomy.kept_segments, [(s.kind.value, s.tool, s.is_error) for s in c.anatomy.added], c.anatomy.break_cause)
        for c in calls
    ]
    assert shown == [
        (0, [("prefix", "", False), ("user", "", False)], ""),
        (2, [("tool_call", "read", False), ("tool_result", "read", True)], ""),
        (4, [("assistant", "", False)], ""),
        (1, [("summary", "", False)], "compaction"),
        (0, [("prefix", "", False)], ""),
    ]


def test_another_database_and_one_that_is_damaged_are_problems(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE message (id TEXT)")
    (tmp_path / "torn.db").write_bytes(database(tmp_path / "whole.db").read_bytes()[:5000])

    calls, problems = read(tmp_path)

    assert len(calls) == 5
    assert len(problems) == 3
    assert not is_opencode(tmp_path / "other.db")
    assert not is_opencode(tmp_path / "missing.db")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_database_gives_calls_or_problems(tmp_path, data):
    whole = tmp_path / "whole.db"
    content = bytearray((whole if whole.exists() else database(whole)).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(16, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.db"
    path.write_bytes(content)

    found = list(read_calls([path], Reading(anatomy=True), source="opencode"))

    assert all(isinstance(item, Call | Problem) for item in found)


class Ear(BlockListener):
    def __init__(self):
        self.last_words = {}

    def on_reply(self, call_id, said):
        self.last_words.setdefault(call_id, []).extend(part.kind.value for part in said)


def test_the_last_reply_of_a_session_is_heard_though_it_stands_in_no_context(tmp_path):
    ear = Ear()
    parts = [*PARTS, ("prt_6", "msg_5", {"type": "text", "text": "Done."}), ("prt_7", "msg_7", TOOL)]
    path = database(tmp_path / "opencode.db", parts=parts)

    list(read_database(path, Reading(anatomy=True, listener=ear)))

    assert ear.last_words["opencode:msg_5"] == ["assistant"]
    assert ear.last_words["opencode:msg_7"] == ["tool_call", "tool_result"]
