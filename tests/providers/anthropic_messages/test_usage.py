import pytest
from anthropic.types import Usage as AnthropicUsage
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, Charges, Tier, Usage
from modicum.providers.anthropic_messages.usage import charges_from, tier_from, usage_from, wire_usage

counts = st.integers(0, 10**6)


def test_input_excludes_what_was_cached():
    usage = usage_from(
        {
            "input_tokens": 3,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 50,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            "output_tokens": 7,
        }
    )

    assert usage == Usage(3, 100, 20, 30, 7)
    assert usage.prompt_tokens == 153


@given(counts, counts, counts, counts, counts)
def test_totals_are_kept(uncached, read, short, long, output):
    usage = usage_from(
        {
            "input_tokens": uncached,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": short + long,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
            "output_tokens": output,
        }
    )

    assert usage.total_tokens == uncached + read + short + long + output
    assert all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)


def test_thinking_is_told_apart_where_the_reply_does():
    usage = usage_from({"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 30}})

    assert (usage.output_visible, usage.output_reasoning) == (20, 30)


@given(counts, counts)
def test_writes_told_in_one_place_only_are_counted_once(short, long):
    split = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}

    assert usage_from({"cache_creation": split}).prompt_tokens == short + long
    assert usage_from({"cache_creation_input_tokens": short}).cache_write_5m == short


@pytest.mark.parametrize("count", [-1, 2.5, "3", 10**12])
def test_counts_that_are_none_are_refused(count):
    with pytest.raises(ValueError, match="input_tokens"):
        usage_from({"input_tokens": count})


def test_fast_mode_stands_above_the_service_tier():
    assert tier_from({"service_tier": "batch"}) is Tier.BATCH
    assert tier_from({"service_tier": "standard", "speed": "fast"}) is Tier.FAST
    assert tier_from({}) is Tier.STANDARD
    assert charges_from({"server_tool_use": {"web_search_requests": 2}}) == Charges({"web_search": 2})


@given(st.builds(Usage, counts, counts, counts, counts, output_visible=counts))
def test_anthropics_usage_comes_back(usage):
    assert usage_from(wire_usage(usage)) == usage
    AnthropicUsage.model_validate(wire_usage(usage), strict=True)
