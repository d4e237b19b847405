import pytest

from modicum.calls import UserError
from modicum.cli.inputs.chosen_calls import ChoiceOptions


def test_options_are_conditions():
    options = ChoiceOptions(team=("search",), session=("s-*",), where=("tier=batch", "tag:env=a=b"))

    assert {(one.by, one.tag, one.patterns) for one in options.conditions()} == {
        ("team", "", ("search",)),
        ("task", "", ("s-*",)),
        ("tier", "", ("batch",)),
        ("tag", "env=a", ("b",)),
    }


@pytest.mark.parametrize("text", ["team", "=x", ""])
def test_what_is_no_condition_is_answered_with_one(text):
    with pytest.raises(UserError, match="write WHAT=NAME"):
        ChoiceOptions(where=(text,)).conditions()
