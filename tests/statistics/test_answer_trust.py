"""When a stored answer may stand for a new one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modicum.statistics.answer_trust import ALWAYS_ASKED, LEAST_SURE, MARGIN, AnswerTrust, least_right

SEEN = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


def trust(*seen):
    one = AnswerTrust()
    for similarity, is_right in seen:
        one.record(similarity, is_right=is_right)
    return one


def test_nothing_is_given_before_anything_was_seen():
    assert AnswerTrust().chance_to_answer(1.0, 0.2) == 0


def test_the_more_was_right_the_more_is_given_and_some_are_always_asked():
    chances = [trust(*[(0.8, True)] * count).chance_to_answer(0.9, 0.05) for count in (3, 10, 40, 200)]

    assert chances == sorted(chances)
    assert chances[0] == 0
    assert chances[-1] == 1 - ALWAYS_ASKED


def test_what_was_wrong_once_is_closed_to_all_that_is_no_more_alike():
    one = trust(*[(0.9, True)] * 100, (0.7, False))

    assert one.chance_to_answer(0.7 + MARGIN / 2, 0.05) == 0
    assert one.chance_to_answer(0.95, 0.05) > 0


@given(SEEN, st.floats(0, 1), st.floats(0.001, 0.2))
def test_a_chance_never_exceeds_what_the_bound_leaves(seen, similarity, most_wrong):
    chance = trust(*seen).chance_to_answer(similarity, most_wrong)
    wrong = 1 - least_right(seen, similarity)

    assert 0 <= chance <= 1 - ALWAYS_ASKED
    assert chance * wrong <= most_wrong + 1e-9
    assert chance == 0 or wrong <= 1 - LEAST_SURE


def test_the_bound_holds_where_answers_are_right_by_a_curve():
    chance = np.random.default_rng(5)
    wrong = calls = given_count = 0
    for _ in range(40):
        one = AnswerTrust()
        for _ in range(60):
            similarity = chance.uniform(0.5, 1)
            is_right = chance.random() < 1 / (1 + 2.718 ** (-30 * (similarity - 0.75)))
            calls += 1
            if chance.random() < one.chance_to_answer(similarity, 0.05):
                given_count += 1
                wrong += not is_right
            else:
                one.record(similarity, is_right=is_right)

    assert given_count > 20
    assert wrong / calls <= 0.05
