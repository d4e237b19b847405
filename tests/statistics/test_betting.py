import math

import numpy as np
import pytest

from modicum.statistics.betting import evidence_above, last_evidence_above, lower_bound, tasks_for_evidence


def flips(mean, count, seed):
    return (np.random.default_rng(seed).random(count) < mean).astype(float)


def test_a_bet_against_a_true_claim_is_fair_whatever_the_figures():
    """All sequences of ten coins, each with its chance: the mean of the stake is 1, so Ville's inequality holds."""
    for mean in (0.1, 0.5, 0.9):
        total = 0.0
        for number in range(2**10):
            coins = np.array([number >> place & 1 for place in range(10)], dtype=float)
            chance = mean ** coins.sum() * (1 - mean) ** (10 - coins.sum())
            total += chance * math.exp(last_evidence_above(coins, np.zeros(10), mean))
        assert total == pytest.approx(1.0)


def test_a_stake_against_a_true_claim_seldom_grows_however_often_one_looks():
    wrong = sum(
        (evidence_above(flips(0.8, 2000, seed), np.zeros(2000), 0.8) >= math.log(20)).any() for seed in range(200)
    )

    assert wrong <= 10


def test_a_wrong_claim_is_refused_and_the_order_of_figures_does_not_matter():
    figures = flips(0.8, 500, 1)

    assert last_evidence_above(figures, np.zeros(500), 0.6) > math.log(1000)
    assert last_evidence_above(figures[::-1], np.zeros(500), 0.6) == pytest.approx(
        evidence_above(figures, np.zeros(500), 0.6)[-1]
    )


def test_pieces_are_one_sequence():
    figures = flips(0.5, 9_000, 2)
    grown = evidence_above(figures, np.zeros(9_000), 0.5)

    assert len(grown) == 9_000
    assert grown[-1] == pytest.approx(last_evidence_above(figures, np.zeros(9_000), 0.5))


def test_the_lower_bound_covers_the_mean_and_comes_near_it():
    bounds = [lower_bound(flips(0.8, 1000, seed), np.zeros(1000), 0.05, (0.0, 1.0)) for seed in range(100)]

    assert sum(bound > 0.8 for bound in bounds) <= 5
    assert np.median(bounds) > 0.74
    assert lower_bound([], [], 0.05, (-1.0, 1.0)) == -1.0


def test_a_claim_at_the_bound_is_refuted_by_one_figure_above_it():
    assert last_evidence_above([0.0, 0.5], [0.0, 0.0], 0.0) > 20
    assert last_evidence_above([0.0, 0.0], [0.0, 0.0], 0.0) == 0.0


def test_a_figure_below_its_bound_is_refused():
    with pytest.raises(ValueError, match="below its bound"):
        evidence_above([-1.0], [0.0], 0.5)


def test_how_many_figures_are_needed_is_of_the_right_size():
    needed = tasks_for_evidence(flips(0.8, 4000, 3), np.zeros(4000), 0.7, 0.8, 0.05)
    firsts = [
        int(np.argmax(evidence_above(flips(0.8, 2000, seed), np.zeros(2000), 0.7) >= math.log(20)))
        for seed in range(100)
    ]

    assert np.median(firsts) < needed < 3 * np.median(firsts)
    assert tasks_for_evidence(flips(0.8, 100, 1), np.zeros(100), 0.8, 0.8, 0.05) is None
    assert tasks_for_evidence([], [], 0.8, 0.9, 0.05) is None
