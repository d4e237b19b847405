"""Whole calls, from official clients to the journal."""

import asyncio
import json

import anthropic
import httpx2 as httpx
import openai
import pytest
from google import genai

from gateway.rig import CHAT, FIXTURES, facts_of, packed
from modicum.calls import Basis, CallStatus, Usage


def last(rig, count):
    return rig.wait_for_records(count)[-1]


def booked(rig):
    return len(rig.records())


def test_openai_chat_is_booked_with_the_providers_usage_owner_and_task(rig, client):
    before = booked(rig)

    reply = client.chat.completions.create(
        **CHAT, extra_headers={"x-fixture": "openai-chat/cached.json", "x-modicum-task": "PR-1", "x-modicum-agent": "a"}
    )

    call = last(rig, before + 1)
    facts = facts_of("openai-chat/cached.json")
    assert reply.id == call.call_id.removeprefix("gateway:") or call.call_id.startswith("gateway:")
    assert call.usage == Usage(**facts["usage"])
    assert (call.usage_basis, call.output_basis, call.status) == (Basis.EXACT, Basis.EXACT, CallStatus.OK)
    assert (call.task, call.agent, call.owner.team, call.owner.key) == ("PR-1", "a", "platform", "ci")


def test_a_stream_that_did_not_ask_for_usage_has_none_and_is_booked_exactly(rig, client):
    before = booked(rig)

    stream = client.chat.completions.create(
        **CHAT, stream=True, extra_headers={"x-fixture": "openai-chat/usage_in_its_own_chunk.sse", "x-cut": "37"}
    )
    chunks = list(stream)

    assert all(chunk.usage is None for chunk in chunks)
    assert json.loads(rig.provider.asked[-1][2])["stream_options"] == {"include_usage": True}
    call = last(rig, before + 1)
    assert call.usage == Usage(**facts_of("openai-chat/usage_in_its_own_chunk.sse")["usage"])
    assert call.first_token is not None


def test_a_stream_that_asked_for_usage_passes_byte_by_byte(rig, client):
    with client.chat.completions.with_streaming_response.create(
        **CHAT,
        stream=True,
        stream_options={"include_usage": True},
        extra_headers={"x-fixture": "openai-chat/usage_in_its_own_chunk.sse"},
    ) as reply:
        data = reply.read()

    assert data == (FIXTURES / "openai-chat/usage_in_its_own_chunk.sse").read_bytes()


@pytest.mark.parametrize("name", ["usage_with_choices", "usage_in_a_choice", "usage_in_every_chunk", "reasoning"])
def test_usage_is_taken_from_wherever_it_stands(rig, client, name):
    before = booked(rig)

    list(client.chat.completions.create(**CHAT, stream=True, extra_headers={"x-fixture": f"openai-chat/{name}.sse"}))

    assert last(rig, before + 1).usage == Usage(**facts_of(f"openai-chat/{name}.sse")["usage"])


def test_a_stream_without_usage_is_estimated_and_never_0(rig, client):
    before = booked(rig)

    list(
        client.chat.completions.create(
            **CHAT, stream=True, extra_headers={"x-fixture": "openai-chat/missing_usage.sse"}
        )
    )

    call = last(rig, before + 1)
    assert (call.usage_basis, call.output_basis) == (Basis.ESTIMATED, Basis.ESTIMATED)
    assert call.usage.prompt_tokens > 0
    assert call.usage.completion_tokens > 0


def test_responses_and_embeddings(rig, client):
    before = booked(rig)

    fixtures = sorted(path.name for path in (FIXTURES / "openai-responses").glob("*.sse"))
    complete = next(name for name in fixtures if facts_of(f"openai-responses/{name}").get("complete"))
    list(
        client.responses.create(
            model="gpt-5", input="hi", stream=True, extra_headers={"x-fixture": f"openai-responses/{complete}"}
        )
    )
    embedded = sorted(path.name for path in (FIXTURES / "openai-embeddings").glob("*.json") if "facts" not in path.name)
    client.embeddings.with_raw_response.create(
        model="text-embedding-3-small", input="one", extra_headers={"x-fixture": f"openai-embeddings/{embedded[0]}"}
    )

    streamed, made = rig.wait_for_records(before + 2)[-2:]
    assert streamed.usage_basis is Basis.EXACT
    assert made.model.startswith("text-embedding")


def test_an_anthropic_tool_call_streamed(rig):
    before = booked(rig)
    with (
        anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client,
        client.messages.stream(
            model="claude-test",
            max_tokens=100,
            messages=[{"role": "user", "content": "weather in Paris?"}],
            tools=[{"name": "get_weather", "description": "d", "input_schema": {"type": "object", "properties": {}}}],
            extra_headers={"x-fixture": "anthropic-messages/tool_use.sse"},
        ) as stream,
    ):
        message = stream.get_final_message()

    call = last(rig, before + 1)
    assert message.stop_reason == "tool_use"
    assert call.usage == Usage(**facts_of("anthropic-messages/tool_use.sse")["usage"])
    assert call.provider == "anthropic"
    assert rig.provider.asked[-1][0] == "POST /v1/messages HTTP/1.1"


def test_gemini_streamed(rig):
    before = booked(rig)
    fixture = next(path.name for path in sorted((FIXTURES / "gemini-generate").glob("*.sse")))
    client = genai.Client(
        api_key=rig.key, http_options={"base_url": rig.url, "headers": {"x-fixture": f"gemini-generate/{fixture}"}}
    )

    list(client.models.generate_content_stream(model="gemini-2.5-flash", contents="hi"))
    client.close()

    call = last(rig, before + 1)
    assert rig.provider.asked[-1][0] == "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse HTTP/1.1"
    assert call.provider == "google"


def test_async_clients_at_once_are_each_booked_once(rig):
    before = booked(rig)

    async def many():
        async with openai.AsyncOpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
            await asyncio.gather(*(client.chat.completions.create(**CHAT) for _ in range(20)))

    asyncio.run(many())

    rig.wait_for_records(before + 20)
    ids = [entry.call.call_id for entry in rig.shipped()]
    assert len(ids) == len(set(ids)) == before + 20  # the provider gave all of them the same id


def test_an_error_of_the_provider_comes_through_in_its_own_words(rig, client):
    before = booked(rig)

    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(
            **CHAT, extra_headers={"x-fixture": "openai-chat/rate_limited.json", "x-status": "429"}
        )

    call = last(rig, before + 1)
    assert (call.status, call.usage_basis) == (CallStatus.ERROR, Basis.UNKNOWN)


@pytest.fixture
def answering(rig, monkeypatch):
    """Headers that mean nothing to the other API do not pass, so the provider is told otherwise what to serve."""
    return lambda fixture: monkeypatch.setattr(rig.provider, "usual_fixture", fixture)


def test_an_openai_client_reaches_claude_with_tools_and_streams(rig, client, answering):
    answering("anthropic-messages/tool_use.sse")
    before = booked(rig)
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}

    stream = client.chat.completions.create(
        **CHAT | {"model": "claude-test"},
        tools=[tool],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)

    line, headers, body = rig.provider.asked[-1]
    assert line == "POST /v1/messages HTTP/1.1"
    assert headers["anthropic-version"] == "2023-06-01"
    assert json.loads(body)["tools"][0]["name"] == "get_weather"
    assert any(chunk.choices and chunk.choices[0].delta.tool_calls for chunk in chunks)
    usage = last(rig, before + 1).usage
    assert usage == Usage(**facts_of("anthropic-messages/tool_use.sse")["usage"])
    assert chunks[-1].usage.prompt_tokens == usage.prompt_tokens


def test_an_anthropic_client_reaches_gpt(rig, answering):
    answering("openai-chat/tool_calls.json")
    before = booked(rig)
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client:
        message = client.messages.create(
            model="gpt-4o-mini",
            max_tokens=100,
            messages=[{"role": "user", "content": "hi"}],
        )

    assert rig.provider.asked[-1][0] == "POST /v1/chat/completions HTTP/1.1"
    assert "anthropic-version" not in rig.provider.asked[-1][1]
    assert message.stop_reason == "tool_use"
    assert last(rig, before + 1).usage == Usage(**facts_of("openai-chat/tool_calls.json")["usage"])


@pytest.mark.parametrize(
    ("model", "fixture", "there"),
    [
        ("gpt-4o-mini", "openai-chat/cached.json", b"x-request-id"),
        ("claude-test", "anthropic-messages/cached.json", b"request-id"),
    ],
)
def test_the_id_that_a_client_reads_is_found_in_the_books(rig, client, model, fixture, there):
    before = booked(rig)
    body = (FIXTURES / fixture).read_bytes()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%b: req_7\r\ncontent-length: %d\r\n\r\n"
    rig.provider.raw = head % (there, len(body)) + body
    answer = client.chat.completions.create(**CHAT | {"model": model}, extra_headers={"x-fault": "raw"})

    assert answer._request_id == "req_7"
    assert last(rig, before + 1).tags["request_id"] == "req_7"


def test_an_openai_client_reaches_gemini(rig, client, answering):
    answering("gemini-generate/stream.sse")
    before = booked(rig)
    asked = {"model": "gemini-2.5-pro", "stream_options": {"include_usage": True}, "user": "u"}
    raw = client.chat.completions.with_raw_response.create(**CHAT | asked, stream=True)
    left_out, chunks = raw.headers["x-modicum-left-out"], list(raw.parse())

    path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    assert rig.provider.asked[-1][0] == f"POST {path} HTTP/1.1"
    assert left_out == "user"
    usage = last(rig, before + 1).usage
    assert usage == Usage(**facts_of("gemini-generate/stream.sse")["usage"])
    assert chunks[-1].usage.completion_tokens == usage.completion_tokens


@pytest.mark.parametrize(
    ("model", "fixture"),
    [("claude-test", "anthropic-messages/tool_use.sse"), ("gemini-2.5-pro", "gemini-generate/stream.sse")],
)
def test_claude_and_gemini_answer_as_responses(rig, client, answering, model, fixture):
    answering(fixture)
    before = booked(rig)
    with client.responses.stream(model=model, input="hi", store=False) as events:
        list(events)
        response = events.get_final_response()

    usage = last(rig, before + 1).usage
    assert usage == Usage(**facts_of(fixture)["usage"])
    assert (response.usage.input_tokens, response.usage.output_tokens) == (usage.prompt_tokens, usage.completion_tokens)


def test_an_anthropic_client_reaches_gemini(rig, answering):
    answering("gemini-generate/cached.json")
    before = booked(rig)
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client:
        message = client.messages.create(
            model="gemini-2.5-pro", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
        )

    assert rig.provider.asked[-1][0] == "POST /v1beta/models/gemini-2.5-pro:generateContent HTTP/1.1"
    usage = last(rig, before + 1).usage
    assert usage == Usage(**facts_of("gemini-generate/cached.json")["usage"])
    assert message.usage.output_tokens == usage.completion_tokens


def test_a_request_that_cannot_be_translated_is_refused_in_the_callers_dialect(rig, client):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(**CHAT | {"model": "claude-test"}, n=2)

    assert refusal.value.body["code"] == "untranslatable"


class Packing(httpx.HTTPTransport):
    """Compresses what an official client sends."""

    def __init__(self, coding):
        super().__init__()
        self.coding = coding

    def handle_request(self, request):
        data, _ = packed(request.content, self.coding)
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        headers["content-encoding"] = self.coding
        return super().handle_request(httpx.Request(request.method, request.url, headers=headers, content=data))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_compressed_request_goes_on_as_it_was_read(rig, coding):
    before = booked(rig)
    with (
        httpx.Client(transport=Packing(coding)) as web,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0, http_client=web) as client,
    ):
        client.chat.completions.create(**CHAT)

    _, headers, body = rig.provider.asked[-1]
    assert "content-encoding" not in headers
    assert json.loads(body) == CHAT
    assert last(rig, before + 1).usage_basis is Basis.EXACT


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_that_comes_compressed_is_metered_and_passed_on_plain(rig, client, coding, stream):
    fixture = "openai-chat/usage_in_its_own_chunk.sse" if stream else "openai-chat/cached.json"
    before = booked(rig)

    reply = client.chat.completions.create(
        **CHAT, stream=stream, extra_headers={"x-fixture": fixture, "x-coding": coding, "x-cut": "23"}
    )
    told = list(reply) if stream else reply.choices

    assert told
    assert last(rig, before + 1).usage == Usage(**facts_of(fixture)["usage"])


def test_a_reply_that_nobody_here_can_unpack_passes_and_its_usage_is_unknown(rig):
    before = booked(rig)

    with (
        httpx.Client() as web,
        web.stream("POST", f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers(x_coding="br")) as reply,
    ):
        data = b"".join(reply.iter_raw())

    assert reply.headers["content-encoding"] == "br"
    assert data == (FIXTURES / "openai-chat/cached.json").read_bytes()[::-1]
    assert last(rig, before + 1).usage_basis is Basis.UNKNOWN
