"""Rules behind Anthropic's official client, with the mock provider."""

import asyncio
import json

import httpx2
import pytest

pytest.importorskip("anthropic", reason="not in the environment of the frameworks")

import anthropic

from modicum.calls import UserError
from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.sdk.anthropic_client import optimized
from sdk.test_optimizing import ANTHROPIC, ROWS

CALL = {"model": "claude-opus-4-5", "max_tokens": 64, "messages": ANTHROPIC}


class Upstream:
    """The mock provider, and what it was sent."""

    def __init__(self):
        self.sent, self._provider = [], MockProvider()

    def answer(self, request):
        body = request.read()
        self.sent.append(json.loads(body)["messages"][2]["content"][0]["content"])
        dialect = DIALECTS["anthropic-messages"]
        answer = self._provider.answer(dialect, body, request.url.path, MockOptions(), 1_763_800_000)
        return httpx2.Response(
            answer.status, content=b"".join(answer.parts), headers={"content-type": answer.content_type}
        )


@pytest.fixture
def upstream():
    return Upstream()


@pytest.fixture
def client(upstream):
    with httpx2.Client(transport=httpx2.MockTransport(upstream.answer)) as web:
        yield anthropic.Anthropic(api_key="none", http_client=web, max_retries=0)


def test_messages_are_sent_shorter_and_the_given_client_stays_as_it_is(client, upstream):
    reports = []
    shorter = optimized(client, on_report=reports.append)

    reply = shorter.messages.create(**CALL)
    client.messages.create(**CALL)

    assert reply.usage.output_tokens > 0
    assert json.loads(upstream.sent[0]) == json.loads(ROWS)
    assert len(upstream.sent[0]) < len(ROWS)
    assert upstream.sent[1] == ROWS
    assert reports[0].expected_usd > 0


def test_streams_and_copies_run_the_rules_behind_middleware_of_ones_own(client, upstream):
    lengths = []

    def own(request, call_next):
        lengths.append(len(request.json["messages"][2]["content"][0]["content"]))
        return call_next(request)

    shorter = optimized(client.with_options(middleware=[own])).with_options(timeout=5.0)
    with shorter.messages.stream(**CALL) as stream:
        stream.get_final_message()

    assert lengths == [len(ROWS)]
    assert len(upstream.sent[0]) < len(ROWS)


def test_the_asynchronous_client_does_the_same(upstream):
    async def ask():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(upstream.answer)) as web:
            client = anthropic.AsyncAnthropic(api_key="none", http_client=web, max_retries=0)
            await optimized(client).messages.create(**CALL)

    asyncio.run(ask())

    assert len(upstream.sent[0]) < len(ROWS)


def test_what_is_no_such_client_is_refused():
    with pytest.raises(UserError, match=r"clients of anthropic with middleware .* and this is str"):
        optimized("client")
