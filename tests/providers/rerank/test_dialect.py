import pytest

from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.rerank.dialect import DIALECT


def test_a_request_is_a_query_and_documents():
    body = b'{"model":"rerank-v3.5","query":"q","documents":["a",{"text":"b"}]}'
    assert DIALECT.request(body, "/v2/rerank").model == "rerank-v3.5"
    assert DIALECT.segments(body) == [
        Block(SegmentKind.USER, "q"),
        Block(SegmentKind.DOCUMENT, "a"),
        Block(SegmentKind.DOCUMENT, '{"text":"b"}'),
    ]


@pytest.mark.parametrize(
    ("reply", "usage", "requests", "caveats"),
    [
        (b'{"results":[],"usage":{"total_tokens":9,"prompt_tokens":9}}', Usage(input_uncached=9), {}, ()),
        (b'{"data":[],"usage":{"total_tokens":9}}', Usage(input_uncached=9), {}, ()),
        (b'{"results":[],"meta":{"billed_units":{"search_units":2}}}', None, {"search_unit": 2}, ()),
        (b'{"results":[],"usage":{"total_tokens":9,"x_tokens":1}}', Usage(input_uncached=9), {}, ("usage.x_tokens",)),
        (b'{"results":[],"usage":{"total_tokens":-1}}', None, {}, ()),
    ],
)
def test_a_reply_tells_tokens_or_searches(reply, usage, requests, caveats):
    facts = DIALECT.reply(reply)
    assert (facts.usage, facts.charges.requests, facts.charges.caveats) == (usage, requests, caveats)
    assert facts.complete


def test_what_is_no_reply_tells_nothing():
    assert DIALECT.reply(b"x").problem
    assert DIALECT.tail(usage_asked=True).facts().usage is None
