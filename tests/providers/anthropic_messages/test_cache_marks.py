import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls.change import Change, DoesNotFit
from modicum.providers.anthropic_messages.cache_marks import set_ttl
from modicum.providers.dialects import DIALECTS

LONG = {"type": "ephemeral", "ttl": "1h"}
SHORT = {"type": "ephemeral"}
CHANGE = Change(shortens_cache_marks=True)
LENGTHEN = Change(lengthens_cache_marks=True)


def written(body, change=CHANGE):
    return json.loads(DIALECTS["anthropic-messages"].prompt(json.dumps(body).encode()).write(change))


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


@pytest.mark.parametrize(("change", "mark"), [(CHANGE, SHORT), (LENGTHEN, LONG)])
def test_where_marks_have_that_time_already_nothing_is_to_be_changed(change, mark):
    with pytest.raises(DoesNotFit, match="no mark has another time to live"):
        written(request(mark), change)


def test_marks_are_lengthened_wherever_they_stand_whatever_else_is_in_them():
    assert written(request(SHORT), LENGTHEN) == request(LONG)
    assert written(request({**SHORT, "ttl": "5m", "more": 1}), LENGTHEN) == request({**LONG, "more": 1})
    assert written({"messages": [], "cache_control": SHORT}, LENGTHEN)["cache_control"] == LONG
    with pytest.raises(DoesNotFit):
        written({"messages": [], "cache_control": {"type": "of another kind"}}, LENGTHEN)


blocks = st.fixed_dictionaries(
    {"type": st.just("text"), "text": st.sampled_from(["", 'says "ttl":"1h"', "cache_control"])},
    optional={
        "cache_control": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {"type": st.just("ephemeral")}, optional={"ttl": st.sampled_from(["5m", "1h"]), "x": st.just(1)}
            ),
        )
    },
)
lists = st.lists(blocks, max_size=3)
messages = st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": lists}), max_size=2)
requests = st.fixed_dictionaries({"messages": messages}, optional={"system": st.one_of(st.just("be brief"), lists)})


def without_ttl(value):
    if isinstance(value, dict):
        return {
            key: {name: one for name, one in part.items() if name != "ttl"}
            if key == "cache_control" and isinstance(part, dict)
            else without_ttl(part)
            for key, part in value.items()
        }
    return [without_ttl(one) for one in value] if isinstance(value, list) else value


@settings(max_examples=25, deadline=None)
@given(body=requests, ttl=st.sampled_from(["5m", "1h"]))
def test_nothing_but_times_to_live_is_touched_and_once_is_enough(body, ttl):
    fields = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in body.items()}
    try:
        after = set_ttl(fields, ttl)
    except DoesNotFit:
        return
    assert without_ttl(json.loads(msgspec.json.encode(after))) == without_ttl(body)
    with pytest.raises(DoesNotFit):
        set_ttl(after, ttl)


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
