from zoneinfo import ZoneInfo

import pytest

from ledger.samples import entry
from modicum.calls import Owner, UserError
from modicum.insights.bill import make_cells
from modicum.insights.scoping.scope import Scope, parse_where
from modicum.ledger.opening import open_store


def test_conditions_are_read_as_they_are_typed():
    assert parse_where(["team=a=b", "tag:feature=chat", "user="]) == {"team": "a=b", "tag:feature": "chat", "user": ""}


@pytest.mark.parametrize("condition", ["team", "cost=1", "tag:=x", "day=2026-01-01", "owner=a/b"])
def test_what_is_no_condition_is_said_with_what_is_accepted(condition):
    with pytest.raises(UserError, match=r"--where|accepted are model"):
        parse_where([condition])


def test_two_names_in_one_dimension_fit_no_call():
    with pytest.raises(UserError, match="once"):
        parse_where(["team=a", "team=b"])


def test_entries_and_the_ledger_choose_alike():
    entries = [
        entry("c1", owner=Owner(team="a"), tags={"f": "1"}),
        entry("c2", owner=Owner(team="a")),
        entry("c3", model="m2"),
    ]
    store = open_store(":memory:")
    store.append(entries)

    for where in ({}, {"team": "a"}, {"team": ""}, {"tag:f": "1"}, {"tag:f": "", "team": "a"}, {"model": "m2"}):
        scope = Scope(where=where)
        chosen = [one for one in entries if scope.includes(one)]
        cells = make_cells(chosen, "model", "", ZoneInfo("UTC"))
        asked = store.ask("bill", by="model", tag="", **scope.parameters)
        assert {cell["name"]: cell["calls"] for cell in cells} == {row["name"]: row["calls"] for row in asked}
