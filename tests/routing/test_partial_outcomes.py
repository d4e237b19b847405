import numpy as np
import pytest

from modicum.routing.partial_outcomes import estimate_outcomes, standard_error


def test_known_outcomes_stay_as_they_are():
    outcomes = np.array([[0.0, 1.0], [1.0, 1.0]])

    assert estimate_outcomes(outcomes, np.full((2, 2), 0.5)) is outcomes


@pytest.mark.parametrize("expected_level", [0.2, 0.9])
def test_means_are_right_whatever_was_expected_where_models_were_drawn_by_lot(expected_level):
    draw = np.random.default_rng(1)
    whole = np.column_stack((draw.random(20_000) < 0.4, draw.random(20_000) < 0.8)).astype(float)
    chosen = (draw.random(20_000) < 0.3).astype(int)
    partial = np.full(whole.shape, np.nan)
    rows = np.arange(20_000)
    partial[rows, chosen] = whole[rows, chosen]

    estimated = estimate_outcomes(partial, np.full(whole.shape, expected_level))

    assert estimated.mean(axis=0) == pytest.approx(whole.mean(axis=0), abs=0.03)


def test_steps_of_one_task_are_no_independent_ones():
    changes = np.repeat(np.random.default_rng(2).normal(size=50), 4)
    alone = standard_error(changes)

    assert standard_error(changes, np.repeat(np.arange(50), 4)) == pytest.approx(2 * alone)
    assert standard_error(changes, np.arange(200)) == pytest.approx(alone)
    assert standard_error(changes[:1]) == 0
