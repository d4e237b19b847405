import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.agents.answers import answer_or_none, digest_answer, find_agreed_answer, find_tied_answers, normalise, vote


@pytest.mark.parametrize(
    ("one", "other"),
    [("(B).", "b"), ("1,200.0", "1200"), ("  The  CAT ", "the cat"), ("**Yes**", "yes"), ("$3.50", "3.5")],
)
def test_answers_that_mean_the_same(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize("placeholder", ["None.", "", "N/A", " (skipped) ", None])
def test_placeholders_are_no_answers(placeholder):
    assert answer_or_none(placeholder) is None
    assert digest_answer(placeholder) is None


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


def test_a_digest_is_the_same_for_the_same_answer_and_key_only():
    assert digest_answer("B", b"k") == digest_answer("(b)", b"k")
    assert digest_answer("B", b"k") != digest_answer("B", b"other")
    assert "B" not in str(digest_answer("B"))


def test_the_vote_is_the_most_frequent_and_of_equals_the_first():
    assert vote(["x", "y", "y", None]) == "y"
    assert vote(["x", "y"]) == "x"
    assert vote([None, None]) is None


def test_agreement_counts_the_first_answers_only():
    assert find_agreed_answer(["x", "y", "x"], agree=2) == "x"
    assert find_agreed_answer(["x", "y", "x"], agree=2, of=2) is None
    assert find_agreed_answer([None, None], agree=2) is None


def test_a_tie_has_all_its_answers():
    assert find_tied_answers(["b", "a", "a", "b", None, "c"]) == ("b", "a")
    assert find_tied_answers(["b", "a", "a"]) == ("a",)
    assert find_tied_answers([None, None]) == (None,)
    assert find_tied_answers([]) == (None,)
