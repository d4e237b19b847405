"""Fields of events that are read, agent by agent. What hooks say to them: `test_running.py`."""

import json

from hooks.events import claude, read_of
from modicum.hooks.agents import AGENTS, session_of

READ = AGENTS["claude-code"].read


def test_the_tools_whose_text_is_known_are_read_and_no_others():
    cases = {
        "Bash": {"stdout": "text"},
        "Grep": {"content": "text", "mode": "content"},
        "WebFetch": {"result": "text"},
        "Read": read_of("text"),
        "mcp__a__b": "text",
    }
    for tool, response in cases.items():
        found = READ(json.loads(claude(tool, response)))
        assert (found.tool, found.text, found.call_id) == (tool, "text", "toolu_1")
        assert found.may_shorten == (tool != "Read")
    assert READ(json.loads(claude("Write", {"stdout": "text"}))) is None
    assert READ(json.loads(claude("mcp__a__b", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]))) is None


def test_an_agent_within_a_session_is_another_session():
    assert session_of({"session_id": "s"}) != session_of({"session_id": "s", "agent_id": "a"})


def test_errors_of_gemini_stay():
    event = {"tool_name": "x", "tool_response": {"llmContent": "text", "error": {"message": "no"}}}

    assert AGENTS["gemini-cli"].read(event) is None


def test_an_image_that_a_command_prints_is_no_text_to_shorten():
    image = "data:image/png;base64," + "iVBORw0KGgo" * 400

    assert READ(json.loads(claude("Bash", {"stdout": image, "stderr": "", "isImage": True}))) is None
    assert READ(json.loads(claude("Bash", {"stdout": image, "stderr": "", "isImage": False}))) is not None
