import pytest

from energy.law_points import dense, made
from modicum.energy.tradeoff import choose_points, make_curve


def test_repeats_become_one_point_with_a_spread():
    (found,) = make_curve([made(4, 0.50, repeat=1), made(4, 0.52, repeat=2), made(4, 0.60, repeat=3)])

    assert (found.repeats, found.joules_per_generated_token) == (3, 0.52)
    assert found.spread == pytest.approx(0.0529 / 0.54, abs=0.001)


def test_three_points_are_chosen():
    found = choose_points(make_curve(dense()), within_s=0.012)

    assert found.fastest.concurrency == 1
    assert found.most_tokens_per_watt.concurrency == 128
    assert found.cheapest_within.concurrency == 32


def test_what_is_not_there_is_none():
    found = choose_points(make_curve([made(1, None)]), within_s=0.001)

    assert found.most_tokens_per_watt is None
    assert found.cheapest_within is None
