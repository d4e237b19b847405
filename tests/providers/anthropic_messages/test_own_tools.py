"""Calls of tools of ours in the Messages API."""

import json

from modicum.providers.anthropic_messages.own_tools import OWN_TOOLS
from modicum.providers.event_stream import event_data

NAMES = frozenset({"own"})


def use(name, call="t"):
    return {"type": "tool_use", "id": call, "name": name, "input": {"a": 1}}


TEXT, THINKING = {"type": "text", "text": "hm"}, {"type": "thinking", "thinking": "hmm", "signature": "s"}


def test_a_reply_says_whose_tools_it_calls():
    own = OWN_TOOLS.read({"content": [TEXT, use("own")]}, NAMES)
    both = OWN_TOOLS.read({"content": [use("own"), use("other")]}, NAMES)

    assert (own.goes_on, both.goes_on, OWN_TOOLS.read({"content": [TEXT]}, NAMES).goes_on) == (True, False, False)
    assert (own.calls[0].call_id, own.calls[0].tool, own.calls[0].arguments) == ("t", "own", {"a": 1})


def test_thinking_that_led_to_a_call_of_ours_goes_with_it():
    before = {"content": [THINKING, use("own")], "stop_reason": "tool_use"}
    last = {"content": [THINKING, TEXT, use("own"), use("other")], "stop_reason": "tool_use"}

    assert OWN_TOOLS.joined(last, [before], NAMES) == {
        "content": [THINKING, TEXT, use("other")],
        "stop_reason": "tool_use",
    }
    assert OWN_TOOLS.joined(before, [], NAMES) == {"content": [], "stop_reason": "end_turn"}


def block(index, start, *deltas):
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def stream(*blocks, stop="end_turn"):
    yield {"type": "message_start", "message": {"id": "m"}}
    for index, (start, *deltas) in enumerate(blocks):
        yield from block(index, start, *deltas)
    yield {"type": "message_delta", "delta": {"stop_reason": stop}}
    yield {"type": "message_stop"}


def written(events):
    return b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in events)


def test_two_streams_become_one_and_nothing_of_ours_is_in_it():
    hops = OWN_TOOLS.stream(NAMES)
    thinks = [{"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "t"}]
    says = [{"type": "text", "text": ""}, {"type": "text_delta", "text": "a"}]
    calls = [
        {"type": "tool_use", "id": "t", "name": "own", "input": {}},
        {"type": "input_json_delta", "partial_json": '{"x":'},
        {"type": "input_json_delta", "partial_json": " 1}"},
    ]
    passed = hops.feed(written(stream(says, thinks, calls, stop="tool_use")))
    hop = hops.hop()
    passed += hops.end(is_last=False)
    hops.begin_next()
    passed += hops.feed(written(stream(thinks, says))) + hops.end(is_last=True)

    assert (hop.goes_on, hop.calls[0].arguments) == (True, {"x": 1})
    assert [one["type"] for one in hop.spoken[0]["content"]] == ["text", "thinking", "tool_use"]
    events = [json.loads(data) for data in event_data(passed)]
    assert [one["type"] for one in events if "index" not in one] == ["message_start", "message_delta", "message_stop"]
    starts = [(one["index"], one["content_block"]["type"]) for one in events if one["type"] == "content_block_start"]
    assert starts == [(0, "text"), (1, "thinking"), (2, "text")]
    assert b"own" not in passed
