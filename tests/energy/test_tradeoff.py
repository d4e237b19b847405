import pytest

from energy.law_points import dense, made
from modicum.energy.tradeoff import choose_points, count_users, make_curve, price_speed


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


def test_three_times_the_speed_costs_a_multiple_for_each_user_and_saves_for_all_together():
    points = make_curve([made(batch, 0.07 + 3.1 / batch) for batch in (1, 3, 16, 64, 170)])

    found = price_speed(points)

    assert found.each.speed_ratio == pytest.approx(3, rel=0.1)
    assert found.each.faster.concurrency < found.each.slower.concurrency
    assert found.each.energy_ratio > 3
    assert found.together.faster.concurrency > found.together.slower.concurrency
    assert found.together.energy_ratio < 1


def test_points_that_are_not_so_far_apart_or_without_energy_answer_nothing():
    assert price_speed(make_curve([made(1, 3.0), made(2, 1.6)])).each is None
    assert price_speed(make_curve([made(1, None), made(190, None)])).each is None


def test_users_per_gpu_are_the_most_streams_within_the_latency():
    points = make_curve(dense())

    assert count_users(points, 0.012, gpus=2) == 16
    assert count_users(points, 0.001, gpus=2) is None
    assert count_users(points, 0.012, gpus=0) is None
