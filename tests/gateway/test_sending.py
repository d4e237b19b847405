"""What the provider gets of a call, and what the caller gets of the provider's headers."""

import json

import httpx2 as httpx
import pytest

from gateway.rig import CHAT
from modicum.gateway.sending import with_one_model


def test_a_body_passes_unchanged_and_no_key_of_ours_leaves(rig, client):
    client.chat.completions.create(**CHAT)

    line, headers, body = rig.provider.asked[-1]
    assert line == "POST /v1/chat/completions HTTP/1.1"
    assert json.loads(body) == CHAT
    assert rig.key not in str(headers)
    assert "authorization" not in headers


def test_trace_context_goes_upstream_as_it_came_and_baggage_does_not(rig, client):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    client.chat.completions.create(
        **CHAT, extra_headers={"traceparent": parent, "tracestate": "a=b", "baggage": "user.name=ann"}
    )

    headers = rig.provider.asked[-1][1]
    assert (headers["traceparent"], headers["tracestate"]) == (parent, "a=b")
    assert "baggage" not in headers
    assert rig.records()[-1].tags["traceparent"] == parent


def test_an_alias_changes_the_model_and_nothing_else(rig, client):
    client.chat.completions.create(**CHAT | {"model": "fast", "temperature": 0.25})

    assert json.loads(rig.provider.asked[-1][2]) == CHAT | {"temperature": 0.25}


@pytest.mark.parametrize(
    ("query", "passed"),
    [("", ""), ("beta=true", "?beta=true"), ("key=sk-secret&alt=sse", "?alt=sse"), ("other=1", "")],
)
def test_of_a_query_only_what_is_no_key_goes_upstream(rig, query, passed):
    reply = httpx.post(f"{rig.url}/v1/chat/completions?{query}", json=CHAT, headers=rig.headers())

    assert reply.status_code == 200
    assert rig.provider.asked[-1][0] == f"POST /v1/chat/completions{passed} HTTP/1.1"


def test_a_provider_sets_no_cookie_at_the_caller(rig):
    headers = rig.headers(x_fixture="openai-chat/reasoning.sse")  # the provider sets one with every stream

    reply = httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT | {"stream": True}, headers=headers)

    assert reply.headers["content-type"] == "text/event-stream"
    assert "set-cookie" not in reply.headers


def test_of_a_model_named_twice_one_name_is_sent():
    sent = with_one_model(b'{"Model":"a","model":"b","n":1,"model":"c","MODEL":"d"}')

    assert json.loads(sent, object_pairs_hook=list) == [("model", "c"), ("n", 1)]
