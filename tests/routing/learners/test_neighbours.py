from dataclasses import replace

import numpy as np
import pytest

from modicum.routing.inputs import read_prompts
from modicum.routing.learners.neighbours import (
    NeighbourLearner,
    mean_outcomes,
    nearest_rows,
    rows_in_reach,
    weighted_means,
)
from routing_tables import known_table


def sorted_whole(alike, count):
    nearest = np.argsort(-alike, kind="stable")[:count]
    return nearest[alike[nearest] > 0]


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


@pytest.mark.parametrize("decimals", [1, 2, 15])
@pytest.mark.parametrize("share", [0.01, 0.2, 1.0])
def test_the_nearest_rows_are_those_of_a_whole_sort_and_the_first_among_equals(decimals, share):
    draw = np.random.default_rng(decimals)
    alike = np.where(draw.random(4_000) < share, draw.random(4_000).round(decimals), 0.0)

    assert set(nearest_rows(alike, 300)) == set(sorted_whole(alike, 300))


def test_nearest_rows_that_all_stand_at_the_end_are_not_missed():
    alike = np.linspace(0.1, 1.0, 10_000)

    assert set(nearest_rows(alike, 300)) == set(range(9_700, 10_000))


def test_of_many_rows_that_resemble_few_are_sorted():
    alike = np.random.default_rng(0).random(10_000)

    assert 300 <= len(rows_in_reach(alike, 300)) < 2_500


def test_rows_that_share_no_word_are_not_sorted():
    alike = np.zeros(10_000)
    alike[::100] = 0.5

    assert rows_in_reach(alike, 300).tolist() == list(range(0, 10_000, 100))


@pytest.mark.parametrize("kind", ["words", "letters"])
def test_the_scores_of_100_prompts_are_those_of_comparing_each_with_every_row(kind):
    table, asked = known_table(600), known_table(100, seed=9).inputs
    outcomes = table.outcomes.copy()
    outcomes[::7, 0] = np.nan
    scorer = NeighbourLearner(kind, count=50, most_columns=30).fit(table.inputs, outcomes)
    rows, learned = asked.rows(kind).scaled(scorer.factors), scorer.rows_of
    expected = []
    for place in range(len(rows)):
        alike = np.zeros(len(outcomes))
        for column, value in zip(*rows.row(place), strict=True):
            those, values = learned.row(column)
            alike[those] += (values * value).astype(float)
        nearest = sorted_whole(alike, 50)
        expected.append(weighted_means(alike[nearest], outcomes[nearest], scorer.base))

    assert np.abs(scorer.score(asked) - expected).max() < 1e-9


def test_a_score_reads_the_postings_of_the_prompts_own_words_alone():
    table, asked = known_table(600), read_prompts(["prove a lemma about rivers"])
    scorer = NeighbourLearner().fit(table.inputs, table.outcomes)
    own, rows_of = asked.words.columns, scorer.rows_of
    is_own = np.isin(np.repeat(np.arange(len(rows_of)), np.diff(rows_of.starts)), own)
    assert 0 < is_own.sum() < len(is_own) / 2
    poisoned = replace(rows_of, values=np.where(is_own, rows_of.values, np.float32(np.nan)))

    assert np.array_equal(replace(scorer, rows_of=poisoned).score(asked), scorer.score(asked))
