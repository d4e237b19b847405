from decimal import Decimal

import pytest

from ledger.samples import EVER, START, entry
from modicum.calls import Basis, Charges, Cost, Usage
from modicum.reports.focus.hours import parse_hours


def ask(store, **more):
    asked = {"by": ["app", "tag"], "tag": ["", "env"], "zone": "UTC", "where": {}} | EVER | more
    return store.ask("charges_by_hour", **asked)


def booked(entry_id, usd, by_bucket=None, **fields):
    made = entry(entry_id, usd, **fields)
    return type(made)(made.call, Cost(made.cost.usd, made.cost.basis, by_bucket, "reported", ""))


def test_charges_have_a_row_for_each_hour_meter_and_price(store):
    store.append([entry("c1"), entry("c2"), entry("c3", "0.75")])

    hours = parse_hours(ask(store), ["app", "env"])
    paid = [one for one in hours if one.usd]

    assert [(one.meter, one.quantity, one.calls, one.usd) for one in paid] == [
        ("input_uncached", 20, 2, Decimal("0.5")),
        ("input_uncached", 10, 1, Decimal("0.75")),
    ]
    assert all(one.hour == START and one.tags == {} for one in paid)


def test_names_in_dimensions_are_tags_and_empty_ones_are_none(store):
    store.append([entry("c1", tags={"env": "prod"})])

    assert {tuple(one.tags.items()) for one in parse_hours(ask(store), ["app", "env"])} == {(("env", "prod"),)}


def test_what_is_known_in_total_only_or_not_at_all_is_metered_in_calls(store):
    store.append(
        [
            booked("total", "0.3"),
            entry("nothing", None, usage=Usage(), usage_basis=Basis.UNKNOWN),
            entry("unpriced", None, usage=Usage(cache_read=7)),
        ]
    )

    found = {(one.meter, one.quantity, one.usd) for one in parse_hours(ask(store), ["app", "env"])}

    assert found == {("calls", 1, Decimal("0.3")), ("calls", 1, None), ("cache_read", 7, None)}


def test_fees_beside_tokens_are_metered_by_search_and_what_rounding_left_is_a_meter_of_its_own(store):
    made = entry("c1", "0.25", charges=Charges({"web_search": 4}))
    costs = type(made.cost.by_bucket)(input_uncached=Decimal("0.2"), requests=Decimal("0.04"))
    store.append([booked("c1", "0.25", costs, charges=Charges({"web_search": 4}))])

    found = {one.meter: (one.quantity, one.usd) for one in parse_hours(ask(store), ["app", "env"]) if one.usd}

    assert found == {
        "input_uncached": (10, Decimal("0.2")),
        "requests": (4, Decimal("0.04")),
        "rounding": (0, Decimal("0.01")),
    }


@pytest.mark.parametrize("has_logs", [True, False])
def test_usage_reports_are_left_out_where_there_are_logs(has_logs, store):
    store.append([entry("r", source="anthropic-usage"), *([entry("c1")] if has_logs else [])])

    sources = {one.source for one in parse_hours(ask(store), ["app", "env"])}

    assert sources == {"test"} if has_logs else {"anthropic-usage"}


def test_a_name_that_holds_the_separator_is_still_one_name(store):
    store.append([entry("c1", tags={"env": "a\x1fb"})])

    (both,) = {one.tags["env"] for one in parse_hours(ask(store), ["app", "env"])}
    (alone,) = {one.tags["env"] for one in parse_hours(ask(store, by=["tag"], tag=["env"]), ["env"])}

    assert (both, alone) == ("a b", "a\x1fb")
