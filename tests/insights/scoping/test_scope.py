import pytest

from modicum.calls import UserError
from modicum.insights.scoping.scope import Scope, parse_where
from modicum.insights.scoping.time_span import EVER, NEVER


def test_conditions_are_read_as_they_are_typed():
    assert parse_where(["team=a=b", "tag:feature=chat", "user="]) == {"team": "a=b", "tag:feature": "chat", "user": ""}


@pytest.mark.parametrize("condition", ["team", "cost=1", "tag:=x", "day=2026-01-01", "owner=a/b"])
def test_what_is_no_condition_is_said_with_what_is_accepted(condition):
    with pytest.raises(UserError, match=r"--where|accepted are model"):
        parse_where([condition])


def test_two_names_in_one_dimension_fit_no_call():
    with pytest.raises(UserError, match="once"):
        parse_where(["team=a", "team=b"])


def test_questions_are_asked_with_all_of_it():
    scope = Scope(where={"team": "a"})

    assert scope.parameters == {"since": EVER, "until": NEVER, "zone": "UTC", "where": {"team": "a"}}
