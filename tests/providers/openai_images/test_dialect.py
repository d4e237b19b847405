import httpx2
import pytest

from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.facts import DialectError
from modicum.providers.openai_images.dialect import DIALECT

USAGE = (
    b'"usage":{"input_tokens":50,"output_tokens":272,"total_tokens":322,'
    b'"input_tokens_details":{"text_tokens":10,"image_tokens":40}}'
)


def test_a_request_is_json_or_a_form_and_may_name_no_model():
    form = httpx2.Request("POST", "http://x", data={"model": "gpt-image-1", "prompt": "p"}, files={"image": b"\x89PNG"})
    assert DIALECT.request(form.read(), "/v1/images/edits").model == "gpt-image-1"
    assert DIALECT.request(b'{"prompt":"p"}', "/v1/images/generations").model == "dall-e-2"
    assert DIALECT.request(b'{"prompt":"p","model":"m","stream":true}', "/x").stream
    assert DIALECT.segments(b'{"prompt":"p"}') == [Block(SegmentKind.USER, "p")]
    assert DIALECT.segments(form.read()) == []
    with pytest.raises(DialectError):
        DIALECT.request(b'{"model":7}', "/x")


def test_a_reply_tells_tokens_of_pictures_or_nothing():
    facts = DIALECT.reply(b'{"created":1,"data":[{"b64_json":"AA"}],' + USAGE + b"}")
    assert facts.usage == Usage(input_uncached=10, input_image=40, output_image=272)
    assert facts.charges.caveats == ()
    assert DIALECT.reply(b'{"data":[{"url":"x"}]}').usage is None
    assert DIALECT.reply(b'{"error":{"type":"x"}}').error_kind == "x"
    assert DIALECT.reply(b"no").problem


def test_a_stream_tells_its_usage_in_its_last_event():
    tail = DIALECT.tail(usage_asked=True)
    tail.feed(b'data: {"type":"image_generation.partial_image","b64_json":"AA"}\n\n')
    assert not tail.facts().complete
    tail.feed(b'data: {"type":"image_generation.completed","b64_json":"AA",' + USAGE + b"}\n\n")
    assert (tail.facts().usage.output_image, tail.facts().complete) == (272, True)
