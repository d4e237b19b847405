from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.gateway import live_rates
from modicum.gateway.live_rates import LiveRates
from modicum.metering.prices import PriceBook

AT = datetime(2026, 2, 3, tzinfo=UTC)


@pytest.fixture
def failures():
    return []


@pytest.fixture
def rates(failures):
    found = LiveRates(PriceBook, failures.append)
    yield found
    found.close()


def looked_up(rates):
    """Waits until everything that was asked for is there."""
    for steps in rates._steps.values():
        steps.result(30)


def test_a_price_is_looked_up_beside_the_call_that_first_asks_and_is_there_for_the_next(rates):
    ask = rates.of_call("openai", AT, 1_000)
    first = ask("gpt-4o-mini")
    looked_up(rates)
    found = ask("gpt-4o-mini")

    assert first is None or first == found  # as quick as the thread was
    assert found == PriceBook().rates("openai", "gpt-4o-mini", AT)
    assert found.input_uncached == Decimal("0.15") / 1_000_000


def test_the_size_of_the_prompt_decides_among_rates(rates):
    for tokens in (1_000, 300_000):
        rates.find("google", AT, tokens, "gemini-2.5-pro")
    looked_up(rates)

    small, large = (rates.find("google", AT, tokens, "gemini-2.5-pro") for tokens in (1_000, 300_000))
    assert large.input_uncached == 2 * small.input_uncached


def test_a_model_without_a_price_has_none(rates):
    rates.find("openai", AT, 10, "no-such-model")
    looked_up(rates)

    assert rates.find("openai", AT, 10, "no-such-model") is None


def test_prices_that_cannot_be_read_are_reported_and_rules_go_without(failures):
    def broken():
        raise OSError("prices.toml")

    rates = LiveRates(broken, failures.append)
    rates.find("openai", AT, 10, "gpt-4o-mini")
    looked_up(rates)

    assert (rates.find("openai", AT, 10, "gpt-4o-mini"), failures) == (None, ["rates"])
    rates.close()


def test_names_that_callers_make_up_take_bounded_memory(rates, monkeypatch):
    monkeypatch.setattr(live_rates, "MOST_KEPT", 3)

    for number in range(10):
        rates.find("openai", AT, 10, f"made-up-{number}")

    assert len(rates._steps) <= 3
