import json

from modicum.calls.change import Change
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
