import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Basis, Tier, UserError
from modicum.metering.price_file import PriceFile
from modicum.metering.prices import PriceBook

AT = datetime(2026, 2, 3, 12, tzinfo=UTC)
PER_MILLION = Decimal(1_000_000)


@pytest.fixture(scope="module")
def prices():
    return PriceBook()


def test_opus_4_5_costs_what_anthropic_publishes(prices):
    rates = prices.rates("anthropic", "claude-opus-4-5-20251101", AT)

    published = ("5", "0.5", "6.25", "10", "25", "25")  # docs.claude.com/en/docs/about-claude/pricing
    assert [
        getattr(rates, bucket) * PER_MILLION
        for bucket in (
            "input_uncached",
            "cache_read",
            "cache_write_5m",
            "cache_write_1h",
            "output_visible",
            "output_reasoning",
        )
    ] == [Decimal(price) for price in published]
    assert (rates.source, rates.basis) == ("genai-prices", Basis.EXACT)
    assert rates.fees["web_search"] == Decimal("0.01")


def test_a_large_context_raises_the_price_of_the_whole_request(prices):
    at_the_step = prices.rates("google", "gemini-2.5-pro", AT, prompt_tokens=200_000)
    above = prices.rates("google", "gemini-2.5-pro", AT, prompt_tokens=200_001)

    assert above.input_uncached == 2 * at_the_step.input_uncached
    assert above.cache_read == 2 * at_the_step.cache_read


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("aws", "us.anthropic.claude-opus-4-5-20251101-v1:0"),
        ("", "us.anthropic.claude-opus-4-5-20251101-v1:0"),
        ("", "bedrock/anthropic.claude-3-haiku-20240307-v1:0"),
        ("", "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-5-20251101-v1:0"),
        ("google", "claude-opus-4-5@20251101"),
        ("", "vertex_ai/claude-opus-4-5@20251101"),
        ("", "vertex_ai/gemini-2.5-pro"),
        ("azure", "gpt-4o-2024-11-20"),
        ("", "azure/gpt-4o"),
        ("", "openrouter/anthropic/claude-opus-4.5"),
        ("", "anthropic/claude-opus-4.5"),
        ("openrouter", "anthropic/claude-opus-4.5"),
        ("anthropic", "claude-opus-4-6[1m]"),
        ("", "gpt-5-codex"),
    ],
)
def test_names_resolve_as_the_hosts_write_them(prices, provider, model):
    assert prices.rates(provider, model, AT) is not None


@pytest.mark.parametrize("model", ["<synthetic>", "codex-auto-review", "my-deployment", ""])
def test_a_model_without_a_price_has_none_and_not_zero(prices, model):
    assert prices.rates("azure", model, AT) is None
    assert prices.rates("", model, AT) is None


def test_batch_is_half_price_and_a_lane_without_price_has_none(prices):
    day = datetime(2026, 11, 1, tzinfo=UTC)
    standard = prices.rates("anthropic", "claude-sonnet-4-5", day)
    batch = prices.rates("anthropic", "claude-sonnet-4-5", day, Tier.BATCH)

    assert batch.input_uncached * 2 == standard.input_uncached
    assert batch.basis is Basis.EXACT
    assert prices.rates("anthropic", "claude-sonnet-4-5", day, Tier.FLEX) is None


def test_a_lane_priced_only_later_is_an_estimate_for_earlier_days(prices):
    batch = prices.rates("anthropic", "claude-sonnet-4-5", AT, Tier.BATCH)

    assert batch.input_uncached * PER_MILLION == Decimal("1.5")
    assert batch.basis is Basis.ESTIMATED


def test_rates_kept_in_a_file_are_those_that_were_looked_up(tmp_path, prices):
    kept = tmp_path / "deep" / "rates.json"
    first = PriceBook(kept_in=kept)
    looked_up = first.rates("anthropic", "claude-opus-4-6", AT, prompt_tokens=300_000)
    first.save()
    second = PriceBook(kept_in=kept)

    assert second.rates("anthropic", "claude-opus-4-6", AT, prompt_tokens=300_000) == looked_up
    assert second._list is None, "the list was not loaded"


def test_rates_kept_for_other_prices_are_not_used(tmp_path):
    kept = tmp_path / "rates.json"
    first = PriceBook(kept_in=kept)
    first.rates("anthropic", "claude-opus-4-6", AT)
    first.save()
    own = tmp_path / "prices.toml"
    own.write_text('[[price]]\nmodel = "claude-*"\ndiscount = 0.5\n')
    second = PriceBook(PriceFile.read(own), kept_in=kept)

    assert second.rates("anthropic", "claude-opus-4-6", AT).input_uncached * PER_MILLION == Decimal("2.5")


def test_a_damaged_file_of_kept_rates_is_looked_up_anew(tmp_path):
    kept = tmp_path / "rates.json"
    kept.write_text("{")

    assert PriceBook(kept_in=kept).rates("anthropic", "claude-opus-4-6", AT) is not None


def test_rates_kept_by_a_program_that_worked_them_out_otherwise_are_not_used(tmp_path):
    kept = tmp_path / "rates.json"
    first = PriceBook(kept_in=kept)
    first.rates("perplexity", "sonar-pro", AT)
    first.save()
    document = json.loads(kept.read_text())
    document["version"] = document["version"].partition(" ")[2]  # as it was before fees per request had a rate
    document["steps"]["perplexity|sonar-pro|2026-02-03|standard"][0]["rates"]["input_uncached"] = "0.014"
    kept.write_text(json.dumps(document))

    assert PriceBook(kept_in=kept).rates("perplexity", "sonar-pro", AT).input_uncached * PER_MILLION == 3


def test_every_fee_per_request_on_the_list_is_apart_from_the_tokens_and_an_estimate(prices):
    from genai_prices.data_snapshot import get_snapshot

    charging = [
        (seller.id, model.id, model.prices)
        for seller in get_snapshot().providers
        for model in seller.models
        if getattr(model.prices, "requests_kcount", None)
    ]
    assert charging

    for seller, model, listed in charging:
        rates = prices.rates(seller, model, AT)
        assert rates.request * 1000 == listed.requests_kcount, model
        assert rates.input_uncached * PER_MILLION == listed.input_mtok, model
        assert rates.basis is Basis.ESTIMATED, model


@pytest.mark.parametrize(
    ("seller", "model"), [("openai", "whisper-1"), ("openai", "tts-1"), ("mistral", "mistral-ocr-2505")]
)
def test_a_model_that_charges_nothing_by_the_token_has_no_price_here_and_not_zero(prices, seller, model):
    assert prices.rates(seller, model, AT) is None


def test_a_model_that_also_charges_for_what_is_not_counted_costs_at_least_its_tokens(prices):
    assert prices.rates("mistral", "voxtral-small-24b-2507", AT).basis is Basis.LOWER_BOUND


def test_a_price_file_with_a_wrong_field_names_it(tmp_path):
    own = tmp_path / "prices.toml"
    own.write_text('[[price]]\nmodel = "x"\nrebate = 3\n')

    with pytest.raises(UserError, match="rebate"):
        PriceFile.read(own)
