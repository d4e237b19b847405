import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.evaluation import draw_folds, evaluate, fold_difference, out_of_fold_scores
from modicum.routing.learners.length import LengthLearner
from modicum.routing.learners.linear import LinearLearner
from routing_tables import known_table


def test_a_learner_stands_between_chance_and_oracle():
    table = known_table(600)
    result = evaluate(table, [LinearLearner()], draw_folds(table, 5), weak="cheap", strong="dear", unit="usd")
    routers = {each.name: each for each in result.routers}

    assert list(routers) == ["random", "length", "linear on words", "oracle"]
    assert (routers["random"].apgr, routers["random"].cpt80) == (0.5, 80.0)
    assert 0.7 < routers["linear on words"].apgr <= routers["oracle"].apgr
    assert routers["linear on words"].to_length.low > 0
    assert result.singles["dear"][1] == pytest.approx(0.01)


def test_a_floor_is_set_on_other_folds_than_it_is_measured_on():
    table = known_table(1_000)
    folds = draw_folds(table, 5)
    result = evaluate(table, [LinearLearner()], folds, weak="cheap", strong="dear", unit="usd", losses=(0.02,))
    (floor,) = (each for each in result.floors if each.name == "linear on words")

    assert floor.saving.mean > 0.3
    assert floor.outcome_change.mean > -0.03


def test_equal_prompts_and_families_are_in_one_fold():
    table = known_table(200)
    doubled = table.take(np.tile(np.arange(200), 2))

    assert (draw_folds(doubled, 5)[:200] == draw_folds(doubled, 5)[200:]).all()
    by_family = draw_folds(table, 4, by_family=True)
    assert all(
        len({by_family[row] for row in range(200) if table.families[row] == name}) == 1 for name in table.families
    )
    with pytest.raises(UserError, match="8 families, and 9 folds need 9"):
        draw_folds(table, 9, by_family=True)


def test_nothing_is_learned_from_the_fold_that_is_tried():
    table = known_table(100)
    folds = draw_folds(table, 5)
    before = out_of_fold_scores(table, LengthLearner(), folds)
    table.outcomes[folds == 0] = 1 - table.outcomes[folds == 0]

    assert np.allclose(out_of_fold_scores(table, LengthLearner(), folds)[folds == 0], before[folds == 0])


def test_an_interval_over_folds_is_wider_than_a_plain_one():
    difference = fold_difference([0.01, 0.02, 0.03, 0.02, 0.02])
    plain = 2.776 * np.std([0.01, 0.02, 0.03, 0.02, 0.02], ddof=1) / 5**0.5

    assert difference.mean == pytest.approx(0.02)
    assert difference.high - difference.mean == pytest.approx(plain * 1.5, rel=0.01)
    with pytest.raises(ValueError, match="needs two"):
        fold_difference([0.1])
