"""Cascades as the benchmark of choices looks for them in a table."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from cascade_strategies import (
    Strategy,
    StrategyResult,
    VerifierErrors,
    agreement_strategies,
    apply_strategy,
    choose_strategy,
    expected_cascade,
    same_answers,
    stack_results,
    verified_cascade,
    verifier_errors,
)

ANSWERS = [("a", "a", "b"), ("a", "b", "b"), ("", "", "c"), ("x", "y", "z")]
OUTCOMES = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 0, 1]], float)
COSTS = np.tile([1.0, 2.0, 10.0], (4, 1))


def test_two_that_agree_save_the_third():
    result = apply_strategy(Strategy((0, 1), (2,)), OUTCOMES, COSTS, same_answers(ANSWERS))

    assert result.costs.tolist() == [3, 13, 13, 13]
    assert result.outcomes.tolist() == [1, 1, 1, 1]


def test_no_answer_agrees_with_nothing():
    assert not same_answers([("", ""), (None, None)]).any()


def test_a_third_that_agrees_with_one_ends_it_before_the_fourth():
    outcomes, costs = np.array([[0, 1, 1, 1], [0, 0, 0, 1]], float), np.tile([1.0, 1, 5, 20], (2, 1))
    same = same_answers([("a", "b", "b", "b"), ("p", "q", "r", "s")])

    result = apply_strategy(Strategy((0, 1), (2, 3)), outcomes, costs, same)

    assert result.costs.tolist() == [7, 27]
    assert result.outcomes.tolist() == [1, 1]


def test_strategies_that_cannot_save_and_models_of_unknown_cost_are_left_out():
    strategies = list(agreement_strategies(np.array([1.0, 2.0, 10.0, np.nan]), most_cost=10))

    assert Strategy((0, 1), (2,)) in strategies
    assert not any(3 in (*each.first, *each.then) or each.first == (0, 2) for each in strategies)
    assert Strategy((0, 1), (2,)).name(["x", "y", "z"]) == "x + y -> z"


def test_a_choice_leaves_a_margin_for_luck():
    draw = np.random.default_rng(0)
    right = (draw.random(400) < 0.9).astype(float)
    baseline = StrategyResult(right, np.full(400, 10.0))
    lucky = np.where(draw.random(400) < 0.02, 1 - right, right)
    results = stack_results([baseline, StrategyResult(lucky, np.ones(400))])
    strategies = [Strategy((0,)), Strategy((1,))]

    assert choose_strategy(strategies, results, baseline, loss=0.2).strategy == Strategy((1,))
    assert choose_strategy(strategies, results, baseline, loss=0.0).strategy == Strategy((0,))
    worse = stack_results([StrategyResult(1 - right, np.ones(400))])
    assert choose_strategy([Strategy((1,))], worse, baseline, loss=0.1) is None


def test_a_verifiers_errors_are_estimated_and_used():
    right = np.array([True] * 80 + [False] * 20)
    accepted = np.array([True] * 72 + [False] * 8 + [True] * 4 + [False] * 16)

    errors = verifier_errors(accepted, right)
    assert (errors.refuses_right, errors.accepts_wrong) == pytest.approx((0.1, 0.2))
    assert errors.accepts_wrong_interval[0] < 0.2 < errors.accepts_wrong_interval[1]

    cheap, dear = StrategyResult(right.astype(float), np.ones(100)), StrategyResult(np.ones(100), np.full(100, 10.0))
    cascade = verified_cascade(cheap, dear, accepted, verifier_cost=0.5)
    expected = expected_cascade((0.8, 1.0), (1.0, 10.0), errors, verifier_cost=0.5)
    assert (cascade.outcomes.mean(), cascade.costs.mean()) == pytest.approx(expected)


def test_a_verifier_that_was_never_tried_on_a_wrong_answer_is_unknown():
    errors = verifier_errors(np.ones(3, bool), np.ones(3, bool))

    assert errors.accepts_wrong_interval == (0.0, 1.0)
    assert isinstance(errors, VerifierErrors)
