from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ledger.samples import entry
from modicum.calls import UserError
from modicum.insights.scoping.call_choice import choose_entries, find_names, make_filter, parse_conditions

ZONE = ZoneInfo("UTC")


def ids(entries, *named):
    return [one.call.call_id for one in choose_entries(entries, parse_conditions(named), ZONE)]


CALLS = [
    entry("c1", model="claude-opus-4-5", project="/home/ada/shop", tags={"work": "test"}),
    entry("c2", model="claude-haiku-4-5", project="/home/ben/shop"),
    entry("c3", model="gpt-5", project="/home/ada/shopping", started=datetime(2026, 5, 1, tzinfo=UTC)),
]


def test_names_of_one_dimension_are_either_or_and_dimensions_all_hold():
    assert ids(CALLS, ("model", "claude-*")) == ["c1", "c2"]
    assert ids(CALLS, ("model", "gpt-5"), ("model", "claude-opus-*")) == ["c1", "c3"]
    assert ids(CALLS, ("model", "claude-*"), ("project", "/home/ada/*")) == ["c1"]
    assert ids(CALLS, ("month", "2026-05-01")) == ["c3"]


def test_a_project_may_be_named_by_the_end_of_its_path():
    assert ids(CALLS, ("project", "shop")) == ["c1", "c2"]
    assert ids(CALLS, ("project", "ada/shop")) == ["c1"]


def test_calls_without_a_name_are_asked_for_by_none():
    assert ids(CALLS, ("work", "(none)")) == ["c2", "c3"]
    assert ids(CALLS, ("tag:work", "test")) == ["c1"]


def test_what_fits_nothing_is_answered_with_what_is_near():
    with pytest.raises(UserError, match=r"no call has the model 'claude-opus-4.6'; there are claude-opus-4-5"):
        ids(CALLS, ("model", "claude-opus-4.6"))
    with pytest.raises(UserError, match="there is no choosing calls by 'colour'"):
        parse_conditions([("colour", "red")])


def test_where_nothing_is_nothing_can_be_asked_for():
    (condition,) = parse_conditions([("team", "x")])

    assert find_names(condition, []) == []


def test_a_filter_takes_entries_one_by_one_and_none_is_no_mistake():
    fits = make_filter(parse_conditions([("project", "shop"), ("model", "claude-haiku-*"), ("model", "gpt-*")]), ZONE)

    assert [fits(one) for one in CALLS] == [False, True, False]
    assert [make_filter((), ZONE)(one) for one in CALLS] == [True, True, True]
