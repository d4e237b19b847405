"""What providers charge beside plain tokens, through the real gateway: known right costs, and how they are known."""

import json
from decimal import Decimal

import httpx2 as httpx
import pytest

from gateway.scripted import anthropic_stream, chunk, events, scripted, whole
from modicum.calls import Basis

ADVISED = {
    "output_tokens": 500,
    "input_tokens": 4,
    "iterations": [
        {"type": "message", "input_tokens": 2, "output_tokens": 60},
        {"type": "advisor_message", "model": "claude-opus-4-7", "input_tokens": 150_000, "output_tokens": 8_000},
        {"type": "message", "input_tokens": 2, "output_tokens": 440},
    ],
}


@pytest.fixture
def upstream(tmp_path):
    with scripted(tmp_path) as upstream:
        yield upstream


def message(usage, model="claude-sonnet-4-6", **more):
    head = {"id": "msg_01AbCdEfGhIjKlMnOpQrStUv", "type": "message", "role": "assistant", "model": model}
    return whole(head | {"content": [], "stop_reason": "end_turn", "stop_sequence": None, "usage": usage} | more)


def generated(usage, model, **candidate):
    content = {"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP"}
    return whole(
        {"responseId": "r1", "modelVersion": model, "candidates": [content | candidate], "usageMetadata": usage}
    )


def completion(usage, model="gpt-4o-mini", **more):
    choice = {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
    head = {"id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx", "object": "chat.completion", "created": 1795000000}
    return whole(head | {"model": model, "choices": [choice], "usage": usage} | more)


def test_an_advisor_is_an_entry_of_its_own_at_its_own_rates(upstream):
    upstream.answers = anthropic_stream({"input_tokens": 4, "output_tokens": 1}, ADVISED)

    upstream.call("anthropic", stream=True)

    own, advisor = sorted(upstream.booked(), key=lambda entry: entry.call.call_id)
    assert (own.call.model, own.call.calls_count, own.cost.usd) == ("claude-sonnet-4-6", 1, Decimal("0.007512"))
    assert (advisor.call.model, advisor.call.calls_count) == ("claude-opus-4-7", 0)
    assert advisor.call.call_id == f"{own.call.call_id}+claude-opus-4-7"
    assert own.cost.usd + advisor.cost.usd == Decimal("0.957512")
    assert own.cost.basis is advisor.cost.basis is Basis.EXACT


def test_inference_in_the_us_alone_costs_a_tenth_more(upstream):
    upstream.answers = message({"input_tokens": 70_000, "output_tokens": 7_000, "inference_geo": "us"})
    upstream.call("anthropic")

    assert upstream.cost() == (Decimal("0.3465"), Basis.EXACT)


@pytest.mark.parametrize(
    ("usage", "model", "usd"),
    [
        (
            {
                "promptTokenCount": 326,
                "candidatesTokenCount": 2_340,
                "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 2_000}],
                "thoughtsTokenCount": 337,
                "totalTokenCount": 3_003,
            },
            "gemini-3-pro-image-preview",
            "0.248776",
        ),
        (
            {
                "promptTokenCount": 100_100,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 100_000}],
                "candidatesTokenCount": 100,
                "totalTokenCount": 100_200,
            },
            "gemini-2.5-flash",
            "0.10028",
        ),
    ],
    ids=["pictures made", "sound heard"],
)
def test_what_is_no_text_has_its_own_rate(upstream, usage, model, usd):
    upstream.answers = generated(usage, model)
    upstream.call("gemini", model=model)

    assert upstream.cost() == (Decimal(usd), Basis.EXACT)


@pytest.mark.parametrize(
    ("model", "queries", "usd"),
    [
        ("gemini-2.5-flash", ["a", "b", "c"], "0.03555"),
        ("gemini-3-flash-preview", ["a", "b", "a"], "0.0288"),
    ],
    ids=["a fee per prompt", "a fee per different query"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_search_is_charged_by_the_unit_of_its_model(upstream, model, queries, usd, stream):
    usage = {"promptTokenCount": 1_000, "candidatesTokenCount": 100, "totalTokenCount": 1_100}
    answer = generated(usage, model, groundingMetadata={"webSearchQueries": queries})
    if stream:
        answer = answer._replace(body=b"data: " + answer.body + b"\r\n\r\n", kind="text/event-stream")
    upstream.answers = answer
    upstream.call("gemini", model=model, stream=stream)

    assert upstream.cost() == (Decimal(usd), Basis.EXACT)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("more", "usd"),
    [
        ({"cost": 0.0123}, "0.0123"),
        ({"cost": 0.0018, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0365}}, "0.0383"),
        ({"cost_in_usd_ticks": 37_756_000}, "0.0037756"),
    ],
    ids=["router", "own key", "ticks"],
)
def test_what_the_provider_says_that_it_charged_is_the_cost(upstream, more, usd, stream):
    usage = {"prompt_tokens": 9_000, "completion_tokens": 100, "total_tokens": 9_100} | more
    upstream.answers = (
        events(chunk({"content": "ok"}), chunk(finish="stop"), {**chunk(), "choices": [], "usage": usage}, done=True)
        if stream
        else completion(usage, "somelab/odd-model-9b")
    )
    upstream.call("openai-chat", model="router/somelab/odd-model-9b", stream=stream)

    assert upstream.cost() == (Decimal(usd), Basis.EXACT)


@pytest.mark.parametrize(
    ("more", "caveat"),
    [
        ({"smell_tokens": 5}, "usage.smell_tokens"),
        ({"completion_tokens_details": {"smell_tokens": 5}}, "usage.completion_tokens_details.smell_tokens"),
    ],
)
def test_a_number_that_nobody_knows_makes_the_cost_inexact_and_is_named(upstream, more, caveat):
    upstream.answers = completion({"prompt_tokens": 3_000, "completion_tokens": 50, "total_tokens": 3_050} | more)
    upstream.call("openai-chat")

    (entry,) = upstream.booked()
    assert entry.call.charges.caveats == (caveat,)
    assert entry.cost.basis is Basis.ESTIMATED


def test_a_lane_that_nobody_knows_makes_the_cost_inexact(upstream):
    upstream.answers = completion(
        {"prompt_tokens": 3_000, "completion_tokens": 50, "total_tokens": 3_050}, service_tier="turbo"
    )
    upstream.call("openai-chat")

    (entry,) = upstream.booked()
    assert entry.call.charges.caveats == ("service_tier=turbo",)
    assert entry.cost.basis is Basis.ESTIMATED


@pytest.mark.parametrize(
    ("told", "basis"), [({"colour": "blue"}, Basis.EXACT), ({"usage": {"smell_tokens": 9}}, Basis.ESTIMATED)]
)
def test_an_event_of_an_unknown_type_passes_is_counted_and_leaves_no_figure_exact_that_it_may_change(
    upstream, told, basis
):
    stream = anthropic_stream({"input_tokens": 4, "output_tokens": 1}, {"output_tokens": 5})
    later = b"event: message_later\ndata: " + json.dumps({"type": "message_later"} | told).encode() + b"\n\n"
    end = stream.body.index(b"event: message_delta")
    upstream.answers = stream._replace(body=stream.body[:end] + later + stream.body[end:])

    reply = upstream.call("anthropic", stream=True)

    (entry,) = upstream.booked()
    assert later in reply.content
    assert entry.call.tags["unknown_events"] == "message_later 1"
    assert (entry.call.output_basis, entry.call.usage_basis, entry.cost.basis) == (basis, basis, basis)
    metrics = httpx.get(f"{upstream.url}/metrics", timeout=5).text
    assert 'modicum_unknown_events_total{type="message_later",upstream="anthropic"} 1.0' in metrics
