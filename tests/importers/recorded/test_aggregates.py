import math

import pytest

from modicum.importers.recorded.aggregates import aggregated_count


@pytest.mark.parametrize(("said", "count"), [("59200.0", 59200), ("12", 12), ("", 0), (None, 0), (5e9, 5_000_000_000)])
def test_sums_may_be_text_and_larger_than_any_call(said, count):
    assert aggregated_count("input_tokens", said) == count


@pytest.mark.parametrize("said", ["x", "-1", "0.5", -1, 1e30, math.nan, math.inf, "inf", "nan", True, []])
def test_what_is_no_count_is_refused(said):
    with pytest.raises(ValueError, match="input_tokens"):
        aggregated_count("input_tokens", said)
