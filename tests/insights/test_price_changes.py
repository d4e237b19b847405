from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Basis, Call, Usage
from modicum.insights.price_changes import compare_prices, price_as_booked, price_with
from modicum.ledger.booking import book
from modicum.metering.prices import PriceBook

BEFORE, AFTER = datetime(2026, 10, 1, 12, tzinfo=UTC), datetime(2026, 10, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prices():
    return PriceBook()


def entry(prices, number, model, at, **more):
    call = Call(
        call_id=f"x:{number}", source="x", provider="anthropic", model=model, started=at,
        usage=Usage(cache_read=1_000_000), **more,
    )  # fmt: skip
    return book(call, prices)


def test_past_calls_at_the_prices_of_two_days(prices):
    entries = [entry(prices, 1, "claude-sonnet-5-5", BEFORE), entry(prices, 2, "claude-opus-5-5", BEFORE)]

    rows = compare_prices(entries, price_with(prices, BEFORE), price_with(prices, AFTER))

    assert [(row.model, row.old_usd, row.new_usd, row.changed) for row in rows] == [
        ("claude-sonnet-5-5", Decimal("0.2"), Decimal("0.1"), 1),
        ("claude-opus-5-5", Decimal("0.2"), Decimal("0.2"), 0),
    ]
    assert entries[0].cost.usd == Decimal("0.2"), "what is booked stays"


def test_what_was_booked_beside_what_is_known_today(prices):
    rows = compare_prices([entry(prices, 1, "claude-opus-5-5", AFTER)], price_as_booked, price_with(prices))

    assert [(row.calls, row.changed, row.change_usd, row.new_basis) for row in rows] == [(1, 0, 0, Basis.EXACT)]


def test_calls_with_a_price_in_one_source_alone_are_counted_and_not_summed(prices):
    entries = [entry(prices, 1, "nobodys", AFTER), entry(prices, 2, "claude-opus-5-5", AFTER)]

    def nothing(one):
        return type(one.cost).unknown()

    by_model = {row.model: row for row in compare_prices(entries, price_as_booked, nothing)}

    assert (by_model["claude-opus-5-5"].only_old, by_model["claude-opus-5-5"].old_usd) == (1, 0)
    assert (by_model["nobodys"].only_old, by_model["nobodys"].only_new, by_model["nobodys"].compared) == (0, 0, 0)
