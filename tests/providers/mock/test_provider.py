"""The mock provider's answers, read by the official clients and metered by the dialects."""

import anthropic
import httpx2
import msgspec
import openai
import pytest
from anthropic.pagination import SyncPage
from google.genai import Client, types
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Usage
from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.provider import MockProvider, models
from modicum.providers.mock.wanted import FAULTS, Wanted

CREATED = 1763800000
SCHEMA = {
    "type": "object",
    "properties": {"at": {"type": "string", "enum": ["Kiel", "Ulm"]}, "days": {"type": "integer"}},
}
ARGUMENTS = {"at": "Kiel", "days": 1}
HELLO = [{"role": "user", "content": "hello"}]
PLAIN = Wanted(output_tokens=12, chunks=5, reasoning_tokens=7)


def server(wanted, provider=None):
    """The provider behind the official clients' own transport."""
    provider = provider or MockProvider()

    def handle(request):
        path = request.url.raw_path.decode()
        name = next(name for part, name in PATHS.items() if part in path)
        answer = provider.answer(DIALECTS[name], request.read(), path, wanted, CREATED)
        headers = {"content-type": answer.content_type, **dict(answer.headers)}
        return httpx2.Response(answer.status, content=b"".join(answer.parts), headers=headers)

    return httpx2.Client(transport=httpx2.MockTransport(handle))


PATHS = {
    "chat/completions": "openai-chat",
    "responses": "openai-responses",
    "embeddings": "openai-embeddings",
    "messages": "anthropic-messages",
    "enerateContent": "gemini-generate",
}


def of_openai(wanted):
    return openai.OpenAI(api_key="none", http_client=server(wanted), max_retries=0)


def of_anthropic(wanted):
    return anthropic.Anthropic(api_key="none", http_client=server(wanted), max_retries=0)


def metered(name, request, wanted=PLAIN, path="/x"):
    """What our own dialects meter of an answer."""
    answer = MockProvider().answer(DIALECTS[name], msgspec.json.encode(request), path, wanted, CREATED)
    dialect = DIALECTS[name]
    if len(answer.parts) == 1 and answer.content_type != "text/event-stream":
        return dialect.reply(answer.parts[0])
    tail = dialect.tail(usage_asked=True)
    for part in answer.parts:
        assert tail.feed(part) == part
    tail.end()
    return tail.facts()


def test_openais_client_reads_chat():
    with of_openai(PLAIN) as client:
        read = client.chat.completions.create(model="gpt-5", messages=HELLO)
        asked = {"model": "gpt-5", "messages": HELLO, "stream_options": {"include_usage": True}}
        with client.chat.completions.stream(**asked) as stream:
            pieces = [event.delta for event in stream if event.type == "content.delta" and event.delta]
            final = stream.get_final_completion()
    assert len(read.choices[0].message.content.split()) == 12
    assert (read.usage.completion_tokens, read.usage.completion_tokens_details.reasoning_tokens) == (19, 7)
    assert len(pieces) == 5
    assert len(final.choices[0].message.content.split()) == 12
    assert final.usage.prompt_tokens == read.usage.prompt_tokens
    assert final.id != read.id


def test_openais_client_reads_responses():
    with of_openai(PLAIN) as client:
        read = client.responses.create(model="gpt-5", input="hello")
        with client.responses.stream(model="gpt-5", input="hello") as stream:
            pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
    assert [item.type for item in read.output] == ["reasoning", "message"]
    assert len(read.output_text.split()) == len(final.output_text.split()) == 12
    assert "".join(pieces) == final.output_text
    assert final.usage.output_tokens_details.reasoning_tokens == 7


def test_openais_client_reads_embeddings():
    with of_openai(PLAIN) as client:
        read = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=4)
        floats = client.embeddings.create(
            model="text-embedding-3-small", input=["a", "b"], dimensions=4, encoding_format="float"
        )
    assert [len(one.embedding) for one in read.data] == [4, 4]
    assert read.data[0].embedding != read.data[1].embedding
    assert read.data[1].embedding == pytest.approx(floats.data[1].embedding, abs=1e-6)
    assert read.usage.prompt_tokens > 0


def test_anthropics_client_reads_messages():
    asked = {"model": "claude-opus-4-5", "max_tokens": 100, "messages": HELLO}
    with of_anthropic(PLAIN) as client:
        read = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            final = stream.get_final_message()
    for message in (read, final):
        assert [block.type for block in message.content] == ["thinking", "text"]
        assert len(message.content[1].text.split()) == 12
        assert message.stop_reason == "end_turn"
        assert message.usage.output_tokens == 19
        assert message.usage.input_tokens > 0


def test_googles_client_reads_generate_content(monkeypatch):
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    options = types.HttpOptions(httpx_client=server(PLAIN))
    with Client(api_key="none", http_options=options) as client:
        read = client.models.generate_content(model="gemini-2.5-pro", contents="hello")
        chunks = list(client.models.generate_content_stream(model="gemini-2.5-pro", contents="hello"))
    assert len(read.text.split()) == 12
    assert len("".join(chunk.text for chunk in chunks).split()) == 12
    for usage in (read.usage_metadata, chunks[-1].usage_metadata):
        assert (usage.candidates_token_count, usage.thoughts_token_count) == (12, 7)


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
    answer = MockProvider().answer(DIALECTS[name], body, GEMINI_PATHS[stream], Wanted(), CREATED)
    assert b'"tide"' in b"".join(answer.parts)
    calls = metered(name, request, Wanted(), GEMINI_PATHS[stream])
    assert calls.complete
    assert calls.finish_reason in {"tool_calls", "tool_use", "completed", "STOP"}
    text = metered(name, {**request, **RESULTS[name]}, Wanted(), GEMINI_PATHS[stream])
    assert text.usage.output_visible == 40


def test_agents_get_their_arguments_whole():
    with of_openai(Wanted(tool_calls=1)) as client:
        tools = TOOLS["openai-chat"]["tools"]
        with client.chat.completions.stream(model="m", messages=HELLO, tools=tools) as stream:
            call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert (call.function.name, msgspec.json.decode(call.function.arguments)) == ("tide", ARGUMENTS)
    with of_anthropic(Wanted(tool_calls=1)) as client:
        tools = TOOLS["anthropic-messages"]["tools"]
        with client.messages.stream(model="m", messages=HELLO, tools=tools, max_tokens=100) as stream:
            assert stream.get_final_message().content[0].input == ARGUMENTS


LONG = "Tides of the Baltic. " * 300


def test_openai_caches_a_seen_prefix_in_steps_of_128():
    provider = MockProvider()
    dialect = DIALECTS["openai-chat"]

    def ask(*said):
        messages = [{"role": "system", "content": LONG}, *({"role": "user", "content": one} for one in said)]
        body = msgspec.json.encode({"model": "m", "messages": messages})
        return dialect.reply(provider.answer(dialect, body, "", Wanted(), CREATED).parts[0]).usage

    first, second = ask("one"), ask("one", "two")
    assert first.cache_read == 0
    assert second.cache_read >= 1024
    assert second.cache_read % 128 == 0
    assert second.prompt_tokens > first.prompt_tokens


@pytest.mark.parametrize(("ttl", "bucket"), [({}, "cache_write_5m"), ({"ttl": "1h"}, "cache_write_1h")])
def test_anthropic_caches_what_has_a_breakpoint_and_bills_the_write(ttl, bucket):
    provider = MockProvider()
    dialect = DIALECTS["anthropic-messages"]

    def ask(said, control):
        system = [{"type": "text", "text": LONG, **control}]
        body = {"model": "m", "max_tokens": 9, "system": system, "messages": [{"role": "user", "content": said}]}
        return dialect.reply(provider.answer(dialect, msgspec.json.encode(body), "", Wanted(), CREATED).parts[0]).usage

    control = {"cache_control": {"type": "ephemeral", **ttl}}
    first, second = ask("one", control), ask("two", control)
    assert (first.cache_read, getattr(first, bucket) > 1024) == (0, True)
    assert second.cache_read > 1024 > getattr(second, bucket) > 0
    assert ask("one", {}).cache_read == 0


def test_the_requests_bound_cuts_the_reply():
    facts = metered("anthropic-messages", {"model": "m", "max_tokens": 3, "messages": HELLO}, Wanted(output_tokens=50))
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
    facts = metered(name, request, Wanted(fault=fault), GEMINI_PATHS[True])
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
    answer = MockProvider().answer(DIALECTS["openai-chat"], body, "", Wanted(fault="broken_off"), CREATED)
    assert answer.breaks_off
    assert DIALECTS["openai-chat"].reply(answer.parts[0]).problem


def test_overload_has_the_status_of_its_provider():
    for name, status in (("anthropic-messages", 529), ("openai-chat", 503)):
        body = msgspec.json.encode({"model": "m", "max_tokens": 5, "messages": HELLO})
        answer = MockProvider().answer(DIALECTS[name], body, "", Wanted(fault="overloaded"), CREATED)
        assert (answer.status, dict(answer.headers)) == (status, {"retry-after": "1"})


def test_an_array_for_those_who_did_not_ask_for_events():
    request = msgspec.json.encode(TOOLS["gemini-generate"] | {"toolConfig": {}})
    path = "/v1beta/models/m:streamGenerateContent"
    answer = MockProvider().answer(DIALECTS["gemini-generate"], request, path, PLAIN, CREATED)
    assert answer.content_type == "application/json"
    assert len(msgspec.json.decode(b"".join(answer.parts))) == 6
    tail = DIALECTS["gemini-generate"].tail(usage_asked=True)
    for part in answer.parts:
        tail.feed(part)
    assert tail.facts().usage.completion_tokens == 19


@given(
    name=st.sampled_from(sorted(TOOLS)),
    stream=st.booleans(),
    wanted=st.builds(Wanted, st.integers(1, 200), st.integers(0, 50), chunks=st.integers(0, 300)),
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
    answer = MockProvider().answer(DIALECTS[name], body, "", Wanted(), CREATED)
    assert answer.status == 400
    assert DIALECTS[name].reply(answer.parts[0]).error_kind == "invalid_request_error"


def test_tokens_can_be_counted_and_models_listed():
    provider = MockProvider()
    body = msgspec.json.encode({"model": "m", "messages": HELLO})
    assert msgspec.json.decode(provider.count(DIALECTS["anthropic-messages"], body, "").parts[0]) == {"input_tokens": 4}
    gemini = provider.count(DIALECTS["gemini-generate"], b'{"contents":[]}', "/v1beta/models/m:countTokens")
    assert msgspec.json.decode(gemini.parts[0]) == {"totalTokens": 0}
    listed = models(DIALECTS["anthropic-messages"], ["a", "b"], CREATED).parts[0]
    assert [one["id"] for one in SyncPage.model_validate_json(listed).data] == ["a", "b"]
    listed = msgspec.json.decode(models(DIALECTS["openai-chat"], ["a"], CREATED).parts[0])
    assert openai.types.Model.model_validate(listed["data"][0], strict=True).id == "a"


def test_a_provider_without_usage_is_metered_as_not_counted():
    facts = metered("openai-embeddings", {"model": "m", "input": "x"}, Wanted(fault="no_usage"))
    assert facts.usage is None
    assert metered("openai-embeddings", {"model": "m", "input": "x"}).usage == Usage(input_uncached=3)
