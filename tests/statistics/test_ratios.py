"""Ratios of sums: figures that can be checked by hand, coverage by simulation, and a bootstrap as a second opinion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.statistics.ratios import ratio_of_sums


def test_the_ratio_is_that_of_the_sums_and_not_the_mean_of_ratios():
    assert ratio_of_sums([1, 1], [1, 3]).value == 0.5


def test_an_interval_by_hand():
    # Leaving out the first of (1, 2), (1, 1): log(1/1) - log(2/3); the second: log(1/2) - log(2/3).
    # Half of the sum of their squares is 0.1236, its root 0.3515; times t(1) = 12.706 that is 4.467.
    found = ratio_of_sums([1, 1], [2, 1])

    assert found.value == pytest.approx(2 / 3)
    assert found.low == pytest.approx(2 / 3 * np.exp(-4.467), rel=1e-3)
    assert found.high == pytest.approx(2 / 3 * np.exp(4.467), rel=1e-3)
    assert found.clusters_count == 2


def test_records_of_one_task_are_one_observation():
    apart = ratio_of_sums([1, 0, 1], [3, 5, 4])
    together = ratio_of_sums([1, 0, 0, 0, 1], [1, 2, 2, 3, 4], ["a", "a", "b", "b", "c"])

    assert together == apart


def test_records_that_repeat_within_tasks_do_not_make_the_interval_narrower():
    values, tokens = np.array([1.0, 0, 1, 1, 0]), np.array([3.0, 5, 4, 2, 6])
    once = ratio_of_sums(values, tokens)
    tenfold = ratio_of_sums(np.tile(values, 10), np.tile(tokens, 10), np.tile(np.arange(5), 10))

    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))


@pytest.mark.parametrize(
    ("values", "tokens", "value", "reason"),
    [
        ([], [], None, "nothing to divide by"),
        ([1, 2], [0, 0], None, "nothing to divide by"),
        ([3], [4], 0.75, "one task alone has no spread"),
        ([0, 0], [4, 5], 0.0, "every value is 0"),
        ([0, 2], [4, 4], 0.25, "one task holds all of the value"),
        ([1, 2], [0, 4], 0.75, "one task holds all of what is divided by"),
        ([1, 1, 1], [4, 4, 4], 0.25, "all tasks are alike"),
        ([1, 1], [1, 9], 0.2, "too few tasks: any value would do"),
    ],
)
def test_where_no_interval_can_be_given_it_says_why(values, tokens, value, reason):
    found = ratio_of_sums(values, tokens)

    assert (found.value, found.low, found.high, found.no_interval) == (value, None, None, reason)


@pytest.mark.parametrize(
    ("values", "tokens", "clusters"),
    [([1], [1, 2], None), ([-1], [1], None), ([1], [float("nan")], None), ([1, 1], [1, 1], ["a"])],
)
def test_figures_that_are_none_are_refused(values, tokens, clusters):
    with pytest.raises(ValueError, match=r"equally long|negative|clusters"):
        ratio_of_sums(values, tokens, clusters)


amounts = st.floats(0.001, 1e6)


@given(st.lists(st.tuples(amounts, amounts), min_size=2, max_size=8), st.floats(0.01, 100))
def test_the_interval_holds_the_ratio_turns_with_it_and_knows_no_unit(pairs, unit):
    above, below = np.array(pairs).T
    found, inverse = ratio_of_sums(above, below), ratio_of_sums(below, above)
    scaled = ratio_of_sums(above * unit, below)

    assert inverse.value == pytest.approx(1 / found.value)
    if found.low is not None and inverse.low is not None:
        assert found.low <= found.value <= found.high
        assert np.log(inverse.low) == pytest.approx(-np.log(found.high), abs=1e-6)
        if scaled.low is not None:
            assert np.log(scaled.low) == pytest.approx(np.log(found.low * unit), abs=1e-6)


def samples(kind, tasks, rounds, seed):
    """Costs whose largest tenth holds nearly half of the spend (coding agents: a third), and values of two kinds."""
    chance = np.random.default_rng(seed)
    cost = chance.lognormal(0, 1.2, (rounds, tasks))
    if kind == "passed":
        return (chance.random((rounds, tasks)) < 0.5).astype(float), cost
    if kind == "passed less where it is dear":
        return (chance.random((rounds, tasks)) < 1 / (1 + cost)).astype(float), cost
    return cost * chance.lognormal(0, 1, (rounds, tasks)) * (chance.random((rounds, tasks)) < 0.7), cost


@pytest.mark.parametrize(
    ("kind", "tasks", "least"),
    [
        ("passed", 10, 0.93),
        ("passed", 40, 0.93),
        ("passed less where it is dear", 40, 0.93),
        ("lines", 10, 0.90),
        ("lines", 40, 0.91),
    ],
)
def test_the_interval_covers_the_truth_about_as_often_as_it_says(kind, tasks, least):
    values, cost = samples(kind, 1_000, 2_000, 1)
    truth = values.sum() / cost.sum()
    found = [ratio_of_sums(v, c) for v, c in zip(*samples(kind, tasks, 1_500, 2), strict=True)]
    given = [ratio for ratio in found if ratio.low is not None]
    covered = np.mean([ratio.low <= truth <= ratio.high for ratio in given])

    assert len(given) > 0.75 * len(found)
    assert least <= covered <= 0.985


def test_the_interval_agrees_with_a_bootstrap_over_tasks():
    (values,), (cost,) = samples("passed", 300, 1, 3)
    found = ratio_of_sums(values, cost)
    drawn = np.random.default_rng(4).integers(0, 300, (4_000, 300))
    low, high = np.quantile(values[drawn].sum(1) / cost[drawn].sum(1), [0.025, 0.975])

    # The percentile bootstrap is too narrow where tails are heavy: this interval holds it and reaches further.
    assert found.low <= low
    assert found.high >= high * 0.99
    assert np.log(found.high / found.low) < 1.4 * np.log(high / low)


def test_well_behaved_tasks_are_seldom_doubted_and_heavy_tails_are():
    chance = np.random.default_rng(6)
    passed = (chance.random((300, 100)) < 0.8).astype(float)
    alike, heavy = chance.lognormal(0, 0.4, (300, 100)), chance.lognormal(0, 2.2, (300, 100))

    def doubted(costs):
        return np.mean([bool(ratio_of_sums(v, c).caution) for v, c in zip(passed, costs, strict=True)])

    assert doubted(alike) < 0.1
    assert doubted(heavy) > 0.6


def test_few_tasks_say_what_the_interval_is_worth():
    assert "only 3 tasks" in ratio_of_sums([1, 0, 1], [1, 2, 2]).caution
    assert not ratio_of_sums(np.tile([1, 0, 1], 10), np.tile([1.0, 2, 2], 10)).caution
