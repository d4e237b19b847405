"""What the mock provider plans to say: read by the official clients, metered by the dialects, and by itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.providers.mock.reply_plan import mapping_sample
from providers.mock_rig import CREATED, GEMINI_PATHS, HELLO, PLAIN, RESULTS, TOOLS, metered, of_anthropic, of_openai

ARGUMENTS = {"at": "Kiel", "days": 1}


@pytest.mark.parametrize("name", sorted(TOOLS))
@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_tool_is_called_with_arguments_that_fit_and_its_result_is_answered_in_words(name, stream):
    request = {"model": "m", "stream": stream, "stream_options": {"include_usage": True}, **TOOLS[name]}
    body = msgspec.json.encode(request)
    answer = MockProvider().answer(DIALECTS[name], body, GEMINI_PATHS[stream], MockOptions(), CREATED)
    assert b'"tide"' in b"".join(answer.parts)
    calls = metered(name, request, MockOptions(), GEMINI_PATHS[stream])
    assert calls.complete
    assert calls.finish_reason in {"tool_calls", "tool_use", "completed", "STOP"}
    text = metered(name, {**request, **RESULTS[name]}, MockOptions(), GEMINI_PATHS[stream])
    assert text.usage.output_visible == 40


def test_agents_get_their_arguments_whole():
    with of_openai(MockOptions(tool_calls=1)) as client:
        tools = TOOLS["openai-chat"]["tools"]
        with client.chat.completions.stream(model="m", messages=HELLO, tools=tools) as stream:
            call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert (call.function.name, msgspec.json.decode(call.function.arguments)) == ("tide", ARGUMENTS)
    with of_anthropic(MockOptions(tool_calls=1)) as client:
        tools = TOOLS["anthropic-messages"]["tools"]
        with client.messages.stream(model="m", messages=HELLO, tools=tools, max_tokens=100) as stream:
            assert stream.get_final_message().content[0].input == ARGUMENTS


def test_the_requests_bound_cuts_the_reply():
    facts = metered(
        "anthropic-messages", {"model": "m", "max_tokens": 3, "messages": HELLO}, MockOptions(output_tokens=50)
    )
    assert (facts.finish_reason, facts.usage.output_visible) == ("max_tokens", 3)
    facts = metered("openai-responses", {"model": "m", "input": "x", "max_output_tokens": 3, "stream": True})
    assert (facts.finish_reason, facts.usage.output_reasoning) == ("max_output_tokens", 3)


def test_same_requests_same_answers_and_salt_keeps_ids_apart():
    body = msgspec.json.encode({"model": "m", "messages": HELLO, "stream": True})
    dialect = DIALECTS["openai-chat"]
    a, b, salted = MockProvider(), MockProvider(), MockProvider(b"2")
    first = [a.answer(dialect, body, "", PLAIN, CREATED) for _ in range(2)]
    assert [b.answer(dialect, body, "", PLAIN, CREATED) for _ in range(2)] == first
    assert first[0] != first[1]
    assert salted.answer(dialect, body, "", PLAIN, CREATED).parts != first[0].parts


@given(
    name=st.sampled_from(sorted(TOOLS)),
    stream=st.booleans(),
    wanted=st.builds(MockOptions, st.integers(1, 200), st.integers(0, 50), chunks=st.integers(0, 300)),
)
def test_what_was_wanted_is_what_is_metered(name, stream, wanted):
    request = {"model": "m", "stream": stream, "stream_options": {"include_usage": True}, **TOOLS[name]}
    request |= {"tool_choice": "auto", "toolConfig": {}, "max_tokens": 1000}
    facts = metered(name, request, wanted, GEMINI_PATHS[stream])
    assert facts.usage_final
    assert facts.complete
    assert facts.usage.completion_tokens == wanted.output_tokens + wanted.reasoning_tokens
    assert facts.usage.prompt_tokens > 0


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        ({}, {}),
        ({"properties": {"at": {"enum": ["Kiel", "Ulm"]}}}, {"at": "Kiel"}),
        ({"properties": {"a": {"type": "number"}, "b": {"type": "string"}}, "required": ["b"]}, {"b": "mock"}),
        ({"properties": {"a": {"type": "BOOLEAN"}, "b": {"type": "array"}}}, {"a": True, "b": ["mock"]}),
        ({"properties": {"a": {"type": "object", "properties": {"b": {"type": "integer"}}}}}, {"a": {"b": 1}}),
        ({"properties": "none"}, {}),
    ],
)
def test_arguments_fit_their_schema(schema, arguments):
    assert mapping_sample(schema) == arguments


def test_a_schema_without_a_bottom_ends():
    schema = {"type": "object", "properties": {}}
    schema["properties"]["more"] = schema

    arguments = mapping_sample(schema)
    depth = 0
    while arguments:
        arguments, depth = arguments["more"], depth + 1
    assert depth == 7


def test_the_text_is_cut_into_as_many_pieces_as_asked_for_and_loses_nothing():
    request = msgspec.json.encode({"model": "m", "messages": HELLO, "stream": True})
    wanted = MockOptions(says="one two three four five", chunks=2)
    answer = MockProvider().answer(DIALECTS["openai-chat"], request, "", wanted, CREATED)
    deltas = [msgspec.json.decode(part[6:])["choices"][0]["delta"] for part in answer.parts if b'"delta"' in part]

    assert [delta["content"] for delta in deltas if delta.get("content")] == ["one two", " three four five"]
