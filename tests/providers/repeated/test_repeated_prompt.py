"""A prompt of which most came before is the prompt that one reads as a whole, and is written in the same way."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import SegmentKind
from modicum.calls.change import Change, DoesNotFit
from modicum.providers import seen_requests
from modicum.providers.dialects import DIALECTS
from modicum.providers.repeated.repeated_prompt import RepeatedPrompt
from modicum.providers.seen_requests import SeenRequests

WORDS = st.sampled_from(["look", "result " * 9, '{"a": 1}', "é" * 20, ""])


def chat(steps, *, tools=True):
    messages = [{"role": "system", "content": "be brief"}]
    for number, (kind, words) in enumerate(steps):
        call = {
            "id": f"c{number % 3}",
            "type": "function",
            "function": {"name": f"tool_{number % 2}", "arguments": "{}"},
        }
        messages.append(
            {"role": "user", "content": words, "name": "ann"} if kind else {"role": "assistant", "content": words}
        )
        if kind == 2:
            second = {**call, "id": f"d{number}", "function": {"name": "other", "arguments": words}}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call, second]})
            messages.append(
                {"role": "tool", "tool_call_id": f"c{number % 3}", "content": [{"type": "text", "text": words}]}
            )
            messages.append({"role": "tool", "tool_call_id": "nobody's", "content": words})
    schemas = [{"type": "function", "function": {"name": "tool_0", "parameters": {}}}]
    return {"model": "m", "messages": messages, **({"tools": schemas} if tools else {})}


def anthropic(steps, *, tools=True):
    messages = []
    for number, (kind, words) in enumerate(steps):
        messages.append({"role": "user" if kind else "assistant", "content": words})
        if kind == 2:
            called = {
                "type": "tool_use",
                "id": f"t{number % 3}",
                "name": f"tool_{number % 2}",
                "input": {"words": words},
            }
            messages.append({"role": "assistant", "content": [{"type": "text", "text": words}, called]})
            answer = {"type": "tool_result", "tool_use_id": f"t{number % 3}", "content": words, "is_error": not words}
            image = {"type": "image", "source": {"type": "base64", "data": "QUJD"}}
            messages.append({"role": "user", "content": [answer, {"type": "text", "text": words}, image]})
    schemas = [{"name": "tool_0", "input_schema": {}}]
    return {"model": "m", "system": "be brief", "messages": messages, **({"tools": schemas} if tools else {})}


def responses(steps, *, tools=True):
    made = chat(steps, tools=tools)
    return {"model": "m", "input": [one for one in made["messages"] if one["role"] != "tool" and one.get("content")]}


MAKERS = {"openai-chat": chat, "anthropic-messages": anthropic, "openai-responses": responses}
STEPS = st.lists(st.tuples(st.integers(0, 2), WORDS), min_size=1, max_size=8)


def described(prompt):
    return [
        (
            unit.place,
            unit.kind,
            unit.tool,
            unit.name,
            unit.links,
            unit.is_error,
            unit.text,
            unit.tokens,
            unit.digest,
            unit.detail,
        )
        for unit in prompt.units
    ]


def result(prompt, change):
    try:
        return json.loads(prompt.write(change))
    except DoesNotFit as reason:
        return str(reason)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(list(MAKERS)), STEPS, STEPS, st.booleans(), st.data())
def test_it_is_the_prompt_that_one_reads_as_a_whole(name, first, more, tools, data):
    dialect, seen = DIALECTS[name], SeenRequests()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen_requests, "CHUNK_BYTES", 64)
        for steps in (first, [*first, *more], [*first, *more]):
            body = json.dumps(MAKERS[name](steps, tools=tools)).encode()
            whole, repeated = dialect.prompt(body), dialect.prompt(body, seen)
            assert isinstance(repeated, RepeatedPrompt)
            assert described(repeated) == described(whole)
            assert repeated.is_known
            assert repeated.why_no_text == whole.why_no_text
            places = st.integers(0, len(whole.units))
            replaced = data.draw(st.dictionaries(places, st.sampled_from(["short", "other"]), max_size=3))
            left_out = data.draw(st.frozensets(places, max_size=1))
            for change in (Change(replaced=replaced, why="w"), Change(replaced=replaced, left_out=left_out, why="w")):
                assert result(repeated, change) == result(whole, change)
            in_turn = in_two_turns(whole, replaced), in_two_turns(repeated, replaced)
            assert in_turn[0] == in_turn[1]
            if replaced and not isinstance(in_turn[0], str):
                assert in_turn[0][0] == result(whole, Change(replaced=replaced, why="w"))


def in_two_turns(prompt, replaced):
    """The request, and its units, after two rules of which the second changes what the first has changed."""
    try:
        first = prompt.with_texts(Change(replaced=dict.fromkeys(replaced, "first")))
        second = first.with_texts(Change(replaced=replaced))
    except DoesNotFit as reason:
        return str(reason)
    return json.loads(second.write()), [(unit.text, unit.tokens, unit.links, unit.detail) for unit in second.units]


def test_a_request_with_new_texts_says_where_its_messages_lie():
    body = json.dumps(anthropic([(2, "result " * 9), (1, "go on")])).encode()
    prompt = DIALECTS["anthropic-messages"].prompt(body, SeenRequests())
    place = next(unit.place for unit in prompt.units if unit.kind is SegmentKind.TOOL_RESULT)

    split = prompt.write_split(Change(replaced={place: "a result that is longer than the one before" * 3}, why="w"))

    assert [json.loads(bytes(message)) for message in split] == json.loads(split.body)["messages"]
    assert split.head == DIALECTS["anthropic-messages"].split(split.body, SeenRequests()).head
    assert prompt.write_split(Change(left_out=frozenset({place}), why="w")) is None


def test_a_change_leaves_all_other_bytes_as_the_caller_wrote_them():
    body = json.dumps(chat([(2, "result " * 9)]), indent=3).encode()
    dialect, seen = DIALECTS["openai-chat"], SeenRequests()
    place = next(unit.place for unit in dialect.prompt(body).units if unit.kind is SegmentKind.TOOL_RESULT)
    for _ in range(2):
        changed = dialect.prompt(body, seen).write(Change(replaced={place: "short"}, why="w"))

        new = changed[changed.index(b'{"role":"tool"') : changed.index(b"short")]
        before, _, behind = changed.partition(new)
        assert body.startswith(before)
        assert body.endswith(behind[behind.index(b"\n") :])


def test_the_caps_of_a_reply_are_written_as_ever():
    body = json.dumps(chat([(1, "hello")])).encode()
    change = Change(most_output_tokens=5, why="w")

    assert result(DIALECTS["openai-chat"].prompt(body, SeenRequests()), change)["max_completion_tokens"] == 5


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages":[{"role":"user"}', b'{"messages":7}'])
def test_what_has_not_the_shape_of_the_api_is_not_known(body):
    for name in MAKERS:
        whole = DIALECTS[name].prompt(body)
        assert DIALECTS[name].prompt(body, SeenRequests()).is_known == whole.is_known
