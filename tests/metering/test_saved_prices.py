from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Call, Usage, UserError
from modicum.metering.prices import PriceBook
from modicum.metering.saved_prices import SavedPrices

PEAK = datetime(2026, 9, 14, 2, 10, tzinfo=UTC)


def call(at, model="deepseek-v4-pro", provider="deepseek"):
    return Call(call_id="x:1", source="x", provider=provider, model=model, started=at, usage=Usage(input_uncached=1))


def test_saved_prices_are_those_of_each_calls_hour(tmp_path):
    prices = PriceBook()
    calls = [call(PEAK), call(PEAK + timedelta(hours=5, minutes=30)), call(PEAK + timedelta(hours=10))]
    path = tmp_path / "saved.json"

    SavedPrices.collect(calls, prices).write(path)
    saved = SavedPrices.read(path)

    assert [saved.rates_of(one) for one in calls] == [prices.rates_of(one) for one in calls]
    assert saved.rates_of(calls[0]).input_uncached == 2 * saved.rates_of(calls[2]).input_uncached


def test_a_call_that_was_not_saved_has_no_price():
    assert SavedPrices.collect([], PriceBook()).rates_of(call(PEAK)) is None


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9, "saved": "2026-01-01T00:00:00Z", "steps": {}}'])
def test_another_file_is_one_clear_line(tmp_path, text):
    path = tmp_path / "saved.json"
    path.write_text(text)

    with pytest.raises(UserError, match="saved prices"):
        SavedPrices.read(path)
