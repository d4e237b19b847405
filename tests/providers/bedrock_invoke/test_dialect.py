import json

import pytest

from modicum.providers.bedrock.errors import error_frame
from modicum.providers.bedrock.frames import read_frame, write_frame
from modicum.providers.bedrock_invoke.dialect import event_in, frame_of, is_understood
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError

DIALECT = DIALECTS["bedrock-invoke"]
MODEL = "eu.anthropic.claude-sonnet-4-6-v1:0"
PATH = f"/model/{MODEL}/invoke"
BODY = b'{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'


def test_the_path_names_model_and_stream():
    whole = DIALECT.request(BODY, PATH)
    streamed = DIALECT.request(BODY, f"{PATH}-with-response-stream")

    assert (whole.model, whole.stream, whole.most_output_tokens) == (MODEL, False, 9)
    assert streamed.stream
    assert DIALECT.find("POST", PATH).path == "/model/eu.anthropic.claude-sonnet-4-6-v1%3A0/invoke"
    assert DIALECT.target_for(DIALECT.find("POST", PATH).path, "arn:aws:x/y") == "/model/arn%3Aaws%3Ax%2Fy/invoke"
    assert DIALECT.find("POST", "/model/amazon.titan-embed-text-v2:0/invoke") is None  # a body that nobody reads
    assert DIALECT.find("GET", PATH) is None
    for body, path in ((b"{", PATH), (b"[]", PATH), (BODY, "/model/x")):
        with pytest.raises(DialectError):
            DIALECT.request(body, path)


def test_betas_stand_in_the_body_unless_they_do_already():
    told = json.loads(DIALECT.with_headers(BODY, {b"anthropic-beta": b"one, two"}))
    assert told["anthropic_beta"] == ["one", "two"]
    assert DIALECT.with_headers(BODY, {}) == BODY
    own = BODY.replace(b"{", b'{"anthropic_beta":["own"],', 1)
    assert json.loads(DIALECT.with_headers(own, {b"anthropic-beta": b"one"}))["anthropic_beta"] == ["own"]


def test_the_bill_names_bedrocks_model_and_errors_are_errors():
    reply = (
        b'{"type":"message","id":"msg_bdrk_1","model":"claude-sonnet-4-6","usage":{"input_tokens":3,"output_tokens":4}}'
    )
    facts = DIALECT.reply(reply)
    assert (facts.model, facts.usage.output_visible, facts.usage_final) == ("", 4, True)
    assert DIALECT.reply(b'{"__type":"ThrottlingException","message":"slow"}').error_kind == "ThrottlingException"
    assert DIALECT.reply(b"<html>").usage is None


def test_events_go_into_frames_and_back():
    event = b'{"type":"ping"}'
    assert event_in(read_frame(frame_of(event))) == event
    error = json.loads(event_in(read_frame(error_frame(429, "slow"))))
    assert error == {"type": "error", "error": {"type": "throttling_exception", "message": "slow"}}
    tail = DIALECT.tail(usage_asked=True)
    tail.feed(error_frame(429, "slow"))
    assert tail.facts().error_kind == "throttling_exception"


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (MODEL, True),
        ("anthropic.claude-v2", True),
        ("arn:aws:bedrock:x:1:application-inference-profile/a", True),
        ("amazon.nova-pro-v1:0", False),
        ("us.meta.llama4", False),
        ("not-anthropic.x", False),
    ],
)
def test_whose_bodies_are_understood(model, wanted):
    assert is_understood(model) is wanted


@pytest.mark.parametrize(
    ("raw", "counts", "numbers"),
    [
        (frame_of(b'{"type":"later","x":{"y_tokens":2}}') * 2, {"later": 2}, ("stream.later.x.y_tokens",)),
        (frame_of(b'{"type":"two\\nlines","x":1}'), {"no_plain_name": 1}, ()),
        (frame_of(b'{"usage":{"x_tokens":2}}'), {"no_plain_name": 1}, ("stream.no_plain_name.usage",)),
        (write_frame("metering", b'{"usage":{"x_tokens":2}}'), {"metering": 1}, ("stream.metering.usage",)),
        (write_frame("metering", b"\xff"), {"metering": 1}, ()),
        (frame_of(b'{"type":"content_block_delta","delta":{"text":"event: later"}}'), {}, ()),
        (write_frame("chunk", b'{"bytes":"%"}'), {}, ()),
        (error_frame(429, "slow"), {}, ()),
    ],
)
def test_events_of_unknown_types_are_counted_and_their_numbers_make_no_figure_exact(raw, counts, numbers):
    start = frame_of(b'{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":4,"output_tokens":1}}}')
    end = frame_of(b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}')
    tail = DIALECT.tail(usage_asked=True)
    assert tail.feed(start + raw + end) == start + raw + end
    facts = tail.facts()
    assert (facts.unknown_events, facts.charges.caveats, facts.is_doubted) == (counts, numbers, bool(numbers))
    assert (facts.usage.input_uncached, facts.usage.output_visible, facts.usage_final) == (4, 5, True)
