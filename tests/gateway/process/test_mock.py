"""The mock provider behind its own server, read with the official clients."""

import json
import threading

import anthropic
import httpx2 as httpx
import openai
import pytest
import uvicorn
import uvloop

from gateway.rig import FIXTURES, running
from modicum.gateway.process.mock import MODELS, MockApp
from modicum.outbound.listener import bind_listener
from modicum.providers.mock.provider import MockProvider
from modicum.settings import GatewaySettings, Settings, UpstreamSettings


@pytest.fixture(scope="module")
def mock_url(tmp_path_factory):
    recordings = tmp_path_factory.mktemp("recordings")
    (recordings / "one.sse").write_bytes((FIXTURES / "openai-chat/usage_in_its_own_chunk.sse").read_bytes())
    config = uvicorn.Config(
        MockApp(MockProvider(), recordings), http="httptools", lifespan="off", log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    bound = bind_listener("test", "127.0.0.1", 0)
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[bound])))
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client(mock_url):
    with openai.OpenAI(base_url=f"{mock_url}/v1", api_key="any", max_retries=0) as client:
        yield client


ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}


def test_whole_and_streamed(client):
    whole = client.chat.completions.create(**ASKED, extra_headers={"x-mock-output-tokens": "7"})
    streamed = list(client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True}))

    assert whole.usage.completion_tokens == 7
    assert streamed[-1].usage.completion_tokens == 40


def test_faults_and_lists_and_counts(client, mock_url):
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**ASKED, extra_headers={"x-mock-fault": "rate_limited"})
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**ASKED, extra_headers={"x-mock-fault": "broken_off"})
    with pytest.raises(openai.BadRequestError, match="x-mock"):
        client.chat.completions.create(**ASKED, extra_headers={"x-mock-fault": "unheard_of"})
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.2).chat.completions.create(**ASKED, extra_headers={"x-mock-fault": "silent"})
    assert [model.id for model in client.models.list()] == list(MODELS)
    with anthropic.Anthropic(base_url=mock_url, api_key="any", max_retries=0) as claude:
        counted = claude.messages.count_tokens(model="claude-test", messages=ASKED["messages"])
    assert counted.input_tokens > 0


SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "inhabitants": {"type": "integer", "minimum": 1000}},
    "required": ["city", "inhabitants"],
}


def test_an_answer_has_the_shape_that_was_asked_for(client):
    shape = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True}}
    said = client.chat.completions.create(**ASKED, response_format=shape).choices[0].message.content

    assert json.loads(said) == {"city": "mock", "inhabitants": 1000}


def test_a_tool_is_called_where_it_is_chosen_or_named(client):
    tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("weather", "traffic")]
    chosen = {"type": "function", "function": {"name": "traffic"}}
    named = [{"role": "user", "content": "please use weather"}]

    for more in ({"messages": ASKED["messages"], "tool_choice": chosen}, {"messages": named}):
        (call,) = client.chat.completions.create(model="gpt-5", tools=tools, **more).choices[0].message.tool_calls
        assert call.function.name == ("traffic" if "tool_choice" in more else "weather")
        assert json.loads(call.function.arguments) == {"city": "mock", "inhabitants": 1000}


def test_compaction_answers_and_other_paths_do(client):
    compacted = client.responses.compact(model="gpt-5", input=[{"role": "user", "content": "hi"}])

    assert [item.type for item in compacted.output] == ["message", "compaction"]
    assert compacted.usage.total_tokens > 0
    assert client.post("/evals", cast_to=object, body={}) == {"object": "mock"}


def test_a_recorded_stream_is_played_back(client):
    headers = {"x-mock-replay": "one.sse"}
    chunks = list(client.chat.completions.create(**ASKED, stream=True, extra_headers=headers))

    assert chunks[-1].usage.total_tokens > 0
    with pytest.raises(openai.BadRequestError, match=r"one\.sse"):
        client.chat.completions.create(**ASKED, extra_headers={"x-mock-replay": "none.sse"})


@pytest.fixture(scope="module")
def gateway(mock_url, tmp_path_factory):
    """A gateway in front of the mock that serves each family's model by the other's API."""
    passes = {"own_keys": True, "pass_headers": ("x-mock-*",)}
    settings = Settings(
        gateway=GatewaySettings(listen="127.0.0.1:0"),
        upstreams={
            "openai": UpstreamSettings(url=f"{mock_url}/v1", speaks="openai", models=("gpt-*",), **passes),
            "anthropic": UpstreamSettings(url=f"{mock_url}/v1", speaks="anthropic", models=("claude-*",), **passes),
        },
    )
    with running(tmp_path_factory.mktemp("gateway"), lambda _: settings) as rig:
        yield rig


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["chat/completions", "messages"])
@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("rate_limited", {429}),
        ("overloaded", {503, 529}),
        ("server_error", {500}),
        ("garbage", {502}),
        ("empty", {502}),
    ],
)
def test_faults_cross_translation(gateway, path, stream, fault, statuses):
    model = "claude-sonnet-4-6" if path == "chat/completions" else "gpt-4o-mini"
    body = {"model": model, "messages": ASKED["messages"], "max_tokens": 50, "stream": stream}

    reply = httpx.post(f"{gateway.url}/v1/{path}", json=body, headers=gateway.headers(x_mock_fault=fault), timeout=10)

    assert reply.status_code in statuses
    assert "error" in reply.text
    assert (reply.text.count('"type":"error"') > 0) == (path == "messages")


@pytest.mark.parametrize("path", ["chat/completions", "messages"])
@pytest.mark.parametrize("fault", ["broken_off", "error_event"])
def test_a_stream_that_fails_ends_with_an_error_in_the_callers_words(gateway, path, fault):
    model = "claude-sonnet-4-6" if path == "chat/completions" else "gpt-4o-mini"
    body = {"model": model, "messages": ASKED["messages"], "max_tokens": 50, "stream": True}

    reply = httpx.post(f"{gateway.url}/v1/{path}", json=body, headers=gateway.headers(x_mock_fault=fault), timeout=10)

    *before, last = [event for event in reply.text.split("\n\n") if event.strip() and "[DONE]" not in event]
    assert before
    assert '"error"' in last
