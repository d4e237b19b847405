from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.insights.count import DEFAULT_MODELS, CountBasis, convert_count, count_for_model, count_raw, list_encodings
from modicum.metering.calibration import Calibration, Calibrations
from modicum.metering.context_windows import context_window_tokens
from modicum.metering.price_file import PriceFile
from modicum.metering.prices import PriceBook

DAY = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def measures(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(
        '[[price]]\nmodel = "gpt-4o"\ninput = 2.0\noutput = 8.0\ncache_read = 0.2\n'
        "cache_write_5m = 2.5\ncache_write_1h = 4.0\n"
    )
    shared = {"family": "claude", "pairs": 100, "groups": 10, "method": "by hand"}
    known = Calibrations(
        shipped=[
            Calibration(ratio=1.2, error=0.06, **shared),
            Calibration(ratio=1.1, error=0.02, error_whole=0.1, content="code", **shared),
        ]
    )
    return CountBasis(known, PriceBook(PriceFile.read(path)))


def test_a_text_has_tokens_and_dollars_in_every_bucket_that_it_could_be_sent_in(measures):
    text = "token " * 1000

    found = count_for_model(count_raw(text, "", ["o200k_base"]), "gpt-4o", measures, DAY)

    assert found.tokens == 1001
    assert found.input_usd == Decimal("0.002002")
    assert found.cache_read_usd == Decimal("0.0002002")
    assert found.cache_write_5m_usd == Decimal("0.0025025")
    assert found.cache_write_1h_usd == Decimal("0.004004")
    assert (found.error, found.price_source) == (0.0, "prices.toml")


def test_a_model_without_price_has_none_and_not_nothing(measures):
    found = count_for_model(count_raw("some text", "", ["o200k_base"]), "nobodys-model", measures, DAY)

    assert found.tokens > 0
    assert found.input_usd is found.cache_read_usd is found.price_source is found.context_window is None


def test_texts_of_several_kinds_are_counted_each_with_its_own_calibration(measures):
    raw = Counter({("o200k_base", "code"): 1000, ("o200k_base", ""): 1000, ("cl100k_base", ""): 999})

    found = convert_count(raw, "claude-opus-4-6", measures.calibrations)

    assert found.tokens == 1100 + 1200
    assert found.most_tokens == 1210 + 1272
    assert found.error == pytest.approx((0.02 * 1100 + 0.06 * 1200) / 2300)
    assert "and 1 more by kind of content" in found.known_by


def test_no_text_has_no_tokens(measures):
    assert convert_count(Counter(), "claude-opus-4-6", measures.calibrations).tokens == 0


def test_only_the_encodings_of_the_models_are_wanted():
    assert list_encodings(["gpt-4o", "claude-opus-4-6", "gemini-2.5-pro"]) == ("o200k_base",)
    assert list_encodings(["gpt-4", "gpt-4o"]) == ("cl100k_base", "o200k_base")


@pytest.mark.parametrize("model", DEFAULT_MODELS)
def test_the_default_models_have_prices_and_windows(model):
    assert PriceBook().rates("", model, DAY)
    assert context_window_tokens(model)
