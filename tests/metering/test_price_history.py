from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from modicum.calls import Tier
from modicum.calls.rates import MILLION
from modicum.metering.price_file import PriceFile
from modicum.metering.price_history import find_periods
from modicum.metering.prices import PriceBook

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prices():
    return PriceBook()


def test_a_price_that_changed_has_two_periods_which_meet(prices):
    periods = find_periods(prices, "anthropic", "claude-sonnet-5-5", Tier.STANDARD, NOW)
    day = datetime(2026, 10, 7, tzinfo=UTC)

    assert [(period.since, period.until) for period in periods] == [(None, day), (day, None)]
    assert [period.steps[0].rates.cache_read * MILLION for period in periods] == [Decimal("0.2"), Decimal("0.1")]


def test_prices_by_the_clock_name_their_hours(prices):
    periods = find_periods(prices, "deepseek", "deepseek-v4-pro", Tier.STANDARD, NOW)
    dear = [period for period in periods if period.steps[0].rates.input_uncached * MILLION == Decimal("1.32")]

    assert [period.hours for period in dear] == ["Mon-Fri 01:00-04:00 06:00-10:00"]
    assert dear[0].since.date() == date(2026, 8, 17)


def test_a_price_that_never_changed_is_one_period(prices):
    periods = find_periods(prices, "anthropic", "claude-opus-4-8", Tier.STANDARD, NOW)

    assert [(period.since, period.until, period.hours) for period in periods] == [(None, None, "")]


def test_a_lane_that_was_priced_later_has_its_earliest_price_before(prices):
    """Gemini 3.6 Flash has a dearer batch price noted for next year, which is not that of last spring."""
    rates = prices.rates("google", "gemini-3.6-flash", datetime(2026, 9, 1, tzinfo=UTC), Tier.BATCH)

    assert rates.input_uncached * MILLION == Decimal("0.375")


def test_the_users_own_dates_are_in_the_history(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('[[price]]\nmodel = "claude-opus-4-8"\ndiscount = 0.5\nfrom = 2026-06-01\n')
    periods = find_periods(PriceBook(PriceFile.read(path)), "anthropic", "claude-opus-4-8", Tier.STANDARD, NOW)

    assert [period.steps[0].rates.source for period in periods] == ["genai-prices", "prices.toml"]
    assert periods[1].since == datetime(2026, 6, 1, tzinfo=UTC)
