import pytest

from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.openai_text.dialect import DIALECT

REPLY = (
    b'{"id":"cmpl-AbCdEfGhIjKlMnOpQrStUv","object":"text_completion","model":"m","choices":[{"index":0,"text":" Paris",'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}'
)


def test_a_request_tells_its_facts():
    facts = DIALECT.request(b'{"model":"m","prompt":["a","b"],"n":2,"best_of":3,"stream":true,"user":"u"}', "/x")
    assert (facts.model, facts.stream, facts.usage_asked, facts.user) == ("m", True, False, "u")
    assert (facts.most_output_tokens, facts.choices_count) == (16, 6)
    assert DIALECT.request(b'{"prompt":"a"}', "/openai/deployments/mine/completions").model == "mine"


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        (b'"a"', ["a"]),
        (b'["a"]', ["a"]),
        (b'["a","b"]', ["a", "b"]),
        (b"[1,2]", ["[1,2]"]),
        (b"[[1],[2]]", ["[1]", "[2]"]),
    ],
)
def test_each_prompt_is_a_text(prompt, texts):
    assert DIALECT.segments(b'{"prompt":%b}' % prompt) == [Block(SegmentKind.USER, text) for text in texts]


def test_a_reply_tells_its_usage_and_without_it_its_text():
    facts = DIALECT.reply(REPLY)
    assert (facts.reply_id, facts.usage) == ("cmpl-AbCdEfGhIjKlMnOpQrStUv", Usage(input_uncached=5, output_visible=2))
    bare = DIALECT.reply(REPLY.replace(b"usage", b"other"))
    assert (bare.usage, bare.output_text, bare.complete) == (None, " Paris", True)
    assert DIALECT.reply(b"<html>").problem
    assert DIALECT.reply(b'{"error":{"type":"x"}}').error_kind == "x"


def test_a_stream_is_asked_for_usage_and_the_chunk_that_came_for_it_is_taken_out():
    asked = DIALECT.with_usage_asked(b'{"prompt":"a"}')
    assert b'"include_usage":true' in asked
    assert b"stream_options" not in DIALECT.without_usage_asked(asked)
    chunk = b'data: {"id":"cmpl-1","choices":[{"index":0,"text":"Par","finish_reason":null}]}\n\n'
    last = chunk.replace(b"null", b'"stop"')
    usage = b'data: {"id":"cmpl-1","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
    tail = DIALECT.tail(usage_asked=False)
    assert tail.feed(chunk + last + usage) + tail.feed(b"data: [DONE]\n\n") == chunk + last + b"data: [DONE]\n\n"
    assert tail.facts().usage == Usage(input_uncached=5, output_visible=2)
    broken = DIALECT.tail(usage_asked=True)
    broken.feed(chunk)
    assert broken.facts().output_text == "Par"
