"""How alike two texts are."""

import numpy as np

from modicum.gateway.semantic_cache.text_vectors import TextIndex, unit_vector, word_vector

KEY = b"k" * 32


def index(*texts):
    one = TextIndex(weighs_words=True)
    for text in texts:
        vector = word_vector(text, KEY)
        one.nearest(vector)
        one.add(vector)
    return one


def test_rare_words_count_for_more_than_common_ones():
    places = ["Chile", "Ghana", "Japan", "Kenya", "Nepal", "Spain"]
    one = index(*(f"What is the capital of {place}?" for place in places))

    kenya, its_own = one.nearest(word_vector("Kenya, the town that governs it?", KEY))
    _, capital_alone = one.nearest(word_vector("capital, the town that governs it?", KEY))
    assert kenya == places.index("Kenya")
    assert its_own > capital_alone
    assert one.nearest(word_vector("What is the capital of Chile?", KEY)) == (0, 1.0)


def test_places_of_words_depend_on_the_key():
    assert not np.array_equal(word_vector("capital of France", KEY), word_vector("capital of France", b"x" * 32))


def test_a_row_that_goes_leaves_its_number_to_the_last():
    one = index("red apples", "green pears", "blue plums")

    assert one.remove(0) == 2
    assert one.nearest(word_vector("blue plums", KEY))[0] == 0
    assert one.nearest(word_vector("green pears", KEY))[0] == 1
    assert one.count == 2


def test_a_text_without_words_is_like_nothing():
    assert index("red apples").nearest(word_vector("?!", KEY)) == (0, 0.0)


def test_vectors_of_an_endpoint_are_brought_to_length_one():
    assert np.allclose(unit_vector([3.0, 4.0]), [0.6, 0.8])
    assert unit_vector([0.0, 0.0]) is None
    assert unit_vector([float("nan"), 1.0]) is None


def test_vectors_of_another_length_do_not_fit():
    one = TextIndex(weighs_words=False)
    one.add(unit_vector([1.0, 0.0]))

    assert not one.fits(unit_vector([1.0, 0.0, 0.0]))
    assert one.nearest(unit_vector([1.0, 0.0, 0.0])) is None
    assert one.nearest(unit_vector([1.0, 0.0])) == (0, 1.0)
