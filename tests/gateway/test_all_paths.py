"""Every path that is metered, through the whole gateway: a reply of its shape, and what the books have of it."""

from decimal import Decimal

import httpx2 as httpx
import msgspec
import pytest

from gateway.scripted import Answer, all_upstreams, scripted, whole
from modicum.calls import Basis, CallStatus, Usage

COUNTS = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
MEDIA = {"input_tokens": 10, "output_tokens": 272, "total_tokens": 282}
PARTS = {"input_tokens_details": {"text_tokens": 10, "image_tokens": 0}}
SOUND = {"type": "tokens", "input_tokens": 30, "output_tokens": 5, "total_tokens": 35}
SOUND |= {"input_token_details": {"text_tokens": 4, "audio_tokens": 26}}
TEXT = {"id": "cmpl-AbCdEfGhIjKlMnOpQrStUvWx", "object": "text_completion", "model": "gpt-3.5-turbo-instruct"}
TEXT |= {"choices": [{"index": 0, "text": " Paris", "finish_reason": "stop"}], "usage": COUNTS}
CHAT = {"id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUv", "object": "chat.completion", "model": "gpt-4o-mini", "usage": COUNTS}
CHAT |= {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
COMPACT = {"id": "resp_" + "c" * 48, "object": "response.compaction", "output": [], "usage": MEDIA}
GEMINI = {"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": 7}}
MESSAGES = [{"role": "user", "content": "hi"}]


def settings(port):
    base = all_upstreams(port)
    openai = base.upstreams["openai"]
    models = ("gpt-*", "text-*", "dall-*", "omni-*", "whisper-*", "tts-*", "rerank-*")
    azure = msgspec.structs.replace(
        openai, url=f"http://127.0.0.1:{port}/openai", models=("mine",), api_version="2024-10-21", provider="azure"
    )
    upstreams = {**base.upstreams, "openai": msgspec.structs.replace(openai, models=models), "azure": azure}
    return msgspec.structs.replace(base, upstreams=upstreams)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    with scripted(tmp_path_factory.mktemp("paths"), settings) as upstream:
        yield upstream


def ask(upstream, path, answer, method="POST", **body):
    """The reply, and the call that it became."""
    before = len(upstream.records())
    upstream.answers = answer
    reply = httpx.request(method, f"{upstream.url}{path}", headers=upstream.headers(), timeout=10, **body)
    return reply, upstream.wait_for_records(before + 1)[-1]


def cost_of(upstream, call):
    return next(entry.cost for entry in upstream.shipped() if entry.call.call_id == call.call_id)


EACH = [
    ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "x"}, TEXT, Usage(10, output_visible=3)),
    ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "x"}, {"data": [], "usage": MEDIA | PARTS}, None),
    (
        "/v1/rerank",
        {"model": "rerank-x", "query": "q", "documents": ["a"]},
        {"results": [], "usage": {"total_tokens": 9}},
        None,
    ),
    ("/v1/responses/compact", {"model": "gpt-5", "input": "x"}, COMPACT, Usage(10, output_visible=272)),
    ("/v1beta/models/gemini-embedding-001:embedContent", {"content": {"parts": [{"text": "a"}]}}, GEMINI, Usage(7)),
    (
        "/v1beta/openai/chat/completions",
        {"model": "gpt-4o-mini", "messages": MESSAGES},
        CHAT,
        Usage(10, output_visible=3),
    ),
    ("/openai/v1/chat/completions", {"model": "gpt-4o-mini", "messages": MESSAGES}, CHAT, Usage(10, output_visible=3)),
]


@pytest.mark.parametrize(("path", "request_", "reply", "usage"), EACH, ids=[one[0] for one in EACH])
def test_usage_is_taken_from_the_reply(upstream, path, request_, reply, usage):
    answered, call = ask(upstream, path, whole(reply), json=request_)

    assert answered.json() == reply
    assert (call.status, call.usage_basis, call.output_basis) == (CallStatus.OK, Basis.EXACT, Basis.EXACT)
    known = {"/v1/images/generations": Usage(10, output_image=272), "/v1/rerank": Usage(9)}
    assert call.usage == known.get(path, usage)
    assert upstream.asked[-1] == request_


MESSAGE = {"id": "msg_01AbCdEfGhIjKlMnOpQrStUv", "type": "message", "role": "assistant", "model": "claude-opus-4-6"}
MESSAGE |= {"content": [], "stop_reason": "later_reason", "usage": {"input_tokens": 10, "output_tokens": 3}}
PROTOCOLS = {
    "older": ("2023-01-01", {"max_tokens": 5, "system": "s"}, {}),
    "newer": (
        "2031-01-01",
        {"max_tokens": 5, "later_field": {"a": [1]}, "output_config": {"later": 1}},
        {"later": {"x": "y"}},
    ),
}


@pytest.mark.parametrize("age", PROTOCOLS)
def test_a_client_of_another_age_of_the_protocol_passes_byte_for_byte_and_is_metered(upstream, age):
    version, fields, more = PROTOCOLS[age]
    asked = {"model": "claude-opus-4-6", "messages": [{"role": "user", "content": "hi"}], **fields}
    before, upstream.answers = len(upstream.records()), whole(MESSAGE | more)
    headers = upstream.headers(anthropic_version=version, anthropic_beta="later-2031-01-01")

    reply = httpx.post(f"{upstream.url}/v1/messages?beta=true", json=asked, headers=headers, timeout=10)

    call = upstream.wait_for_records(before + 1)[-1]
    line, sent, _ = upstream.provider.asked[-1]
    assert reply.json() == MESSAGE | more
    assert upstream.asked[-1] == asked
    assert (sent["anthropic-version"], sent["anthropic-beta"]) == (version, "later-2031-01-01")
    assert "beta=true" in line
    assert (call.usage, call.output_basis, call.finish_reason) == (
        Usage(10, output_visible=3),
        Basis.EXACT,
        "later_reason",
    )


def test_pictures_that_tell_no_usage_are_unknown_and_never_counted_as_text(upstream):
    _, call = ask(upstream, "/v1/images/generations", whole({"data": [{"url": "x"}]}), json={"prompt": "a long tide"})

    assert (call.model, call.usage_basis, cost_of(upstream, call).usd) == ("dall-e-2", Basis.UNKNOWN, None)


def test_a_moderation_costs_nothing_for_certain(upstream):
    answer = whole({"id": "modr-1", "model": "omni-moderation-2024-09-26", "results": []})

    _, call = ask(upstream, "/v1/moderations", answer, json={"input": "x"})

    cost = cost_of(upstream, call)
    assert (cost.usd, cost.basis) == (Decimal(0), Basis.EXACT)


def test_a_form_with_sound_is_metered_and_its_model_replaced(upstream):
    form = {"data": {"model": "gpt-4o-transcribe"}, "files": {"file": ("a.wav", b"\0\r\n--\0", "audio/wav")}}
    upstream.provider.reply, former = raw_reply(upstream, {"text": "hi", "usage": SOUND}), upstream.provider.reply
    try:
        reply, call = ask(upstream, "/v1/audio/transcriptions", None, **form)
    finally:
        upstream.provider.reply = former

    assert reply.json()["text"] == "hi"
    assert (call.usage, call.usage_basis) == (Usage(4, input_audio=26, output_visible=5), Basis.EXACT)
    assert b"\0\r\n--\0" in upstream.provider.asked[-1][2]


def raw_reply(upstream, document):
    """An answer to a body that is no JSON."""
    body = msgspec.json.encode(document)

    async def reply(_headers, _reader, writer):
        writer.write(
            b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        return True

    return reply


def test_sound_passes_as_it_is_made_and_its_cost_is_unknown(upstream):
    answer = Answer(b"ID3" + bytes(range(256)) * 40, 200, "audio/mpeg", 1000)

    reply, call = ask(upstream, "/v1/audio/speech", answer, json={"model": "tts-1", "input": "hi", "voice": "alloy"})

    assert reply.content == answer.body
    assert (call.status, call.usage_basis) == (CallStatus.OK, Basis.UNKNOWN)


def test_a_deployment_of_azure_is_the_model_wherever_it_is_served(upstream):
    path = "/openai/deployments/{}/chat/completions?api-version=2023-05-15"

    reply, call = ask(upstream, path.format("mine"), whole(CHAT), json={"messages": MESSAGES})
    assert reply.status_code == 200
    assert upstream.asked_paths[-1] == "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert (call.provider, upstream.asked[-1]) == ("azure", {"messages": MESSAGES})

    ask(upstream, path.format("gpt-4o-mini"), whole(CHAT), json={"messages": MESSAGES})
    assert upstream.asked_paths[-1] == "/v1/chat/completions"
    assert upstream.asked[-1] == {"messages": MESSAGES, "model": "gpt-4o-mini"}
