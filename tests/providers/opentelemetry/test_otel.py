from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, Call, CallStatus, Tier, Usage
from modicum.providers.opentelemetry import otel

COUNTS = st.integers(0, 1_000_000)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def span(**fields):
    return otel.Span(**{"trace_id": "t", "span_id": "s", "started": AT, **fields})


def call(usage, **fields):
    return Call(
        **{"call_id": "c", "source": "x", "provider": "openai", "model": "m", "started": AT, **fields}, usage=usage
    )


@pytest.mark.parametrize(("names", "beside"), [(otel.INPUT, otel.OUTPUT), (otel.OUTPUT, otel.INPUT)])
def test_every_alias_of_a_total_is_read(names, beside):
    for name in names:
        assert otel.usage_from({name: 7, beside[0]: 3}).total_tokens == 10


def test_a_span_that_counts_the_output_alone_has_no_usage_unless_a_total_tells_the_input():
    assert otel.usage_from({otel.OUTPUT[0]: 7}) is None
    assert otel.usage_from({otel.OUTPUT[0]: 7, otel.TOTAL[0]: 10}).input_uncached == 3


@pytest.mark.parametrize(
    ("names", "bucket"),
    [
        (otel.CACHE_READ, "cache_read"),
        (otel.CACHE_WRITE, "cache_write_5m"),
        (otel.CACHE_WRITE_5M, "cache_write_5m"),
        (otel.CACHE_WRITE_1H, "cache_write_1h"),
        (otel.REASONING, "output_reasoning"),
    ],
)
def test_every_alias_of_a_part_is_read_and_taken_out_of_its_total(names, bucket):
    for name in names:
        usage = otel.usage_from({"gen_ai.usage.input_tokens": 50, "gen_ai.usage.output_tokens": 50, name: 20})

        assert (getattr(usage, bucket), usage.total_tokens) == (20, 100)


def test_no_count_is_not_zero_tokens():
    assert otel.usage_from({"gen_ai.request.model": "m"}) is None
    assert otel.usage_from({"gen_ai.usage.total_tokens": 9}) is None
    assert otel.usage_from({"gen_ai.usage.input_tokens": 0}) == Usage()


def test_a_missing_side_follows_from_the_total():
    assert otel.usage_from({"gen_ai.usage.output_tokens": 4, "gen_ai.usage.total_tokens": 9}) == Usage(
        5, output_visible=4
    )


NAMES = st.sampled_from(
    [*otel.INPUT, *otel.OUTPUT, *otel.TOTAL, *otel.CACHE_READ, *otel.CACHE_WRITE, *otel.CACHE_WRITE_1H, *otel.REASONING]
)


@given(st.dictionaries(NAMES, COUNTS, max_size=8))
def test_whatever_counts_a_span_holds_no_bucket_is_negative(attributes):
    usage = otel.usage_from(attributes)

    assert usage is None or all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)


@given(
    st.dictionaries(
        NAMES, st.none() | st.floats() | st.text(max_size=3) | st.integers() | st.lists(st.none()), max_size=6
    )
)
def test_bad_counts_are_value_errors_and_nothing_else(attributes):
    try:
        usage = otel.usage_from(attributes)
    except ValueError:
        return
    assert usage is None or usage.total_tokens >= 0


@pytest.mark.parametrize(
    ("attributes", "is_call"),
    [
        ({"gen_ai.operation.name": "chat"}, True),
        ({"gen_ai.operation.name": "embeddings"}, True),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.usage.input_tokens": 5}, False),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5}, False),
        ({"openinference.span.kind": "LLM"}, True),
        ({"openinference.span.kind": "AGENT", "llm.model_name": "m", "llm.token_count.prompt": 5}, False),
        ({"ai.operationId": "ai.streamText.doStream"}, True),
        ({"ai.operationId": "ai.streamText", "ai.model.id": "m", "ai.usage.promptTokens": 5}, False),
        ({"gen_ai.request.model": "m", "gen_ai.usage.prompt_tokens": 5}, True),
        ({"gen_ai.request.model": "m"}, False),
        ({"http.request.method": "POST"}, False),
    ],
)
def test_calls_are_told_from_what_sums_them_up(attributes, is_call):
    assert otel.is_inference(attributes) is is_call
    assert (otel.call_from(span(attributes=attributes), "otlp") is not None) is is_call


def test_a_short_response_id_is_no_identity():
    short, long = (
        otel.call_from(span(attributes={"gen_ai.operation.name": "chat", "gen_ai.response.id": identity}), "otlp")
        for identity in ("resp-1", "0d9f6c1e-3c53-4b0e-9b57-2f8f4b3f5a11")
    )

    assert short.call_id == "otlp:t:s"
    assert long.call_id == "0d9f6c1e-3c53-4b0e-9b57-2f8f4b3f5a11"


def test_lane_cost_status_and_owner_are_kept():
    found = otel.call_from(
        span(
            attributes={
                "gen_ai.operation.name": "chat",
                "openai.response.service_tier": "flex",
                "gen_ai.usage.cost": 0.25,
                "error.type": "timeout",
                "user.id": "u\ud83d",
            },
            resource={"service.name": "shop"},
        ),
        "gateway",
    )

    assert (found.tier, str(found.reported_cost_usd), found.status) == (Tier.FLEX, "0.25", CallStatus.ERROR)
    assert (found.owner.app, found.owner.user, found.source) == ("shop", "u?", "gateway")


@pytest.mark.parametrize("cost", ["dear", -1, float("nan"), 10**9])
def test_a_cost_that_is_none_is_bad_data(cost):
    with pytest.raises(ValueError, match="cost"):
        otel.call_from(span(attributes={"gen_ai.operation.name": "chat", "llm.cost.total": cost}), "otlp")
