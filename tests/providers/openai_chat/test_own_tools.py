"""Calls of tools of ours in chat."""

import json

from modicum.providers.event_stream import event_data
from modicum.providers.openai_chat.own_tools import OWN_TOOLS

NAMES = frozenset({"own"})


def call(name, index=0):
    return {"index": index, "id": f"c{index}", "type": "function", "function": {"name": name, "arguments": '{"a": 1}'}}


def reply(finish, **message):
    return {"choices": [{"message": {"role": "assistant"} | message, "finish_reason": finish}]}


def test_words_are_joined_and_calls_of_ours_are_left_out():
    before = reply("tool_calls", content="a", tool_calls=[call("own")])
    last = reply("tool_calls", content="b", tool_calls=[call("own"), call("other", 1)])

    assert OWN_TOOLS.read(before, NAMES).goes_on
    assert OWN_TOOLS.joined(last, [before], NAMES) == reply("tool_calls", content="ab", tool_calls=[call("other", 1)])
    assert OWN_TOOLS.joined(before, [], NAMES) == reply("stop", content="a")
    assert OWN_TOOLS.joined({"choices": []}, [], NAMES) == {"choices": []}


def chunk(delta, finish=None, **more):
    return {"id": "x", "created": 1, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more


def written(chunks):
    return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in chunks) + b"data: [DONE]\n\n"


def test_places_of_calls_and_the_id_are_those_of_one_stream():
    hops = OWN_TOOLS.stream(NAMES)
    first = [
        chunk({"role": "assistant", "content": "a"}),
        chunk({"tool_calls": [call("own")]}),
        chunk({}, "tool_calls"),
    ]
    second = [
        chunk({"role": "assistant", "content": ""}, id="y"),
        chunk({"tool_calls": [call("own")]}, id="y"),
        chunk({"tool_calls": [call("other", 1)]}, id="y"),
        chunk({}, "tool_calls", id="y"),
        {"id": "y", "choices": [], "usage": {"total_tokens": 3}},
    ]
    passed = hops.feed(written(first))
    hop = hops.hop()
    hops.end(is_last=False)
    hops.begin_next()
    passed += hops.feed(written(second)) + hops.end(is_last=True)

    assert (hop.goes_on, hop.calls[0].arguments) == (True, {"a": 1})
    *events, done = list(event_data(passed))
    events = [json.loads(data) for data in events]
    assert done == b"[DONE]"
    assert {one["id"] for one in events} == {"x"}
    deltas = [one["choices"][0]["delta"] for one in events if one["choices"]]
    assert deltas == [{"role": "assistant", "content": "a"}, {"tool_calls": [call("other") | {"id": "c1"}]}, {}]
    assert events[-1]["usage"] == {"total_tokens": 3}
