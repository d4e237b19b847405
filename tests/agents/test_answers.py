import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.agents.answers import agreed_answer, answer_digest, answer_or_none, normalised, tied_answers, vote


@pytest.mark.parametrize(
    ("one", "other"),
    [("(B).", "b"), ("1,200.0", "1200"), ("  The  CAT ", "the cat"), ("**Yes**", "yes"), ("$3.50", "3.5")],
)
def test_answers_that_mean_the_same(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize("placeholder", ["None.", "", "N/A", " (skipped) ", None])
def test_placeholders_are_no_answers(placeholder):
    assert answer_or_none(placeholder) is None
    assert answer_digest(placeholder) is None


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalised(normalised(text)) == normalised(text)


def test_a_digest_is_the_same_for_the_same_answer_and_key_only():
    assert answer_digest("B", b"k") == answer_digest("(b)", b"k")
    assert answer_digest("B", b"k") != answer_digest("B", b"other")
    assert "B" not in str(answer_digest("B"))


def test_the_vote_is_the_most_frequent_and_of_equals_the_first():
    assert vote(["x", "y", "y", None]) == "y"
    assert vote(["x", "y"]) == "x"
    assert vote([None, None]) is None


def test_agreement_counts_the_first_answers_only():
    assert agreed_answer(["x", "y", "x"], agree=2) == "x"
    assert agreed_answer(["x", "y", "x"], agree=2, of=2) is None
    assert agreed_answer([None, None], agree=2) is None


def test_a_tie_has_all_its_answers():
    assert tied_answers(["b", "a", "a", "b", None, "c"]) == ("b", "a")
    assert tied_answers(["b", "a", "a"]) == ("a",)
    assert tied_answers([None, None]) == (None,)
    assert tied_answers([]) == (None,)
