"""When two calls are the same."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Owner
from modicum.gateway.reply_cache.same_call import digest_call, is_repeatable
from modicum.providers.dialects import DIALECTS

KEY = b"k" * 32
TEXT = st.text(max_size=5)


def call(body=b"{}", dialect="openai-chat", owner=None, passing=(), own_key=None, **changes):
    served = SimpleNamespace(dialect=DIALECTS[dialect], target="/chat/completions")
    request = SimpleNamespace(served=served, query=b"", passing=passing)
    route = SimpleNamespace(upstream=SimpleNamespace(name="openai"), model="gpt-4o")
    about, caller = SimpleNamespace(owner=owner or Owner()), SimpleNamespace(own_key=own_key)
    fields = {"request": request, "route": route, "about": about, "caller": caller, "edited": body}
    return SimpleNamespace(**fields | {"agent_line": "", "guard_line": "", "is_plain": False} | changes)


@pytest.mark.parametrize(
    ("dialect", "body", "is_fine"),
    [
        ("openai-chat", {"model": "m", "messages": []}, True),
        ("openai-chat", {"model": "m", "messages": [], "tools": []}, False),
        ("openai-responses", {"model": "m", "input": "hi"}, False),  # kept by the provider
        ("openai-responses", {"model": "m", "input": "hi", "store": False}, True),
        ("openai-responses", {"model": "m", "input": "hi", "store": False, "previous_response_id": "r"}, False),
        ("anthropic-messages", {"model": "m", "messages": [], "max_tokens": 1}, True),
        ("anthropic-messages", {"model": "m", "messages": [], "mcp_servers": []}, False),
        ("gemini-generate", {"contents": []}, True),
        ("gemini-generate", {"contents": [], "toolConfig": {}}, False),
        ("openai-embeddings", {"model": "m", "input": ["a"]}, True),
    ],
)
def test_only_words_are_asked_for(dialect, body, is_fine):
    assert is_repeatable(call(json.dumps(body).encode(), dialect)) == is_fine


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_what_cannot_be_read_is_no_example(body):
    assert not is_repeatable(call(body))


def test_calls_of_ours_are_always_made():
    assert not is_repeatable(call(b'{"model": "m", "messages": []}', is_plain=True))


@given(st.tuples(*[TEXT] * 6), st.tuples(*[TEXT] * 6))
def test_no_two_calls_that_differ_look_the_same(one, other):
    def digest(parts):
        team, app, user, key, body, line = parts
        return digest_call(
            call(body.encode(), owner=Owner(key=key, team=team, app=app, user=user), agent_line=line), KEY
        )

    assert (digest(one) == digest(other)) == (one == other)


def test_what_the_api_is_told_counts_and_what_a_client_tells_of_itself_does_not():
    plain = digest_call(call(), KEY)
    assert digest_call(call(passing=[(b"anthropic-beta", b"x")]), KEY) != plain
    assert digest_call(call(own_key=(b"authorization", b"sk-1")), KEY) != plain
    assert digest_call(call(passing=[(b"x-stainless-retry-count", b"1"), (b"traceparent", b"2")]), KEY) == plain


def test_another_process_has_other_digests():
    assert digest_call(call(), KEY) != digest_call(call(), b"l" * 32)
