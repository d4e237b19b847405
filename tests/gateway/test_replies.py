"""Replies that go wrong: each is on record, none at 0, and the next call is unharmed."""

import gzip
import json

import anthropic
import httpx2 as httpx
import openai
import pytest

from gateway.rig import CHAT
from modicum.calls import Basis, CallStatus


@pytest.fixture
def client(rig):
    with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
        yield client
        assert client.chat.completions.create(**CHAT).choices  # the next call is unharmed


def test_an_upstream_that_breaks_off_a_stream_leaves_an_error_and_an_estimate(rig, client):
    before = len(rig.records())

    with pytest.raises(openai.APIError):
        list(
            client.chat.completions.create(
                **CHAT, stream=True, extra_headers={"x-fixture": "openai-chat/reasoning.sse", "x-fault": "broken_off"}
            )
        )

    call = rig.wait_for_records(before + 1)[-1]
    assert call.status is CallStatus.ABORTED
    assert call.usage_basis is Basis.ESTIMATED
    assert call.usage.prompt_tokens > 0


def test_what_anthropic_had_counted_before_it_broke_off_stands(rig, client):
    before = len(rig.records())

    with (
        anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as claude,
        pytest.raises(anthropic.APIError),
    ):
        list(
            claude.messages.create(
                model="claude-test",
                max_tokens=10,
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                extra_headers={"x-fixture": "anthropic-messages/tool_use.sse", "x-fault": "broken_off"},
            )
        )

    call = rig.wait_for_records(before + 1)[-1]
    assert (call.status, call.usage_basis, call.output_basis) == (CallStatus.ABORTED, Basis.EXACT, Basis.ESTIMATED)
    assert call.usage.prompt_tokens > 0


@pytest.mark.parametrize("fault", ["hang_up", "no_http", "broken_off"])
def test_an_upstream_that_does_not_answer_is_a_502_in_the_callers_dialect(rig, client, fault):
    before = len(rig.records())

    with pytest.raises(openai.InternalServerError) as failure:
        client.chat.completions.create(**CHAT, extra_headers={"x-fault": fault})

    assert failure.value.status_code == 502
    assert failure.value.body["message"].startswith("the upstream")
    assert rig.wait_for_records(before + 1)[-1].usage_basis is not Basis.EXACT


def test_garbage_is_passed_on_and_estimated(rig, client):
    before = len(rig.records())

    client.chat.completions.with_raw_response.create(**CHAT, extra_headers={"x-fixture": "openai-chat/garbage.json"})

    call = rig.wait_for_records(before + 1)[-1]
    assert call.usage_basis is Basis.ESTIMATED
    assert call.usage.prompt_tokens > 0


USAGE = b'{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}'
TEXT = b'{"id":"a","model":"gpt-4o-mini","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":%b}'
WHOLE = TEXT % USAGE
CHUNK = b'data: {"id":"a","model":"gpt-4o-mini","choices":[{"delta":{"content":"hi"},"finish_reason":null}]}'
EVENTS = [CHUNK, b'data: {"choices":[],"usage":%b}' % USAGE, b"data: [DONE]"]
EXACT, ESTIMATED, UNKNOWN = Basis.EXACT, Basis.ESTIMATED, Basis.UNKNOWN


def whole(body=WHOLE, more=b"", status=b"200"):
    head = b"HTTP/1.1 %b X\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n"
    return head % (status, more, len(body)) + body


def events(*lines, end=b"\n\n"):
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + b"".join(line + end for line in lines)


def asked(rig, raw, *, stream=False):
    """What the caller gets for a provider's bytes, and the call's record."""
    before = len(rig.records())
    rig.provider.raw = raw
    told = CHAT | {"stream": stream}
    reply = httpx.post(f"{rig.url}/v1/chat/completions", json=told, headers=rig.headers(x_fault="raw"))
    return reply, rig.wait_for_records(before + 1)[-1]


PACKED = gzip.compress(WHOLE)


@pytest.mark.parametrize(
    ("raw", "status", "basis"),
    [
        (b"HTTP/1.1 103 Early Hints\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + WHOLE, 200, EXACT),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nx", 502, UNKNOWN),
        (whole(more=b"content-length: 5\r\n"), 502, UNKNOWN),
        (whole(more=b"transfer-encoding: chunked\r\n"), 502, UNKNOWN),
        (whole(more=b"x-a: b\nset-cookie: c\r\n"), 502, UNKNOWN),
        (whole(status=b"999"), 502, EXACT),
        (whole() + whole(), 200, EXACT),
        (whole(TEXT % b'{"prompt_tokens":-10,"completion_tokens":5}'), 200, ESTIMATED),
        (whole(TEXT % b'{"prompt_tokens":99999999999999999999999,"completion_tokens":5}'), 200, ESTIMATED),
        (whole(b"[" * 100_000), 200, ESTIMATED),
        (whole(WHOLE.replace(b'"hi"', rb'"hi \ud83d"')), 200, EXACT),
        (whole(PACKED, b"content-encoding: GZIP\r\n"), 200, EXACT),
        (whole(gzip.compress(PACKED), b"content-encoding: gzip, gzip\r\n"), 200, UNKNOWN),
        (whole(gzip.compress(PACKED), b"content-encoding: gzip\r\ncontent-encoding: gzip\r\n"), 200, UNKNOWN),
        (events(*EVENTS), 200, EXACT),  # nobody asked for events
    ],
)
def test_whatever_comes_from_upstream_the_books_are_right(rig, client, capfd, raw, status, basis):
    reply, call = asked(rig, raw)

    assert (reply.status_code, call.usage_basis) == (status, basis)
    assert basis is UNKNOWN or call.usage.prompt_tokens > 0
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("raw", "basis", "output"),
    [
        (events(*EVENTS, end=b"\r\n\r\n"), EXACT, 5),
        (events(*(line.replace(b"data: ", b"data:") for line in EVENTS)), EXACT, 5),
        (events(b": waiting", *EVENTS), EXACT, 5),
        (events(CHUNK.replace(b"null", b'"stop"'), EVENTS[1]), EXACT, 5),
        (events(CHUNK, EVENTS[1].replace(b":5", b":3"), *EVENTS[1:]), EXACT, 5),
        (events(CHUNK.replace(b"hi", b"h\xff\x00"), *EVENTS), EXACT, 5),
        (events(CHUNK.replace(b"hi", b"a" * 9_000_000), *EVENTS), EXACT, 5),
        (events(CHUNK.replace(b"hi", rb"hi \ud83d"), EVENTS[2]), ESTIMATED, 2),
        (whole(), EXACT, 5),  # in one piece, though events were asked for
    ],
)
def test_streams_of_every_sort_are_passed_on_and_counted(rig, client, raw, basis, output):
    reply, call = asked(rig, raw, stream=True)

    assert reply.status_code == 200
    assert (call.status, call.usage_basis, call.usage.completion_tokens) == (CallStatus.OK, basis, output)


def test_a_redirect_is_not_followed_and_leads_no_caller_past_us(rig, client):
    reply, _ = asked(rig, whole(b"", b"location: http://evil.example/\r\n", b"307"))

    assert (reply.status_code, "location" in reply.headers) == (307, False)


def test_an_error_in_the_place_of_a_stream_is_an_error(rig, client):
    _, call = asked(rig, whole(json.dumps({"error": {"type": "server_error"}}).encode()), stream=True)

    assert (call.status, call.finish_reason, call.usage_basis) == (CallStatus.ERROR, "server_error", UNKNOWN)
