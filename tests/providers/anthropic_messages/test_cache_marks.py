import json

import pytest

from modicum.calls.change import Change, DoesNotFit
from modicum.providers.dialects import DIALECTS

LONG = {"type": "ephemeral", "ttl": "1h"}
SHORT = {"type": "ephemeral"}
CHANGE = Change(shortens_cache_marks=True)


def written(body):
    return json.loads(DIALECTS["anthropic-messages"].prompt(json.dumps(body).encode()).write(CHANGE))


def request(mark):
    result = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": [{"type": "text", "text": "r", "cache_control": mark}],
    }
    return {
        "model": "m",
        "tools": [{"name": "t", "input_schema": {"properties": {"ttl": {"const": "1h"}}}, "cache_control": mark}],
        "system": [{"type": "text", "text": 'says "ttl":"1h"', "cache_control": mark}],
        "messages": [
            {"role": "user", "content": "plain"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "a", "name": "t", "input": {"cache_control": LONG}}],
            },
            {"role": "user", "content": [result]},
        ],
    }


def test_marks_are_shortened_wherever_they_stand_and_nothing_else_is():
    assert written(request(LONG)) == request(SHORT)


def test_it_is_idempotent():
    assert written(request(SHORT)) == request(SHORT)


MARKS = Change(marks_cache=True)


def marked(body):
    prompt = DIALECTS["anthropic-messages"].prompt(json.dumps(body).encode())
    return json.loads(prompt.write(MARKS))


def without_marks(value):
    if isinstance(value, dict):
        return {key: without_marks(one) for key, one in value.items() if key != "cache_control"}
    return [without_marks(one) for one in value] if isinstance(value, list) else value


def test_breakpoints_stand_behind_instructions_and_the_last_block():
    body = {"system": "be brief", "tools": [{"name": "t"}], "messages": [{"role": "user", "content": "hello"}]}

    assert marked(body) == {
        "system": [{"type": "text", "text": "be brief", "cache_control": SHORT}],
        "tools": [{"name": "t"}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello", "cache_control": SHORT}]}],
    }
    assert marked({"tools": body["tools"], "messages": body["messages"]})["tools"][0]["cache_control"] == SHORT


def test_a_turn_with_many_tools_has_a_mark_in_between_and_thinking_and_empty_text_have_none():
    results = [{"type": "tool_result", "tool_use_id": f"c{number}", "content": "r"} for number in range(22)]
    last = {"role": "assistant", "content": [{"type": "text", "text": ""}, {"type": "thinking", "thinking": "hm"}]}
    body = {"messages": [{"role": "user", "content": "q"}, {"role": "user", "content": results}, last]}

    after = marked(body)

    assert [place for place, one in enumerate(after["messages"][1]["content"]) if "cache_control" in one] == [4, 21]
    assert without_marks(after["messages"][1:]) == body["messages"][1:]
    assert json.dumps(after).count("cache_control") == 2


def test_whoever_marks_himself_is_left_alone():
    with pytest.raises(DoesNotFit, match="the caller sets them"):
        marked(request(LONG))
