"""Calls of tools of ours in the responses API."""

import json

from modicum.providers.event_stream import event_data
from modicum.providers.openai_responses.own_tools import OWN_TOOLS

NAMES = frozenset({"own"})
REASONING, MESSAGE = {"type": "reasoning", "id": "r"}, {"type": "message", "id": "m", "content": []}


def call(name):
    return {"type": "function_call", "id": f"f{name}", "call_id": "c", "name": name, "arguments": '{"a": 1}'}


def test_items_are_joined_and_reasoning_goes_with_the_call_that_it_led_to():
    before = {"output": [MESSAGE, REASONING, call("own")]}
    last = {"output": [REASONING, call("other"), call("own")]}

    assert OWN_TOOLS.read(before, NAMES).goes_on
    assert not OWN_TOOLS.read(last, NAMES).goes_on
    assert OWN_TOOLS.joined(last, [before], NAMES) == {"output": [MESSAGE, REASONING, call("other")]}


def stream(response, *items):
    yield {"type": "response.created", "sequence_number": 0, "response": {"id": response}}
    for index, item in enumerate(items):
        yield {"type": "response.output_item.added", "sequence_number": 1, "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "sequence_number": 2, "output_index": index, "item": item}
    done = {"id": response, "output": list(items)}
    yield {"type": "response.completed", "sequence_number": 3, "response": done}


def written(events):
    return b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in events)


def test_items_and_events_are_counted_on_over_two_streams():
    hops = OWN_TOOLS.stream(NAMES)
    passed = hops.feed(written(stream("r1", MESSAGE, REASONING, call("own"))))
    hop = hops.hop()
    hops.end(is_last=False)
    hops.begin_next()
    passed += hops.feed(written(stream("r2", REASONING, call("other")))) + hops.end(is_last=True)

    assert (hop.goes_on, len(hop.spoken)) == (True, 3)
    events = [json.loads(data) for data in event_data(passed)]
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    places = [(one["output_index"], one["item"]["type"]) for one in events if one["type"].endswith("added")]
    assert places == [(0, "message"), (1, "reasoning"), (2, "function_call")]
    assert events[-1]["response"] == {"id": "r1", "output": [MESSAGE, REASONING, call("other")]}
    assert b"own" not in passed
