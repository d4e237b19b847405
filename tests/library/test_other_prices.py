from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from insights.planted import PRICES, Conversation, user
from modicum.calls import UserError
from modicum.ledger.opening import open_store
from modicum.ledger.records import RECORDS
from modicum.library.other_prices import at_prices_of, other_prices, without_provider_cost

ZONE = ZoneInfo("UTC")


def test_days_and_models_are_told_apart():
    of_day, of_model = (other_prices(text, PRICES, ZONE) for text in ("2026-11-30", "claude-haiku-4-5"))
    asked = "anthropic", "claude-opus-4-5", datetime(2026, 2, 3, tzinfo=UTC)

    assert of_model.rates(*asked).input_uncached == Decimal("1e-6")
    assert of_day.rates(*asked).input_uncached == Decimal("5e-6")


def test_what_is_neither_is_refused_with_what_to_type():
    with pytest.raises(UserError, match=r"'opus-99x' is no day, .* write --prices-of 2026-11-30"):
        other_prices("opus-99x", PRICES, ZONE)


def test_prices_of_days_to_come_are_not_made_up():
    with pytest.raises(UserError, match="nobody knows the prices of 2299-01-01"):
        other_prices("2299-01-01", PRICES, ZONE)


def test_a_ledger_at_other_prices_holds_the_same_calls_and_the_old_one_stays():
    entries = Conversation().call(user("q", 5000)).call(user("more", 100)).entries
    with closing(open_store(":memory:")) as booked:
        booked.append(entries)
        before = booked.ask("holdings")
        with at_prices_of(booked, other_prices("claude-haiku-4-5", PRICES, ZONE)) as store:
            (cheap,), (dear,) = store.entries(), booked.entries()
            assert [entry.call for entry in cheap] == [entry.call for entry in dear]
            assert sum(entry.cost.usd for entry in cheap) * 5 == sum(entry.cost.usd for entry in dear)
            assert len(store.records(RECORDS["outcomes"])) == 0
        assert booked.ask("holdings") == before
        with at_prices_of(booked, PRICES) as same:
            assert same is booked


def test_what_was_charged_on_its_day_says_nothing_of_another():
    call = Conversation().call(user("q", 5000), reported_cost_usd=Decimal(7)).entries[0].call

    assert without_provider_cost(call).reported_cost_usd is None
