import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, Usage
from modicum.calls.usage import MOST_TOKENS

counts = st.integers(min_value=0, max_value=MOST_TOKENS)
usages = st.builds(Usage, **dict.fromkeys(BUCKETS, counts))


@given(usages)
def test_prompt_and_completion_are_all_of_it(usage):
    assert usage.prompt_tokens + usage.completion_tokens == usage.total_tokens
    assert usage.total_tokens == sum(getattr(usage, bucket) for bucket in BUCKETS)


@given(usages, usages)
def test_adding_keeps_every_bucket(one, other):
    both = one + other

    assert all(getattr(both, bucket) == getattr(one, bucket) + getattr(other, bucket) for bucket in BUCKETS)


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (-1, "negative"),
        (0.5, "fractional"),
        (math.nan, "negative"),
        (math.inf, "more than any call can hold"),
        (10**18, "more than any call can hold"),
        ("12", "not a number"),
        (True, "not a number"),
    ],
)
def test_a_count_that_is_none_is_refused_by_name(count, reason):
    with pytest.raises(ValueError, match=f"cache_read.*{reason}"):
        Usage.checked(cache_read=count)


def test_a_field_left_out_and_a_whole_float_are_counts():
    assert Usage.checked(cache_read=None, output_visible=3.0) == Usage(output_visible=3)
