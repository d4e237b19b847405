"""The mock provider behind its own server, read with the official clients."""

import threading

import anthropic
import openai
import pytest
import uvicorn
import uvloop

from modicum.gateway.process.mock import MODELS, MockApp
from modicum.outbound.listener import bind_listener
from modicum.providers.mock.provider import MockProvider


@pytest.fixture(scope="module")
def mock_url():
    config = uvicorn.Config(MockApp(MockProvider()), http="httptools", lifespan="off", log_config=None, ws="none")
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
