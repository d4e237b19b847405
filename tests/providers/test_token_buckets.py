import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, Usage
from modicum.providers.token_buckets import disjoint, split_writes

COUNTS = st.integers(0, 10_000)


def test_cached_tokens_come_out_of_the_input_that_includes_them():
    assert disjoint(1000, 50, read=700, written=(100, 0), total=1050) == Usage(200, 700, 100, 0, 50)


def test_reasoning_comes_out_of_the_output_that_includes_it():
    assert disjoint(10, 50, reasoning=40) == Usage(10, output_visible=10, output_reasoning=40)


def test_a_source_that_promises_buckets_keeps_them():
    assert disjoint(1000, 50, read=700, inside=False) == Usage(1000, 700, output_visible=50)


@pytest.mark.parametrize(("total", "uncached"), [(0, 300), (1050, 300), (1750, 1000), (12345, 300)])
def test_the_total_tells_which_reading_is_meant_and_a_strange_one_tells_nothing(total, uncached):
    assert disjoint(1000, 50, read=700, total=total).input_uncached == uncached


def test_more_cached_than_input_can_only_stand_beside_it():
    assert disjoint(10, 5, read=700) == Usage(10, 700, output_visible=5)


def test_gemini_counts_thoughts_beside_the_output():
    assert disjoint(100, 20, reasoning=80, total=200) == Usage(100, output_visible=20, output_reasoning=80)


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.booleans())
def test_no_bucket_is_negative_and_the_parts_are_kept(prompt, completion, read, short, hour, reasoning, total, inside):
    usage = disjoint(
        prompt,
        completion,
        read=read,
        written=(short, hour),
        reasoning=reasoning,
        total=total,
        inside=inside,
    )

    assert all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)
    assert (usage.cache_read, usage.cache_write_5m, usage.cache_write_1h) == (read, short, hour)
    assert usage.output_reasoning == reasoning
    assert usage.prompt_tokens in {prompt, prompt + read + short + hour}
    assert usage.completion_tokens in {completion, completion + reasoning}


@given(st.builds(Usage, *[COUNTS] * 6))
def test_an_inclusive_report_with_its_total_comes_back_as_the_usage_it_was_made_of(usage):
    found = disjoint(
        usage.prompt_tokens,
        usage.completion_tokens,
        read=usage.cache_read,
        written=(usage.cache_write_5m, usage.cache_write_1h),
        reasoning=usage.output_reasoning,
        total=usage.total_tokens,
    )

    assert found == usage


@given(COUNTS, COUNTS, COUNTS)
def test_writes_are_never_less_than_what_any_count_says(written, short, hour):
    assert sum(split_writes(written, short, hour)) >= max(written, short + hour)
