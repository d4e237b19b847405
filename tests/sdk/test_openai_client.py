"""Rules behind OpenAI's official client, with the mock provider."""

import asyncio
import json

import httpx2
import openai
import pytest

from modicum.calls import UserError
from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.sdk.openai_client import optimized
from modicum.sdk.optimizing import choose_rules
from sdk.test_optimizing import CHAT, RESPONSES, ROWS

LIST_TIDES = {"type": "function", "function": {"name": "list_tides", "parameters": {"type": "object"}}}


class Upstream:
    """The mock provider, and what it was sent."""

    def __init__(self):
        self.sent, self._provider = [], MockProvider()

    def answer(self, request):
        self.sent.append(json.loads(request.read()))
        name = "openai-responses" if "responses" in request.url.path else "openai-chat"
        body, path = request.read(), request.url.path
        answer = self._provider.answer(DIALECTS[name], body, path, MockOptions(), 1_763_800_000)
        return httpx2.Response(
            answer.status, content=b"".join(answer.parts), headers={"content-type": answer.content_type}
        )


@pytest.fixture
def upstream():
    return Upstream()


@pytest.fixture
def client(upstream):
    with httpx2.Client(transport=httpx2.MockTransport(upstream.answer)) as web:
        yield openai.OpenAI(api_key="none", http_client=web, max_retries=0)


def test_chat_and_responses_are_sent_shorter_and_the_given_client_stays_as_it_is(client, upstream):
    reports = []
    shorter = optimized(client, on_report=reports.append)

    shorter.chat.completions.create(model="gpt-4o", messages=CHAT, tools=[LIST_TIDES])
    shorter.responses.create(model="gpt-4o", input=RESPONSES)
    client.chat.completions.create(model="gpt-4o", messages=CHAT)

    chat, responses, plain = upstream.sent
    assert json.loads(chat["messages"][2]["content"]) == json.loads(ROWS)
    assert len(chat["messages"][2]["content"]) < len(ROWS)
    assert len(responses["input"][2]["output"]) < len(ROWS)
    assert plain["messages"][2]["content"] == ROWS
    assert [report.applied[0].rule for report in reports] == ["content.json_minify"] * 2
    assert reports[0].expected_usd > 0


def test_streams_and_copies_of_the_client_run_the_rules_too(client, upstream):
    shorter = optimized(client, choose_rules(on=["content"])).with_options(timeout=5.0)

    with shorter.chat.completions.create(model="gpt-4o", messages=CHAT, stream=True) as stream:
        assert [chunk for chunk in stream if chunk.choices]

    assert "columns of this table" in upstream.sent[0]["messages"][2]["content"]


def test_the_asynchronous_client_does_the_same(upstream):
    async def ask():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(upstream.answer)) as web:
            client = openai.AsyncOpenAI(api_key="none", http_client=web, max_retries=0)
            await optimized(client).chat.completions.create(model="gpt-4o", messages=CHAT)

    asyncio.run(ask())

    assert len(upstream.sent[0]["messages"][2]["content"]) < len(ROWS)


def test_a_report_that_fails_costs_the_call_nothing(client, upstream, caplog):
    optimized(client, on_report=lambda _: 1 / 0).chat.completions.create(model="gpt-4o", messages=CHAT)

    assert len(upstream.sent[0]["messages"][2]["content"]) < len(ROWS)
    assert "rules failed with ZeroDivisionError" in caplog.text


def test_what_is_no_such_client_is_refused():
    with pytest.raises(UserError, match="clients of openai 2 and later, and this is str"):
        optimized("client")
