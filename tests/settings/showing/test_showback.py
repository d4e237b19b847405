from decimal import Decimal

import pytest

from modicum.calls import UserError
from modicum.reports.showback.rules import SharedCost, SplitBy
from modicum.settings.showing.showback import (
    SharedCostSettings,
    ShowbackSettings,
    parse_showback,
    showback_rules_of,
)


def test_settings_become_rules():
    shared = SharedCostSettings(name="Hosts", usd_per_month=Decimal(9), split="even")
    rules = showback_rules_of(ShowbackSettings(shared=(shared,), subscriptions="calls", codes={"a": "CC"}))

    assert rules.shared == (SharedCost("Hosts", Decimal(9), None, SplitBy.EVEN),)
    assert (rules.subscriptions, rules.codes) == (SplitBy.CALLS, {"a": "CC"})


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "give either 'usd_per_month' or 'of'"),
        ({"usd_per_month": Decimal(1), "of": "a"}, "give either"),
        ({"usd_per_month": Decimal(-1)}, "is an amount from 0"),
        ({"usd_per_month": Decimal("NaN")}, "is an amount from 0"),
        ({"of": "a", "split": "shares"}, "go together"),
        ({"of": "a", "shares": {"b": Decimal(1)}}, "go together"),
        ({"of": "a", "split": "shares", "shares": {"b": Decimal("0.9")}}, "sum to 0.9, and not to 1"),
        ({"of": "a", "split": "shares", "shares": {"a": Decimal(1)}}, "has no share of it"),
        ({"of": "a", "split": "shares", "shares": {"b": Decimal(2), "c": Decimal(-1)}}, "is negative"),
    ],
)
def test_a_shared_cost_that_says_nothing_or_too_much_is_refused(fields, why):
    with pytest.raises(ValueError, match=why):
        SharedCostSettings(name="x", **fields)


def test_names_of_shared_costs_and_dimensions_are_checked():
    one = SharedCostSettings(name="x", of="a")
    with pytest.raises(ValueError, match="two shared costs are called 'x'"):
        ShowbackSettings(shared=(one, one))
    with pytest.raises(ValueError, match="'by' is wrong"):
        ShowbackSettings(by="nothing")


def test_a_statement_is_by_one_dimension_or_two():
    assert parse_showback("team,tag:client") == (("team", ""), ("tag", "client"))
    for by in ("team,app,key", "day", "bucket", "team,team"):
        with pytest.raises(UserError):
            parse_showback(by)
