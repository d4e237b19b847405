import numpy as np
import pytest

from modicum.routing.curve import curve_figures, oracle_scores


def test_chance_keeps_half_and_who_knows_keeps_more_than_all():
    draw = np.random.default_rng(0)
    weak, strong = (draw.random(20_000) < 0.6).astype(float), (draw.random(20_000) < 0.8).astype(float)

    chance = curve_figures(draw.random(20_000), weak, strong)
    oracle = curve_figures(oracle_scores(weak, strong), weak, strong)

    assert chance.apgr == pytest.approx(0.5, abs=0.03)
    assert chance.cpt80 == pytest.approx(80, abs=6)
    assert oracle.apgr > 1
    assert oracle.cpt50 < 15


def test_a_perfect_order_of_four_tasks_by_hand():
    figures = curve_figures(np.array([4.0, 3, 2, 1]), np.array([0.0, 0, 1, 1]), np.array([1.0, 1, 1, 1]))

    assert figures.cpt50 == 25
    assert figures.cpt80 == 50


def test_without_a_gain_there_is_no_figure():
    assert curve_figures(np.array([1.0, 2]), np.array([1.0, 1]), np.array([1.0, 0])) is None
    assert curve_figures(np.array([]), np.array([]), np.array([])) is None
