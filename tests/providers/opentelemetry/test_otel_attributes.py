from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Basis, Call, CallStatus, Charges, Cost, Entry, Owner, Tier, Usage
from modicum.providers.opentelemetry import otel
from modicum.providers.opentelemetry.otel_attributes import PROVIDER_NAMES, attributes_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
COUNTS = st.integers(0, 1_000_000)


def call(**fields):
    told = {
        "call_id": "gateway:1-a",
        "source": "gateway",
        "provider": "openai",
        "model": "gpt-4o",
        "started": AT,
        "usage": Usage(10, output_visible=5),
    }
    return Call(**told | fields)


def entry(usd="0.25", **fields):
    return Entry(call(**fields), Cost(Decimal(usd), Basis.EXACT, price_source="genai-prices"))


def back(told, names="both"):
    """What is read from a span with these attributes."""
    span = otel.Span(
        trace_id="t",
        span_id="s",
        started=told.call.started,
        finished=told.call.finished,
        attributes=attributes_of(told, names),
    )
    return otel.call_from(span, "otlp")


@pytest.mark.parametrize("names", ["new", "old", "both"])
@given(usage=st.builds(Usage, *[COUNTS] * 6))
def test_every_bucket_is_read_back_whatever_the_names(names, usage):
    assert back(entry(usage=usage), names).usage == usage


@given(
    status=st.sampled_from(CallStatus),
    basis=st.sampled_from([Basis.EXACT, Basis.ESTIMATED]),
    tier=st.sampled_from(Tier),
    first_ms=st.none() | st.integers(0, 60_000_000),
    provider=st.sampled_from(["openai", "anthropic", "groq", *PROVIDER_NAMES]),
)
def test_a_call_comes_back_as_it_was(status, basis, tier, first_ms, provider):
    told = entry(
        provider=provider,
        finished=None if status is CallStatus.UNKNOWN else AT + timedelta(seconds=61),
        first_token=None if first_ms is None else AT + timedelta(microseconds=first_ms),
        status=status,
        finish_reason="rate_limited" if status is CallStatus.ERROR else "stop",
        usage_basis=basis,
        output_basis=Basis.ESTIMATED,
        tier=tier,
        charges=Charges({"web_search": 2, "file_search": 1}, "us", ("usage.new",), Decimal("0.2")),
        task="PR-1",
        conversation="c-1",
        agent="coder",
        project="shop",
        owner=Owner("platform", "api", "ann", "ci"),
    )

    found = back(told)

    same = {"source": "gateway", "reported_cost_usd": None, "tags": {}, "revision": 0}
    assert msgspec.structs.replace(found, **same) == told.call
    assert found.reported_cost_usd == Decimal("0.25")


@pytest.mark.parametrize(
    ("names", "there", "absent"),
    [
        ("new", "gen_ai.provider.name", "gen_ai.system"),
        ("new", "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        ("old", "gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
    ],
)
def test_names_can_be_chosen(names, there, absent):
    found = attributes_of(entry(), names)

    assert there in found
    assert absent not in found
    assert {there, absent} <= set(attributes_of(entry()))


def test_an_unknown_usage_and_cost_are_told_as_none_at_all():
    told = Entry(call(usage=Usage(), usage_basis=Basis.UNKNOWN, task="t-1"), Cost.unknown())

    attributes = attributes_of(told)

    assert otel.usage_from(attributes) is None
    assert not [name for name in attributes if "cost" in name and name != "modicum.cost.basis"]
    assert (back(told).usage_basis, back(told).task) == (Basis.UNKNOWN, "t-1")


def test_the_response_id_is_the_providers_and_never_our_own_number():
    assert "gen_ai.response.id" not in attributes_of(entry())
    assert attributes_of(entry(tags={"response_id": "r" * 20}))["gen_ai.response.id"] == "r" * 20
    assert attributes_of(entry(call_id="chatcmpl-abc"))["gen_ai.response.id"] == "chatcmpl-abc"


def test_embeddings_are_told_as_such():
    told = entry(model="text-embedding-3-small", usage=Usage(10))

    assert attributes_of(told)["gen_ai.operation.name"] == "embeddings"


def test_a_status_that_is_none_of_ours_is_bad_data_and_not_quoted():
    attributes = {"gen_ai.operation.name": "chat", "modicum.call.id": "gateway:1", "modicum.status": "my secret"}

    with pytest.raises(ValueError, match=r"modicum\.status") as error:
        otel.call_from(otel.Span(trace_id="t", span_id="s", started=AT, attributes=attributes), "otlp")
    assert "secret" not in str(error.value)


CONVENTIONS = {
    *("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"),
    *("gen_ai.response.id", "gen_ai.response.finish_reasons", "gen_ai.response.time_to_first_chunk"),
    *("gen_ai.conversation.id", "gen_ai.agent.name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
    *("gen_ai.usage.reasoning.output_tokens", "error.type"),
}
"""Attributes of the span `gen_ai.client.inference` and of the registry of open-telemetry/semantic-conventions-genai
(docs/gen-ai/client-inference.md at ac48b1f, model/gen-ai/registry.yaml at 002c8a6), read on 2026-11-30; `error.type` is
of the conventions for all. `cache_write` was `cache_creation` until its pull request 440."""
PROVIDERS = {
    *("openai", "gcp.gen_ai", "gcp.vertex_ai", "gcp.gemini", "anthropic", "cohere", "azure.ai.inference"),
    *("azure.ai.openai", "ibm.watsonx.ai", "aws.bedrock", "perplexity", "x_ai", "deepseek", "groq", "mistral_ai"),
    "moonshot_ai",
}
"""Well-known values of `gen_ai.provider.name` there."""
OPERATIONS = {"chat", "embeddings"}


def test_each_name_that_is_sent_is_one_of_the_conventions_or_ours():
    full = {"task": "t", "agent": "a", "finish_reason": "stop", "first_token": AT, "tags": {"response_id": "r"}}
    failed = entry(status=CallStatus.ERROR, **full)
    sent = attributes_of(entry(usage=Usage(1, 2, 3, 4, 5, 6), **full), "new") | attributes_of(failed, "new")

    assert {name for name in sent if not name.startswith("modicum.")} == CONVENTIONS
    assert sent["gen_ai.operation.name"] in OPERATIONS
    assert set(PROVIDER_NAMES.values()) <= PROVIDERS
    embedding = entry(model="text-embedding-3-small", usage=Usage(7))
    assert attributes_of(embedding, "new")["gen_ai.operation.name"] in OPERATIONS
