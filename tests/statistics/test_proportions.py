import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.statistics.proportions import share_difference, share_over_tasks, upper_share, wilson


def test_it_agrees_with_a_published_example():
    """81 of 263 (Newcombe, Statistics in Medicine 17, 1998, table I): 0.2553 to 0.3662."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_none_and_all_have_an_interval_too():
    """0 of 20 (the same table): 0 to 0.1611."""
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(20, 20) == pytest.approx((1 - 0.1611, 1.0), abs=5e-5)


def test_no_trials_have_no_share():
    with pytest.raises(ValueError, match="0 of 0"):
        wilson(0, 0)


@given(st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_share_lies_within(case):
    yes, trials = case
    low, high = wilson(yes, trials)

    assert 0 <= low <= yes / trials + 1e-12
    assert yes / trials - 1e-12 <= high <= 1


@pytest.mark.parametrize(("yes", "trials"), [(0, 1), (0, 149), (1, 20), (7, 40), (20, 200), (40, 40), (999, 1_000)])
def test_the_exact_limit_is_that_of_scipy(yes, trials):
    from scipy.stats import binomtest

    limit = binomtest(yes, trials, alternative="less").proportion_ci(0.95, method="exact").high

    assert upper_share(yes, trials) == pytest.approx(limit, abs=1e-9)


def test_the_exact_limit_of_no_trials():
    with pytest.raises(ValueError, match="3 of 2"):
        upper_share(3, 2)


@pytest.mark.parametrize(("share", "count"), [(0.5, 10), (0.8, 10), (0.95, 10), (0.8, 30), (0.9, 30), (0.95, 100)])
def test_a_share_over_tasks_holds_the_truth_worked_out_exactly(share, count):
    """Wilson's with the normal quantile holds in 91 % of cases for ten tasks and a share of 95 %."""
    held = sum(
        math.comb(count, yes) * share**yes * (1 - share) ** (count - yes)
        for yes in range(count + 1)
        for low, high in [share_over_tasks([1.0] * yes + [0.0] * (count - yes))]
        if low <= share <= high
    )

    assert held >= 0.935


def test_tasks_of_a_group_that_resemble_each_other_are_worth_fewer():
    passed = [1.0] * 20 + [0.0] * 20
    alone, alike = share_over_tasks(passed), share_over_tasks(passed, [number // 10 for number in range(40)])
    apart = share_over_tasks(passed, [number % 4 for number in range(40)])

    assert alike[1] - alike[0] > 1.8 * (alone[1] - alone[0])
    assert apart[1] - apart[0] < alike[1] - alike[0]
    assert share_over_tasks([1.0] * 40, [0] * 40)[0] < 0.05


@pytest.mark.parametrize("shares", [[], [1.2], [float("nan")]])
def test_what_is_no_share_over_tasks_is_refused(shares):
    with pytest.raises(ValueError, match="each in"):
        share_over_tasks(shares)


def test_a_difference_of_shares_is_newcombes():
    # The example of his paper: 56 of 70 and 48 of 80.
    assert share_difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert share_difference(48, 80, 56, 70) == pytest.approx((-0.3339, -0.0524), abs=5e-5)
