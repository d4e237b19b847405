from datetime import date
from decimal import Decimal

import msgspec
import pytest

from modicum.calls import Basis
from modicum.reports.reconciliation.differences import OTHER_KEY, Side, compare_sides, difference_rows

ONE, TWO, THREE = (date(2026, 11, day) for day in (1, 2, 3))


def name(day=ONE, model="opus"):
    return day, "anthropic", model, ""


def side(prompt=100_000, completion=5_000, usd="10", read=0, **fields):
    return Side(3, prompt, read, completion, None if usd is None else Decimal(usd), **fields)


def cause(ours, theirs):
    (found,) = compare_sides({name(): ours} if ours else {}, {name(): theirs, name(TWO): side()})[:1]
    return found.cause


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        (side(), side(usd="10.01"), ""),
        (side(), side(usd=None), ""),
        (side(), side(basis=Basis.UNKNOWN), "the report leaves out counts"),
        (None, side(0, 0, basis=Basis.UNKNOWN), "the report leaves out counts"),
        (None, side(), "none of these calls came through here"),
        (side(), side(prompt=200_000), "some calls did not come through here"),
        (side(), side(prompt=50_000), "we counted more"),
        (side(basis=Basis.LOWER_BOUND), side(completion=50_000), "before the output was final"),
        (side(), side(usd="8.8"), "they charge 12.0 % less: a discount"),
        (side(), side(usd="11"), "they charge 10.0 % more"),
        (side(usd="4", calls_unpriced=2), side(), "calls without a known price here (2)"),
        (side(), side(usd="5", read=90_000), "cached tokens were counted as others"),
        (side(usd="0"), side(), "they charge for what costs nothing here"),
        (side(), side(usd="5"), "they charge half: calls in a batch or a flexible lane"),
        (None, side(None, None, read=None), "a charge beside tokens"),
    ],
)
def test_a_difference_has_its_likely_cause(ours, theirs, why):
    assert why in cause(ours, theirs)
    assert bool(why) == bool(cause(ours, theirs))


def test_a_key_of_another_name_is_no_unfinished_day():
    ours, theirs = {(ONE, "anthropic", "opus", "ci"): side()}, {(ONE, "anthropic", "opus", "key_abc"): side()}

    assert [one.cause for one in compare_sides(ours, theirs)] == [OTHER_KEY, OTHER_KEY]
    beside = {(ONE, "anthropic", "haiku", "ci"): side(), **theirs}
    assert OTHER_KEY not in [one.cause for one in compare_sides(beside, theirs)]


def test_what_a_report_lacks_is_told_apart_by_its_day():
    ours = {name(): side(), name(TWO): side(), name(TWO, "haiku"): side()}
    found = compare_sides(ours, {name(TWO): side(), name(ONE, "sonnet"): side()})

    causes = {(one.day, one.model): one.cause for one in found}
    assert causes[ONE, "opus"].startswith("not in the report")
    assert causes[TWO, "haiku"] == "the report's last day had not ended when it was exported"
    assert causes[TWO, "opus"] == ""


def test_fewer_on_the_last_day_of_a_report_were_not_there_yet():
    found = compare_sides({name(): side(), name(TWO): side()}, {name(): side(), name(TWO): side(prompt=50_000)})

    assert [one.cause for one in found] == ["", "the report's last day had not ended when it was exported"]


def test_an_alias_and_its_dated_name_are_one_row_with_both():
    ours = {name(model="claude-opus-4-5"): side(60_000, 2_000, "6"), name(model="claude-opus-4-5-20251101"): side()}
    theirs = {
        name(model="claude-opus-4-5-20251101"): side(160_000, 7_000, "16"),
        name(model="claude-haiku-4-5"): side(),
    }

    haiku, opus = compare_sides(ours, theirs)

    assert opus.model == "claude-opus-4-5+claude-opus-4-5-20251101 = claude-opus-4-5-20251101"
    assert (opus.cause, opus.tokens_more, opus.usd_more) == ("", 0, 0)
    assert opus.our_models == ("claude-opus-4-5", "claude-opus-4-5-20251101")
    assert opus.their_models == ("claude-opus-4-5-20251101",)
    assert (haiku.our_models, haiku.their_models) == ((), ("claude-haiku-4-5",))


def test_calls_around_midnight_are_recognised_on_both_days():
    ours = {name(ONE): side(150_000), name(TWO): side(50_000), name(THREE): side()}
    theirs = {name(ONE): side(100_000), name(TWO): side(100_000), name(THREE): side()}

    found = compare_sides(ours, theirs)

    assert ["midnight" in one.cause for one in found] == [True, True, False]
    assert [one.tokens_more for one in found] == [-50_000, 50_000, 0]


def test_days_and_providers_that_no_report_covers_are_left_out():
    ours = {name(ONE): side(), name(THREE): side(), (TWO, "openai", "gpt", ""): side()}

    assert [one.day for one in compare_sides(ours, {name(TWO): side()})] == [TWO]
    assert compare_sides(ours, {}) == []


def test_rows_are_json():
    found = compare_sides({name(): side()}, {name(): side(usd="8")})

    (row,) = difference_rows(found)
    assert row["usd_more"] == -2
    assert b'"day":"2026-11-01"' in msgspec.json.encode(row)


def test_without_a_cost_report_nothing_is_said_of_what_they_charge():
    ours, theirs = {name(): side()}, {name(model="sonnet"): side(usd=None)}

    opus, sonnet = compare_sides(ours, theirs)

    assert (opus.theirs.usd, opus.usd_more) == (None, None)
    assert (sonnet.ours.usd, sonnet.theirs.usd, sonnet.usd_more) == (Decimal(0), None, None)
