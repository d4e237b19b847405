import numpy as np
import pytest

from modicum.reports.forecast.month_end import forecast_month

WEEK = [10.0, 10, 10, 10, 10, 2, 4]


def test_what_repeats_is_forecast_within_a_narrow_interval():
    made = forecast_month(WEEK * 16, 12, 16)

    true = sum((WEEK * 20)[112 - 12 : 112 + 16])
    assert made.spent_usd == sum((WEEK * 16)[-12:])
    assert made.expected_usd == pytest.approx(true, rel=0.05)
    assert made.low_usd < true < made.high_usd
    assert made.high_usd - made.low_usd < 0.2 * true
    assert made.naive_usd == pytest.approx(true)


def test_what_scatters_has_a_wider_interval_that_holds_it():
    chance = np.random.default_rng(3)
    days = 100 * np.exp(chance.normal(0, 0.5, 130))

    made = forecast_month(days[:110], 10, 20)

    assert made.low_usd < days[100:130].sum() < made.high_usd
    assert made.high_usd - made.low_usd > 0.2 * made.expected_usd


def test_a_short_history_is_said_or_has_the_spread_of_its_days():
    short = forecast_month([1.0] * 6, 6, 24)
    fresh = forecast_month([5.0, 7, 5, 6, 8, 5, 6, 5, 7, 5], 10, 20)

    assert (short.expected_usd, short.spent_usd) == (None, 6)
    assert "6 days of history are too few; 7 are the least" in short.why_not
    assert fresh.low_usd < fresh.expected_usd == pytest.approx(5.9 * 30, rel=0.1)
    assert fresh.spent_usd < fresh.low_usd


def test_a_month_that_is_over_is_what_was_spent():
    made = forecast_month([1.0] * 60, 30, 0)

    assert made.low_usd == made.expected_usd == made.high_usd == 30


def test_nothing_spent_is_forecast_as_nothing():
    made = forecast_month([0.0] * 40, 10, 20)

    assert (made.expected_usd, made.high_usd) == (0, 0)
