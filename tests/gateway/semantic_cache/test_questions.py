"""What of a call is its question, and when two answers say the same."""

import pytest

from modicum.gateway.semantic_cache.questions import meaning_of


@pytest.mark.parametrize(
    ("one", "other"),
    [("Paris.", "paris"), (" It is\nParis ", "it is paris."), ('{"a": 1, "b": [2]}', '{"b":[2],"a":1}')],
)
def test_answers_that_say_the_same(one, other):
    assert meaning_of(one) == meaning_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Paris", "London"), ("It is Paris", "Paris"), ('{"a": 1}', '{"a": 2}'), ("{no", "{yes")]
)
def test_answers_that_do_not(one, other):
    assert meaning_of(one) != meaning_of(other)
