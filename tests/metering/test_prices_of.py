from datetime import UTC, datetime

from modicum.metering.prices import PriceBook
from modicum.metering.prices_of import PricesOf

BOOK = PriceBook()
THEN, NOW = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)


def test_one_day_holds_for_all_calls():
    at_now = PricesOf(BOOK, at=NOW).rates("anthropic", "claude-sonnet-5-5", THEN)

    assert at_now == BOOK.rates("anthropic", "claude-sonnet-5-5", NOW)
    assert at_now.cache_read < BOOK.rates("anthropic", "claude-sonnet-5-5", THEN).cache_read


def test_one_model_holds_for_all_calls_whoever_served_them():
    of_gpt = PricesOf(BOOK, model="gpt-5").rates("anthropic", "claude-opus-4-5", NOW)

    assert of_gpt == BOOK.rates("openai", "gpt-5", NOW)
    assert PricesOf(BOOK, model="gpt-5").version != PricesOf(BOOK, at=NOW).version != BOOK.version
