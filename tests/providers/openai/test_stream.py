from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from modicum.providers.openai_chat.dialect import DIALECT

FIXTURES = Path(__file__).parent.parent / "fixtures/openai-chat"


def passed(name, *, usage_asked):
    tail = DIALECT.tail(usage_asked)
    return tail.feed((FIXTURES / name).read_bytes()) + tail.end()


def events(body):
    return [line[6:] for line in body.decode().split("\n") if line.startswith("data: ") and line != "data: [DONE]"]


def test_the_usage_chunk_is_taken_out_if_the_client_did_not_ask():
    whole = passed("usage_in_its_own_chunk.sse", usage_asked=True)
    short = passed("usage_in_its_own_chunk.sse", usage_asked=False)
    assert events(short) == events(whole)[:-1]
    assert short.endswith(b"\n\ndata: [DONE]\n\n")
    assert all(ChatCompletionChunk.model_validate_json(event).choices for event in events(short))


@pytest.mark.parametrize("name", ["usage_with_choices.sse", "usage_in_a_choice.sse", "reasoning.sse", "broken_off.sse"])
def test_chunks_with_choices_stay_whatever_they_hold(name):
    assert passed(name, usage_asked=False) == (FIXTURES / name).read_bytes()


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b"data: {}", b'data: {"usage":{}}', b": x", b'"usage":{'])))
def test_taking_out_removes_nothing_but_usage_chunks(lines):
    tail = DIALECT.tail(usage_asked=False)
    out = tail.feed(b"".join(lines)) + tail.end()
    kept = [line for line in b"".join(lines).splitlines() if line.strip() and line != b'data: {"usage":{}}']
    assert [line for line in out.splitlines() if line.strip()] == kept
