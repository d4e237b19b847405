from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from modicum.metering.plan_windows import BLOCK_S, HOUR_S, find_block_starts


def test_a_block_begins_with_the_full_hour_of_its_first_call():
    assert find_block_starts([]) == []
    assert find_block_starts([HOUR_S + 59, 2 * HOUR_S, 6 * HOUR_S - 1]) == [HOUR_S]
    assert find_block_starts([HOUR_S + 59, 6 * HOUR_S, 20 * HOUR_S + 1]) == [HOUR_S, 6 * HOUR_S, 20 * HOUR_S]


@given(st.lists(st.integers(0, 10**7), max_size=30).map(sorted))
def test_each_call_lies_in_one_block(times):
    starts = find_block_starts(times)

    assert all(later - sooner >= BLOCK_S for sooner, later in pairwise(starts))
    assert all(sum(start <= at < start + BLOCK_S for start in starts) == 1 for at in times)
