import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.evaluation import draw_folds
from modicum.routing.learners.linear import LinearLearner
from modicum.routing.model_families import evaluate_left_out_families, family_of_model, pair_families
from modicum.routing.outcome_table import OutcomeTable
from routing_tables import known_table

MODELS = ("gpt-4o-mini", "gpt-4o", "claude-3-haiku", "claude-3-5-sonnet", "other-large")


def families_table():
    """Two families that differ at the same prompts, by outcomes of their own."""
    one, two = known_table(300, seed=1), known_table(300, seed=2)
    hard = np.arange(300) % 2 == 1
    draw = np.random.default_rng(5)
    cheap = (draw.random(300) < np.where(hard, 0.1, 0.97)).astype(float)
    outcomes = np.column_stack((one.outcomes, cheap, two.outcomes[:, 1], np.ones(300)))
    costs = np.tile([0.1, 1.0, 0.2, 2.0, 3.0], (300, 1))
    return OutcomeTable(MODELS, one.prompts, outcomes, (), {"usd": costs})


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("openai/gpt-4o", "gpt"),
        ("o1-mini", "gpt"),
        ("Meta-Llama-3.1-70B", "llama"),
        ("mistralai/Mixtral-8x7B", "mistral"),
        ("claude-3-haiku", "claude"),
        ("7", "7"),
    ],
)
def test_a_family_is_told_by_the_first_word_of_a_name(model, family):
    assert family_of_model(model) == family


def test_of_each_family_the_cheapest_and_the_best_are_a_pair_and_a_single_model_is_none():
    table = families_table()

    assert pair_families(table, "usd") == {"gpt": MODELS[:2], "claude": MODELS[2:4]}
    assert pair_families(table, "calls") == {"gpt": MODELS[:2], "claude": MODELS[2:4]}


def test_what_one_family_teaches_holds_for_the_other():
    table = families_table()

    left_out = evaluate_left_out_families(table, [LinearLearner()], draw_folds(table, 5), "usd")

    assert [one.family for one in left_out] == ["gpt", "claude"]
    for one in left_out:
        routers = {each.name: each for each in one.routers}
        assert list(routers) == ["random", "length", "linear on words", "oracle"]
        assert routers["linear on words"].apgr > 0.7
        assert routers["linear on words"].to_length.low > 0


def test_one_family_teaches_nothing_of_others():
    with pytest.raises(UserError, match="two families with two models each, and the table has 1"):
        evaluate_left_out_families(families_table().select(MODELS[:2]), [LinearLearner()], np.arange(300) % 5, "usd")
