import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CompletionUsage
from openai.types.responses import ResponseUsage

from modicum.calls import BUCKETS, Tier, Usage
from modicum.providers.openai.usage import buckets, chat_usage, responses_usage, tier_from, usage_from

counts = st.integers(min_value=0, max_value=10_000_000)


@given(prompt=counts, read=counts, written=counts, completion=counts, reasoning=counts)
def test_totals_are_kept_and_no_bucket_is_negative(prompt, read, written, completion, reasoning):
    usage = usage_from(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }
    )

    assert all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)
    assert usage.completion_tokens == completion
    assert (usage.cache_read, usage.cache_write_5m) == (read, written)
    if read + written <= prompt:
        assert usage.prompt_tokens == prompt
    else:  # they were counted beside the prompt: nothing is lost
        assert usage.prompt_tokens == prompt + read + written


@given(prompt=counts, completion=counts, reasoning=counts)
def test_reasoning_that_only_the_total_knows_of_is_output(prompt, completion, reasoning):
    total = prompt + completion + reasoning

    usage = buckets(prompt=prompt, read=0, written=0, completion=completion, reasoning=0, total=total)

    assert usage.total_tokens == total
    assert usage == Usage(input_uncached=prompt, output_visible=completion, output_reasoning=reasoning)


def test_both_apis_and_codex_spell_the_same_usage_differently():
    want = Usage(input_uncached=30, cache_read=60, cache_write_5m=10, output_visible=5, output_reasoning=15)

    chat = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 15},
    }
    responses = {
        "input_tokens": 100,
        "output_tokens": 20,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "output_tokens_details": {"reasoning_tokens": 15},
    }
    codex = {
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_input_tokens": 60,
        "cache_write_input_tokens": 10,
        "reasoning_output_tokens": 15,
    }
    assert [usage_from(said) for said in (chat, responses, codex)] == [want] * 3


def test_a_count_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match="completion_tokens is negative"):
        usage_from({"prompt_tokens": 1, "completion_tokens": -1})


def test_the_lane_is_the_one_that_served():
    assert tier_from({"service_tier": "flex"}) is Tier.FLEX
    assert tier_from({"service_tier": "default"}) is Tier.STANDARD


@given(st.builds(Usage, counts, counts, counts, output_visible=counts, output_reasoning=counts))
def test_openais_usage_comes_back(usage):
    assert usage_from(chat_usage(usage)) == usage
    assert usage_from(responses_usage(usage)) == usage
    CompletionUsage.model_validate(chat_usage(usage), strict=True)
    ResponseUsage.model_validate(responses_usage(usage), strict=True)


@pytest.mark.parametrize("wire", [chat_usage, responses_usage])
def test_openai_knows_one_kind_of_cache_write(wire):
    assert usage_from(wire(Usage(cache_write_5m=3, cache_write_1h=4))) == Usage(cache_write_5m=7)
