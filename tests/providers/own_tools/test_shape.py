"""How tools of ours stand in requests, and how streams of several hops become one."""

import json

import pytest

from modicum.calls.change import OwnTool
from modicum.providers.dialects import DIALECTS
from modicum.providers.own_tools.shape import CallHops, Hop, OwnCall, OwnResult, arguments_of, tools_in

OWN = OwnTool("modicum_x", "does x", {"type": "object"})
NAMES = [name for name, dialect in DIALECTS.items() if dialect.own_tools is not None]


def request(name, **fields):
    shape = DIALECTS[name].own_tools
    return json.dumps({"model": "m", shape.messages: [{"role": "user", "content": "hi"}]} | fields).encode()


def test_three_dialects_take_tools_of_ours():
    assert NAMES == ["openai-chat", "openai-responses", "anthropic-messages"] or len(NAMES) == 3


@pytest.mark.parametrize("name", NAMES)
def test_a_tool_is_offered_behind_the_callers_own(name):
    shape = DIALECTS[name].own_tools
    body = shape.with_tools(request(name, tools=[shape.schema(OwnTool("a", "", {}))]), [OWN])

    assert [one for one, _ in tools_in(body)] == ["a", "modicum_x"]
    assert [one for one, _ in tools_in(shape.with_tools(request(name), [OWN]))] == ["modicum_x"]


@pytest.mark.parametrize("name", NAMES)
def test_tools_come_back_in_the_order_of_the_caller(name):
    shape = DIALECTS[name].own_tools
    whole = request(name, tools=[shape.schema(OwnTool(one, "", {})) for one in "abc"])
    body = shape.with_tools(request(name, tools=[shape.schema(OwnTool("c", "", {}))]), [OWN])

    assert [one for one, _ in tools_in(shape.with_found(body, whole, frozenset("a")))] == ["a", "c", "modicum_x"]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_model_said_and_its_results_stand_behind_the_request(name):
    shape = DIALECTS[name].own_tools
    hop = Hop((OwnCall("c1", "modicum_x", {}),), spoken=({"role": "assistant", "content": "hm"},))
    after = json.loads(shape.next_request(request(name), hop, [OwnResult("c1", "result")]))[shape.messages]

    assert after[:2] == [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hm"}]
    assert "result" in json.dumps(after[2])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"store": False}, True),
        ({"store": False, "tool_choice": "auto"}, True),
        ({"store": False, "tool_choice": "required"}, False),
        ({"store": False, "tool_choice": {"type": "function", "name": "a"}}, False),
    ],
)
def test_calls_that_must_call_a_certain_tool_take_none(name, fields, fits):
    assert DIALECTS[name].own_tools.fits(request(name, **fields)) is fits


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages": "text", "input": "text"}', b'{"messages": null}'])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_list_of_messages_takes_none(name, body):
    assert DIALECTS[name].own_tools.fits(body) is False


@pytest.mark.parametrize("given", ["{", "", "[]", None, 3, '"text"'])
def test_arguments_that_are_no_object_are_none(given):
    assert arguments_of(given) == {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("events", [b"", b": ping\n\n", b"data: [DONE]\n\n", b"data: {\n\n", b'data: {"type": 3}\n\n'])
def test_odd_events_are_passed_on_once_and_break_nothing(name, events):
    hops = CallHops(DIALECTS[name].own_tools.stream(frozenset({"modicum_x"})))

    assert hops.feed(events) + hops.end() in {events, b'data: {"type":3}\n\n', b'event: \ndata: {"type":3}\n\n'}
