import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Basis, Tier, Usage
from modicum.providers.opentelemetry.otel import Span, call_from

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def call(metadata, **attributes):
    about = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.provider": "anthropic.messages",
        "ai.response.model": "claude-sonnet-4-5",
        "ai.response.providerMetadata": json.dumps(metadata) if metadata is not None else None,
        **attributes,
    }
    span = Span(trace_id="a" * 32, span_id="b" * 16, started=NOON, attributes=about)
    return call_from(span, "otlp")


COUNTS = {"input_tokens": 5, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 300, "output_tokens": 1}


@pytest.mark.parametrize(
    "counted",
    [
        {"ai.usage.inputTokens": 5, "ai.usage.cachedInputTokens": 900, "ai.usage.totalTokens": 46},
        {"ai.usage.inputTokens": 1205, "ai.usage.inputTokenDetails.cacheReadTokens": 900, "ai.usage.totalTokens": 1246},
        {"gen_ai.usage.input_tokens": 5},
        {"ai.usage.promptTokens": 5},
    ],
    ids=["version 5", "version 6", "conventions alone", "version 4"],
)
def test_anthropics_own_counts_stand_above_the_sdks_input(counted):
    split = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}
    found = call(
        {"anthropic": {"usage": COUNTS | {"cache_creation": split}}}, **counted, **{"ai.usage.outputTokens": 41}
    )

    assert found.usage == Usage(5, 900, 100, 200, 41)
    assert (found.usage_basis, found.charges.caveats) == (Basis.EXACT, ())


def test_the_names_of_version_6_alone_are_enough():
    found = call(
        None,
        **{
            "ai.usage.inputTokens": 1205,
            "ai.usage.outputTokens": 41,
            "ai.usage.totalTokens": 1246,
            "ai.usage.cachedInputTokens": 900,
            "ai.usage.reasoningTokens": 30,
            "ai.usage.inputTokenDetails.noCacheTokens": 5,
            "ai.usage.inputTokenDetails.cacheReadTokens": 900,
            "ai.usage.inputTokenDetails.cacheWriteTokens": 300,
            "ai.usage.outputTokenDetails.textTokens": 11,
            "ai.usage.outputTokenDetails.reasoningTokens": 30,
        },
    )

    assert found.usage == Usage(5, 900, 300, 0, 11, 30)
    assert found.charges.caveats == ()


def test_openais_lane_and_what_the_span_does_not_count_itself():
    metadata = {"openai": {"serviceTier": "flex", "cachedPromptTokens": 64, "reasoningTokens": 7, "logprobs": [0.5]}}
    found = call(
        metadata,
        **{"ai.model.provider": "openai.responses", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 9},
    )

    assert (found.tier, found.usage) == (Tier.FLEX, Usage(36, 64, 0, 0, 2, 7))


@pytest.mark.parametrize(
    "metadata",
    [{"gateway": {"cost": "0.0045"}}, {"openrouter": {"usage": {"cost": 0.0045}}}],
    ids=["gateway", "router"],
)
def test_what_a_router_charged_is_the_cost(metadata):
    found = call(metadata, **{"ai.usage.inputTokens": 5, "ai.usage.outputTokens": 1})

    assert found.charges.provider_cost_usd == Decimal("0.0045")


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "7", '{"anthropic": 3}', '{"anthropic": {"usage": []}}'])
def test_metadata_that_is_none_changes_nothing(text):
    found = call(None, **{"ai.response.providerMetadata": text, "ai.usage.inputTokens": 5, "ai.usage.outputTokens": 1})

    assert found.usage == Usage(5, 0, 0, 0, 1)


@pytest.mark.parametrize("operation", ["ai.embed.doEmbed", "ai.embedMany.doEmbed"])
def test_tokens_of_embeddings_are_input(operation):
    found = call(None, **{"ai.operationId": operation, "ai.usage.tokens": 10, "ai.response.model": "m"})

    assert (found.usage, found.usage_basis) == (Usage(10), Basis.EXACT)


def test_the_sum_of_an_outer_span_of_embeddings_is_no_call():
    assert call(None, **{"ai.operationId": "ai.embedMany", "ai.usage.tokens": 10}) is None
