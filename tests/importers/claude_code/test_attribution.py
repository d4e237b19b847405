import json

import msgspec
import pytest

from modicum.importers.claude_code import context
from modicum.importers.claude_code.attribution import WORK_RULE, ThreadAttribution, kind_of_work, subagent_of
from modicum.importers.claude_code.usage import read_usage
from modicum.importers.format import Reading


def raw(**fields):
    return msgspec.Raw(msgspec.json.encode(fields))


@pytest.mark.parametrize(
    ("tool", "arguments", "kind"),
    [
        ("Edit", {}, "edit"),
        ("Bash", {"command": "cd x && uv run pytest -q"}, "test"),
        ("Bash", {"command": "npm run test -- --watch"}, "test"),
        ("Bash", {"command": "go test ./..."}, "test"),
        ("Bash", {"command": "cat latest.txt"}, "run"),
        ("Bash", {"command": "cd x; git status"}, "git"),
        ("Bash", {"command": "gh pr view 3"}, "git"),
        ("Bash", {"command": 7}, "run"),
        ("Grep", {}, "read"),
        ("Agent", {}, "delegate"),
        ("mcp__tickets__list", {}, "mcp"),
        ("TodoWrite", {}, "plan"),
        ("Skill", {}, "skill"),
        ("WebFetch", {}, "web"),
        ("Brew", {}, "other"),
    ],
)
def test_the_kind_of_work_is_that_of_the_tool(tool, arguments, kind):
    assert kind_of_work(tool, raw(**arguments)) == kind
    assert kind in WORK_RULE


def test_of_several_tools_the_first_of_the_rule_counts_in_whatever_row_it_comes():
    thread, tags = ThreadAttribution(), {}
    thread.add_reply(tags, [])
    assert tags == {"work": "talk"}
    thread.add_reply(tags, [("Read", raw()), ("mcp__plugin_acme_db__query", raw())])
    thread.add_reply(tags, [("Read", raw())])

    assert tags == {"work": "mcp", "mcp": "plugin_acme_db", "plugin": "acme"}


def test_a_skill_holds_until_the_user_speaks_again():
    thread = ThreadAttribution("Explore")
    assert thread.tags() == {"subagent": "Explore"}
    thread.add_reply({}, [("Skill", raw(skill="acme:review"))])
    assert thread.tags() == {"skill": "acme:review", "plugin": "acme", "subagent": "Explore"}
    thread.add_prompt("[Request interrupted by user]")
    assert thread.tags()["skill"] == "acme:review"
    thread.add_prompt("go on")
    assert thread.tags() == {"subagent": "Explore"}


def test_a_command_is_a_skill_where_it_is_expanded():
    thread = ThreadAttribution()
    thread.add_prompt("<command-name>/model</command-name>")
    thread.add_prompt("<local-command-stdout>Set</local-command-stdout>")
    thread.add_meta_row()
    assert thread.tags() == {}
    thread.add_prompt("<command-name>/review</command-name>")
    thread.add_meta_row()
    assert thread.tags() == {"skill": "review"}


@pytest.mark.parametrize("arguments", [b"{", b"[1]", b"null", b'{"subagent_type": 3.5}', b"[" * 5000])
def test_odd_arguments_name_nothing(arguments):
    assert subagent_of(msgspec.Raw(arguments)) == ""


def call_row(number, tool=None, parent=None, **fields):
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 100, "output_tokens": 5}
    content = [{"type": "tool_use", "id": f"t{number}", **tool}] if tool else [{"type": "text", "text": "done"}]
    message = {"id": f"msg_{number}", "model": "claude-opus-4-5", "usage": usage, "content": content}
    common = {"sessionId": "s", "timestamp": f"2026-02-03T10:00:{number:02}.000Z", "parentUuid": parent}
    return {**common, "isSidechain": False, "type": "assistant", "uuid": f"a{number}", "message": message, **fields}


def progress(number, started_by, agent="a1"):
    inner = {"type": "assistant", "message": {**call_row(number)["message"]}, "uuid": f"i{number}"}
    inner["timestamp"] = f"2026-02-03T10:00:{number:02}.000Z"
    common = {"sessionId": "s", "timestamp": inner["timestamp"], "uuid": f"p{number}"}
    data = {"type": "agent_progress", "agentId": agent, "message": inner}
    return {**common, "type": "progress", "parentToolUseID": started_by, "data": data}


def write(tmp_path, *rows):
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    return path


def test_a_subagent_is_named_by_the_call_that_started_it(tmp_path):
    started = {"name": "Task", "input": {"subagent_type": "Explore"}}
    path = write(tmp_path, call_row(1, started), progress(2, "t1"), progress(3, "t9", "a2"))

    tags = {call.call_id: call.tags for call in context.read(path, Reading(anatomy=True))}

    assert tags["msg_1"] == {"work": "delegate"}
    assert tags["msg_2"] == {"work": "talk", "subagent": "Explore"}
    assert tags["msg_3"] == {"work": "talk"}


def test_the_words_of_the_log_stand_above_ours(tmp_path):
    said = {"attributionSkill": "lint", "attributionAgent": "Plan", "attributionMcpServer": ["odd"]}
    path = write(tmp_path, call_row(1, {"name": "Skill", "input": {"skill": "x"}}), call_row(2, **said))

    with_content = {call.call_id: call.tags for call in context.read(path, Reading(anatomy=True))}
    without = {call.call_id: call.tags for call in read_usage(path)}

    assert with_content["msg_2"] == {"work": "talk", "skill": "lint", "subagent": "Plan"}
    assert without == {"msg_1": {}, "msg_2": {"skill": "lint", "subagent": "Plan"}}
