import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Amounts, AtLimit, Budget, LimitUnit, Standing
from modicum.governance.cut_off import LEAST_TOKENS, output_that_fits

FULL = 1_000


def standing(left, at_limit=AtLimit.CUT, unit=LimitUnit.USD):
    window = parse_window("day", "UTC")
    return Standing(Budget(name="b", unit=unit, limit=10_000, window=window, at_limit=at_limit), 10_000 - left, 0)


def amounts(nano):
    return Amounts(nano, nano)


@given(st.integers(0, 10_000), st.integers(0, 500), st.integers(1, 50))
def test_what_fits_is_never_more_than_is_left_and_one_token_more_would_be(left, prompt, each):
    tokens = output_that_fits([standing(left)], amounts(10**6), amounts(prompt), amounts(prompt + each * FULL), FULL)

    if tokens is None:
        assert prompt + each * LEAST_TOKENS > left or prompt + each * FULL <= left
    else:
        assert prompt + each * tokens <= left < prompt + each * (tokens + 1)


@pytest.mark.parametrize("at_limit", [AtLimit.REFUSE, AtLimit.DOWNGRADE])
def test_a_budget_that_ends_no_stream_must_hold_the_whole_call(at_limit):
    both = [standing(500), standing(900, at_limit)]

    assert output_that_fits(both, amounts(800), amounts(100), amounts(2_100), FULL) == 200
    assert output_that_fits(both, amounts(1_000), amounts(100), amounts(2_100), FULL) is None


def test_calls_cannot_be_cut_and_unknown_amounts_fit_nowhere():
    assert output_that_fits([standing(0, unit=LimitUnit.CALLS)], amounts(1), amounts(1), amounts(1), FULL) is None
    assert output_that_fits([standing(900, unit=LimitUnit.JOULES)], amounts(1), amounts(1), amounts(9), FULL) is None
    assert (
        output_that_fits([standing(500), standing(0, AtLimit.ALERT)], amounts(800), amounts(0), amounts(1000), FULL)
        == 500
    )
