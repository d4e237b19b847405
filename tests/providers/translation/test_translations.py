"""Replies and streams across providers, read by the official clients of the caller's side."""

from itertools import pairwise
from pathlib import Path

import anthropic
import httpx2
import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.providers.translation.translations import TRANSLATIONS

FIXTURES = Path(__file__).parent.parent / "fixtures"
CREATED = 1763800000
FOR_OPENAI = TRANSLATIONS["openai-chat", "anthropic-messages"]
FOR_ANTHROPIC = TRANSLATIONS["anthropic-messages", "openai-chat"]
BOTH = st.sampled_from([FOR_OPENAI, FOR_ANTHROPIC])


def upstream(name, directory):
    return (FIXTURES / directory / name).read_bytes()


def streamed(translation, body, *, usage_asked=True):
    translated = translation.stream(usage_asked, CREATED)
    return translated.feed(body) + translated.end()


def client(body, kind):
    """A client of OpenAI or Anthropic that gets this answer, whatever it asks."""
    sse = body.startswith((b"data:", b"event:", b":"))
    headers = {"content-type": "text/event-stream" if sse else "application/json"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body, headers=headers))
    return kind(api_key="none", http_client=httpx2.Client(transport=transport), max_retries=0)


def openai_reads(body, **options):
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **options}
    with client(body, openai.OpenAI) as official:
        if not options:
            return official.chat.completions.create(**asked)
        with official.chat.completions.stream(**asked) as stream:
            list(stream)
            return stream.get_final_completion()


def anthropic_reads(body, *, stream=False):
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    with client(body, anthropic.Anthropic) as official:
        if not stream:
            return official.messages.create(**asked)
        with official.messages.stream(**asked) as events:
            return events.get_final_message()


def test_a_message_of_anthropic_read_by_openais_client():
    read = openai_reads(FOR_OPENAI.reply(upstream("cached.json", "anthropic-messages"), CREATED))
    assert (read.id, read.model, read.created) == ("msg_01X", "claude-sonnet-4-5-20250929", CREATED)
    assert read.choices[0].message.content == "Blue."
    assert read.choices[0].message.reasoning_content == "Hm."
    assert read.choices[0].finish_reason == "stop"
    assert (read.usage.prompt_tokens, read.usage.completion_tokens) == (23012, 95)
    assert read.usage.prompt_tokens_details.cached_tokens == 20000
    assert read.usage.prompt_tokens_details.cache_write_tokens == 3000


def test_a_stream_of_anthropic_read_by_openais_client():
    body = streamed(FOR_OPENAI, upstream("tool_use.sse", "anthropic-messages"))
    read = openai_reads(body, stream_options={"include_usage": True})
    message = read.choices[0].message
    assert message.content == 'Blue "message_stop" 🌊'
    assert message.tool_calls[0].function.name == "tide"
    assert message.tool_calls[0].function.arguments == '{"at": "Kiel"}'
    assert message.thinking_blocks[0]["signature"] == "EqQB"
    assert read.choices[0].finish_reason == "tool_calls"
    assert (read.usage.prompt_tokens, read.usage.prompt_tokens_details.cached_tokens) == (23012, 20000)


def test_usage_is_told_in_a_stream_only_if_asked_for():
    source = upstream("tool_use.sse", "anthropic-messages")
    body = streamed(FOR_OPENAI, source, usage_asked=False)
    assert b"usage" not in body
    assert body.endswith(b"data: [DONE]\n\n")
    assert openai_reads(body, stream_options={}).usage is None


def test_a_completion_of_openai_read_by_anthropics_client():
    read = anthropic_reads(FOR_ANTHROPIC.reply(upstream("tool_calls.json", "openai-chat"), CREATED))
    assert [(block.type, block.id, block.input) for block in read.content] == [
        ("tool_use", "call_1", {"city": "Kiel"}),
        ("tool_use", "call_2", {"city": "Ulm"}),
    ]
    assert read.stop_reason == "tool_use"
    cached = anthropic_reads(FOR_ANTHROPIC.reply(upstream("cached.json", "openai-chat"), CREATED))
    assert cached.content[0].text == "Blau, wie das Meer."
    assert (cached.usage.input_tokens, cached.usage.cache_read_input_tokens) == (476, 1024)
    assert (cached.usage.output_tokens, cached.usage.output_tokens_details.thinking_tokens) == (140, 128)


def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % msgspec.json.encode({"id": "c1", "model": "gpt-5", "choices": [choice]})


def call(index, **fields):
    return {"tool_calls": [{"index": index, **fields}]}


PARALLEL = b"".join(
    (
        chunk({"role": "assistant", "reasoning_content": "Two places."}),
        chunk({"content": "I look."}),
        chunk(call(0, id="a", type="function", function={"name": "tide", "arguments": ""})),
        chunk(call(0, function={"arguments": '{"at":'})),
        chunk(call(0, function={"arguments": '"Kiel"}'})),
        chunk(call(1, id="b", type="function", function={"name": "tide", "arguments": '{"at":"Ulm"}'})),
        chunk({}, "tool_calls"),
    )
)
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":90,"completion_tokens":30,"total_tokens":120}}\n\n'


def test_a_stream_of_openai_read_by_anthropics_client():
    read = anthropic_reads(streamed(FOR_ANTHROPIC, PARALLEL + USAGE + b"data: [DONE]\n\n"), stream=True)
    assert [block.type for block in read.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block.input for block in read.content[2:]] == [{"at": "Kiel"}, {"at": "Ulm"}]
    assert (read.id, read.stop_reason) == ("c1", "tool_use")
    assert (read.usage.input_tokens, read.usage.output_tokens) == (90, 30)


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n", USAGE])
def test_hosts_end_their_streams_in_several_ways(end):
    body = streamed(FOR_ANTHROPIC, PARALLEL + end)
    assert body.count(b"event: message_stop\n") == 1
    assert body.endswith(b'data: {"type":"message_stop"}\n\n')


def test_parts_of_tool_calls_in_turns_end_the_stream_with_an_error():
    turns = PARALLEL.replace(b'"tool_calls":[{"index":1', b'"tool_calls":[{"index":0', 1)
    mixed = turns + chunk(call(1, id="b", function={"name": "tide"})) + chunk(call(0, function={"arguments": "1"}))
    body = streamed(FOR_ANTHROPIC, mixed)
    assert body.endswith(b'parts of parallel tool calls come in turns"}}\n\n')
    with pytest.raises(anthropic.APIStatusError):
        anthropic_reads(body, stream=True)


@pytest.mark.parametrize("name", ["broken_off.sse", "tool_calls_broken_off.sse"])
def test_a_stream_that_broke_off_gets_no_regular_end(name):
    assert b"message_stop" not in streamed(FOR_ANTHROPIC, upstream(name, "openai-chat"))
    assert b"[DONE]" not in streamed(FOR_OPENAI, upstream("broken_off.sse", "anthropic-messages"))


def test_an_error_in_a_stream_reaches_the_caller():
    with pytest.raises(anthropic.APIStatusError, match="The server had an error"):
        anthropic_reads(streamed(FOR_ANTHROPIC, upstream("error_event.sse", "openai-chat")), stream=True)
    with pytest.raises(openai.APIError, match="Overloaded"):
        openai_reads(streamed(FOR_OPENAI, upstream("error_event.sse", "anthropic-messages")), stream_options={})


def test_errors_cross_over_with_status_message_and_kind():
    status, body = FOR_OPENAI.error(529, upstream("overloaded.json", "anthropic-messages"))
    assert status == 503
    assert msgspec.json.decode(body)["error"]["message"] == "Overloaded"
    assert msgspec.json.decode(body)["error"]["code"] == "overloaded_error"
    status, body = FOR_ANTHROPIC.error(429, upstream("rate_limited.json", "openai-chat"))
    assert status == 429
    assert msgspec.json.decode(body) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Rate limit reached for gpt-5"},
    }
    assert FOR_ANTHROPIC.error(502, b"<html>")[0] == 502


MUTATED_PLACES = {
    "at": st.integers(0, 1 << 20),
    "length": st.integers(0, 60),
    "instead": st.sampled_from([b"", b"null", b"[]", b"{}", b"-1", b'"x"', b"[[", b'"\\ud800"', b"\n"]),
}


def sources(translation, suffix):
    return sorted(
        path
        for path in (FIXTURES / translation.upstream).iterdir()
        if path.name.endswith(suffix) and not path.name.endswith(".facts.json")
    )


@given(translation=BOTH, which=st.integers(0, 100), places=st.lists(st.integers(0, 1 << 20), max_size=30))
def test_where_a_stream_is_cut_changes_nothing_and_its_usage_stays(translation, which, places):
    paths = sources(translation, ".sse")
    body = paths[which % len(paths)].read_bytes()
    whole = streamed(translation, body)
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    parts = translation.stream(usage_asked=True, created=CREATED)
    assert b"".join([parts.feed(body[a:b]) for a, b in pairwise(edges)]) + parts.end() == whole
    before, after = (DIALECTS[name].tail(usage_asked=True) for name in (translation.upstream, translation.caller))
    before.feed(body)
    after.feed(whole)
    if before.facts().usage_final:
        assert after.facts().usage.prompt_tokens == before.facts().usage.prompt_tokens
        assert after.facts().usage.cache_read == before.facts().usage.cache_read
        assert after.facts().usage.completion_tokens == before.facts().usage.completion_tokens
    assert after.facts().complete == before.facts().complete


@given(translation=BOTH, which=st.integers(0, 100), **MUTATED_PLACES)
def test_mutated_upstreams_raise_nothing_but_dialect_errors(translation, which, at, length, instead):
    for suffix in (".sse", ".json"):
        paths = sources(translation, suffix)
        body = paths[which % len(paths)].read_bytes()
        place = at % len(body)
        mutated = body[:place] + instead + body[place + length :]
        streamed(translation, mutated)
        translation.error(500, mutated)
        try:
            translation.reply(mutated, CREATED)
        except DialectError as wrong:
            status = wrong.status
        else:
            status = 502
        assert status == 502


REQUESTS = {
    "openai-chat": b'{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text",'
    b'"text":"hi"}]},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f",'
    b'"arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"x"}],"tools":[{"type":"function","function":'
    b'{"name":"f"}}],"tool_choice":"auto","response_format":{"type":"text"},"stop":["a"],"stream":true}',
    "anthropic-messages": b'{"model":"m","max_tokens":5,"system":"s","messages":[{"role":"user","content":[{"type":'
    b'"text","text":"hi"}]},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]},'
    b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"x"}]}],"tools":[{"name":"f",'
    b'"input_schema":{}}],"output_config":{"effort":"low"},"metadata":{"user_id":"u"}}',
}


@given(translation=BOTH, **MUTATED_PLACES)
def test_mutated_requests_raise_nothing_but_dialect_errors(translation, at, length, instead):
    body = REQUESTS[translation.caller]
    place = at % len(body)
    try:
        status = 400 if not translation.request(body[:place] + instead + body[place + length :], "m").body else 0
    except DialectError as wrong:
        status = wrong.status
    assert status in {0, 400}


def crossing(translation, provider, wanted):
    """A transport that translates to the mock provider and back, as a gateway does."""
    dialect = DIALECTS[translation.upstream]

    def handle(request):
        asked = DIALECTS[translation.caller].request(request.read(), request.url.path)
        sent = translation.request(request.content, "upstream-model")
        answer = provider.answer(dialect, sent.body, "", wanted, CREATED)
        if asked.stream:
            parts = translation.stream(usage_asked=asked.usage_asked, created=CREATED)
            body = b"".join([*map(parts.feed, answer.parts), parts.end()])
            return httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
        body = translation.reply(answer.parts[0], CREATED)
        return httpx2.Response(200, content=body, headers={"content-type": "application/json"})

    return httpx2.Client(transport=httpx2.MockTransport(handle))


SCHEMA = {"type": "object", "properties": {"at": {"type": "string", "enum": ["Kiel"]}}, "required": ["at"]}
TWICE = MockOptions(tool_calls=2, reasoning_tokens=5)


def test_an_agent_of_openais_client_works_with_anthropic():
    tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("tide", "wind")]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Tide and wind?"}]
    http = crossing(FOR_OPENAI, MockProvider(), TWICE)
    with openai.OpenAI(api_key="none", http_client=http, max_retries=0) as client:
        asked = {"model": "gpt-5", "messages": messages, "tools": tools}
        said = client.chat.completions.create(**asked).choices[0].message
        assert [call.function.arguments for call in said.tool_calls] == ['{"at":"Kiel"}'] * 2
        messages.append(said.model_dump(exclude_none=True))
        messages += [{"role": "tool", "tool_call_id": call.id, "content": "06:12"} for call in said.tool_calls]
        with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
            answer = stream.get_final_completion()
    assert len(answer.choices[0].message.content.split()) == 40
    assert answer.usage.completion_tokens == 45
    assert answer.usage.completion_tokens_details.reasoning_tokens == 5


@pytest.mark.parametrize("name", ["tide", "wind"])
def test_an_agent_of_anthropics_client_works_with_openai(name):
    tools = [{"name": name, "description": "d", "input_schema": SCHEMA}]
    messages = [{"role": "user", "content": "Go."}]
    http = crossing(FOR_ANTHROPIC, MockProvider(), TWICE)
    asked = {"model": "claude-opus-4-5", "max_tokens": 200, "system": "Be brief.", "tools": tools, "messages": messages}
    with anthropic.Anthropic(api_key="none", http_client=http, max_retries=0) as client:
        with client.messages.stream(**asked) as stream:
            said = stream.get_final_message()
        call = said.content[-1]
        assert (said.stop_reason, call.name, call.input) == ("tool_use", name, {"at": "Kiel"})
        messages.append({"role": "assistant", "content": said.content})
        messages.append(
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "06:12"}]}
        )
        answer = client.messages.create(**asked)
    assert len(answer.content[-1].text.split()) == 40
    assert answer.usage.output_tokens == 45
    assert answer.usage.input_tokens > 0
