import asyncio
import json

import httpx2 as httpx
import pytest

from gateway.scripted import all_upstreams, scripted, whole
from modicum.gateway.own_counts import own_count
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError

MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    with scripted(tmp_path_factory.mktemp("counts"), all_upstreams) as upstream:
        yield upstream


def ask(upstream, path, **body):
    return httpx.post(f"{upstream.url}{path}", json=body, headers=upstream.headers(), timeout=20)


def test_tokens_for_a_model_behind_another_api_are_counted_here_and_that_is_marked(upstream):
    asked = len(upstream.asked)

    reply = ask(upstream, "/v1/messages/count_tokens", model="gpt-4o-mini", messages=MESSAGES, max_tokens=5)

    assert reply.status_code == 200
    assert 7 <= reply.json()["input_tokens"] <= 20
    assert reply.headers["x-modicum-count"] == "estimated"
    assert len(upstream.asked) == asked
    assert upstream.records() == []


@pytest.mark.parametrize(
    ("path", "model", "field"),
    [
        ("/v1/messages/count_tokens", "claude-sonnet-4-6", "input_tokens"),
        ("/v1/responses/input_tokens", "gpt-5", "input_tokens"),
        ("/v1beta/models/gemini-2.5-flash:countTokens", "", "totalTokens"),
    ],
)
def test_an_upstream_that_counts_none_is_stood_in_for_and_one_that_does_is_believed(upstream, path, model, field):
    body = {"contents": [{"parts": [{"text": "hi"}]}]} if not model else {"model": model, "messages": MESSAGES}
    upstream.answers = whole({"error": {"type": "not_found"}}, 404)
    ours = ask(upstream, path, **body)
    upstream.answers = whole({field: 123})
    theirs = ask(upstream, path, **body)

    assert (ours.status_code, ours.headers["x-modicum-count"], ours.json()[field] < 30) == (200, "estimated", True)
    assert (theirs.json(), "x-modicum-count" in theirs.headers) == ({field: 123}, False)


def test_what_cannot_be_read_is_not_counted():
    counted = json.loads(asyncio.run(own_count(DIALECTS["anthropic-messages"], b'{"messages":[]}', "claude-x")))
    assert counted == {"input_tokens": 0}
    with pytest.raises(DialectError):
        asyncio.run(own_count(DIALECTS["anthropic-messages"], b"{", "claude-x"))
