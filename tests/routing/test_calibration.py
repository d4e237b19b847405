import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.calibration import best_model, calibrate, choose, default_unit, rates_to_try, unit_costs
from routing_tables import known_table


def known_scores(table):
    hard = np.arange(len(table)) % 2 == 1
    return np.column_stack((np.where(hard, 0.1, 0.97), np.full(len(table), 0.95)))


def test_a_floor_takes_the_cheapest_choice_that_loses_no_more():
    table = known_table(2_000)

    free = calibrate(table, known_scores(table), "usd", loss=0.01)
    strict = calibrate(table, known_scores(table), "usd", loss=0.0)

    assert free.saving == pytest.approx(0.45, abs=0.01)
    assert free.outcome >= free.best_single_outcome - 0.01
    assert strict.best_single == "dear"
    assert strict.outcome >= strict.best_single_outcome


def test_a_budget_is_never_passed_and_one_that_fits_nothing_is_said():
    table = known_table()

    assert calibrate(table, known_scores(table), "usd", budget=0.006).cost <= 0.006
    with pytest.raises(
        UserError, match=r"no choice stays within 1e-05 usd a call; the cheapest model alone takes 0.001"
    ):
        calibrate(table, known_scores(table), "usd", budget=0.00001)


def test_scores_that_say_nothing_send_all_to_the_best():
    table = known_table(2_000)
    calibration = calibrate(table, np.random.default_rng(0).random((2_000, 2)), "usd", loss=0.0)

    assert calibration.outcome == pytest.approx(calibration.best_single_outcome, abs=0.02)


def test_units_that_nobody_knows_are_named():
    table = known_table()

    assert default_unit(table) == "usd"
    assert best_model(table) == 1
    assert unit_costs(table, "calls").tolist() == [0, 1]
    with pytest.raises(UserError, match="says nothing of the joules of cheap, dear"):
        unit_costs(table, "joules")


def test_rates_reach_from_always_the_best_to_always_the_cheapest():
    scores, costs = np.array([[0.2, 0.9], [0.5, 0.6]]), np.array([1.0, 2.0])
    rates = rates_to_try(scores, costs)

    assert choose(scores, costs, rates[0]).tolist() == [1, 1]
    assert choose(scores, costs, rates[-1]).tolist() == [0, 0]
