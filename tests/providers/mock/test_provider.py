"""The mock provider's answers, read by the official clients and metered by the dialects."""

import msgspec
import openai
import pytest
from anthropic.pagination import SyncPage
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import FAULTS, MockOptions
from modicum.providers.mock.provider import MockProvider, models
from providers.mock_rig import CREATED, HELLO, PLAIN, metered, of_anthropic, of_openai

SCHEMA = {
    "type": "object",
    "properties": {"at": {"type": "string", "enum": ["Kiel", "Ulm"]}, "days": {"type": "integer"}},
}
ARGUMENTS = {"at": "Kiel", "days": 1}


TOOLS = {
    "openai-chat": {
        "messages": HELLO,
        "tools": [{"type": "function", "function": {"name": "tide", "parameters": SCHEMA}}],
        "tool_choice": "required",
    },
    "openai-responses": {
        "input": "hello",
        "tools": [{"type": "function", "name": "tide", "parameters": SCHEMA}],
        "tool_choice": {"type": "function", "name": "tide"},
    },
    "anthropic-messages": {
        "max_tokens": 100,
        "messages": HELLO,
        "tools": [{"name": "tide", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
    },
    "gemini-generate": {
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "tools": [{"functionDeclarations": [{"name": "tide", "parameters": SCHEMA}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    },
}
RESULTS = {
    "openai-chat": {"messages": [*HELLO, {"role": "tool", "tool_call_id": "c", "content": "06:12"}]},
    "openai-responses": {"input": [{"type": "function_call_output", "call_id": "c", "output": "06:12"}]},
    "anthropic-messages": {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "06:12"}]}]
    },
    "gemini-generate": {
        "contents": [{"role": "user", "parts": [{"functionResponse": {"name": "tide", "response": {"output": "06"}}}]}]
    },
}
GEMINI_PATHS = {False: "/v1beta/models/m:generateContent", True: "/v1beta/models/m:streamGenerateContent?alt=sse"}


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


@pytest.mark.parametrize("name", sorted(TOOLS))
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault])
def test_faults_look_like_those_of_providers(name, fault):
    request = {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        **TOOLS[name],
        "tool_choice": "auto",
    }
    facts = metered(name, request, MockOptions(fault=fault), GEMINI_PATHS[True])
    if fault == "no_usage":
        assert facts.complete
        assert facts.usage is None
        assert facts.output_text
    else:
        assert not facts.complete
        assert not facts.usage_final
    assert bool(facts.error_kind) == (fault in {"rate_limited", "overloaded", "server_error", "error_event"})


def test_a_broken_off_reply_tells_the_server_to_cut_the_connection():
    body = msgspec.json.encode({"model": "m", "messages": HELLO})
    answer = MockProvider().answer(DIALECTS["openai-chat"], body, "", MockOptions(fault="broken_off"), CREATED)
    assert answer.breaks_off
    assert DIALECTS["openai-chat"].reply(answer.parts[0]).problem


def test_overload_has_the_status_of_its_provider():
    for name, status in (("anthropic-messages", 529), ("openai-chat", 503)):
        body = msgspec.json.encode({"model": "m", "max_tokens": 5, "messages": HELLO})
        answer = MockProvider().answer(DIALECTS[name], body, "", MockOptions(fault="overloaded"), CREATED)
        assert (answer.status, dict(answer.headers)) == (status, {"retry-after": "1"})


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
    ("name", "body"),
    [
        ("openai-chat", b"{"),
        ("openai-chat", b'{"model":"m","max_tokens":0}'),
        ("anthropic-messages", b'{"model":"m","messages":[]}'),
        ("openai-responses", b'{"input":"x"}'),
    ],
)
def test_bad_requests_are_answered_as_bad_requests(name, body):
    answer = MockProvider().answer(DIALECTS[name], body, "", MockOptions(), CREATED)
    assert answer.status == 400
    assert DIALECTS[name].reply(answer.parts[0]).error_kind == "invalid_request_error"


def test_tokens_can_be_counted_and_models_listed():
    provider = MockProvider()
    body = msgspec.json.encode({"model": "m", "messages": HELLO})
    assert msgspec.json.decode(provider.count(DIALECTS["anthropic-messages"], body, "").parts[0]) == {"input_tokens": 4}
    listed = models(DIALECTS["anthropic-messages"], ["a", "b"], CREATED).parts[0]
    assert [one["id"] for one in SyncPage.model_validate_json(listed).data] == ["a", "b"]
    listed = msgspec.json.decode(models(DIALECTS["openai-chat"], ["a"], CREATED).parts[0])
    assert openai.types.Model.model_validate(listed["data"][0], strict=True).id == "a"
