from importlib.resources import files

import pytest

from modicum.calls import UserError
from modicum.insights.dimensions import ANATOMY, BILL, CALLS, YIELD, parse_dimension, parse_dimensions, shown_name


@pytest.mark.parametrize("engine", ["duckdb", "clickhouse"])
def test_the_macro_knows_every_dimension(engine):
    macro = (files("modicum.ledger") / "schema" / engine / "008_dimension.sql").read_text()

    assert [name for name in (*CALLS, "tag") if f"'{name}'" not in macro] == []


def test_a_tag_is_a_dimension_where_it_is_accepted():
    assert parse_dimension("bill", "tag:team", BILL) == ("tag", "team")
    assert parse_dimension("yield", "tag:a:b", YIELD) == ("tag", "a:b")
    with pytest.raises(UserError, match="there is no anatomy by 'tag:team'; accepted are kind, tool"):
        parse_dimension("anatomy", "tag:team", ANATOMY)


@pytest.mark.parametrize("by", ["tag", "tag:", "colour", ""])
def test_what_is_not_accepted_is_answered_with_what_is(by):
    with pytest.raises(UserError, match=rf"there is no bill by '{by}'; accepted are model, .*tag:NAME$"):
        parse_dimension("bill", by, BILL)


def test_several_dimensions_come_with_commas_or_again():
    assert parse_dimensions("bill", ["team,month"], BILL) == (("team", ""), ("month", ""))
    assert parse_dimensions("bill", ["team", "tag:env"], BILL) == (("team", ""), ("tag", "env"))
    assert parse_dimensions("bill", ["work"], BILL) == (("tag", "work"),)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("team,team", "each dimension once"),
        ("team,day,model,app", "3 dimensions at once are the most"),
        ("bucket,model", "'bucket' divides what calls hold, and stands alone"),
        ("team,", "there is no bill by ''"),
    ],
)
def test_what_cannot_be_joined_is_said(typed, reason):
    with pytest.raises(UserError, match=reason):
        parse_dimensions("bill", [typed], BILL)


def test_names_that_are_empty_are_shown_as_such_and_an_owner_of_nothing_too():
    assert [shown_name(name) for name in ("", "///", "search///ci", "a/b")] == [
        "(none)",
        "(no owner)",
        "search///ci",
        "a/b",
    ]
