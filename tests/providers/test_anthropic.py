import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Tier, Usage
from modicum.providers.anthropic import tier_from, usage_from, web_searches_from

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
    assert web_searches_from({"server_tool_use": {"web_search_requests": 2}}) == 2
