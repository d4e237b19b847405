import numpy as np

from modicum.routing.inputs import read_prompts
from modicum.routing.learners.neighbours import NeighbourLearner, mean_outcomes, weighted_means
from routing_tables import known_table


def test_a_prompt_that_resembles_nothing_goes_by_the_mean():
    table = known_table()
    scorer = NeighbourLearner().fit(table.inputs, table.outcomes)

    assert np.allclose(scorer.score(read_prompts(["zzz qqq"])), mean_outcomes(table.outcomes))


def test_fewer_compared_words_change_little():
    table = known_table()
    whole = NeighbourLearner().fit(table.inputs, table.outcomes).score(table.inputs)
    short = NeighbourLearner(most_columns=6).fit(table.inputs, table.outcomes).score(table.inputs)

    assert np.corrcoef(whole[:, 0], short[:, 0])[0, 1] > 0.8


def test_means_are_of_what_is_graded():
    means = weighted_means(np.array([1.0, 1.0]), np.array([[1.0, np.nan], [0.0, np.nan]]), np.array([0.5, 0.25]))

    assert np.allclose(means, [0.5, 0.25])
