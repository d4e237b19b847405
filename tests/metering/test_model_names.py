from datetime import UTC, datetime

import pytest

from modicum.calls import Basis
from modicum.metering.model_names import is_version, spellings
from modicum.metering.prices import PriceBook

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prices():
    return PriceBook()


@pytest.mark.parametrize(
    "rest",
    ["", "-20251101", "-20251101-v1:0", "@20251101", "-2025-11-20", "-0324", "-latest", "@default", "[1m]", "-001",
     "-preview-09-2025", "-v1:0:200k"],
)  # fmt: skip
def test_dates_and_revisions_make_no_other_model(rest):
    assert is_version(rest)


@pytest.mark.parametrize("rest", ["-image", "-tts", "-audio", "-unknown", "-fast", "-mini", ":free", "5", "-thinking"])
def test_another_word_makes_another_model(rest):
    assert not is_version(rest)


@pytest.mark.parametrize(
    ("seller", "name"),
    [
        ("google", "gemini-3.6-flash-image"),
        ("google", "claude-haiku-5-5-max"),
        ("openai", "gpt-5-nano-unknown"),
        ("anthropic", "claude-opus-4-5-turbo"),
        ("deepseek", "deepseek-chat-v9"),
        ("aws", "us.anthropic.claude-opus-4-55"),
    ],
)
def test_a_name_that_only_begins_like_a_listed_one_is_priced_as_an_estimate(prices, seller, name):
    assert prices.rates(seller, name, AT).basis is Basis.ESTIMATED


@pytest.mark.parametrize("name", ["gpt-4o-audio", "gpt-5-codex-unknown", "gpt-6-sol-mini", "grok-5", "claude-opus-4-9"])
def test_a_name_that_the_list_has_not_even_by_its_beginning_has_no_price(prices, name):
    assert prices.rates("", name, AT) is None


def test_bedrock_without_a_region_costs_at_least_the_price_without_its_surcharge(prices):
    anywhere = prices.rates("aws", "claude-sonnet-4-6", AT)
    everywhere = prices.rates("aws", "global.anthropic.claude-sonnet-4-6", AT)
    here = prices.rates("aws", "us.anthropic.claude-sonnet-4-6", AT)

    assert anywhere.input_uncached == everywhere.input_uncached < here.input_uncached
    assert (anywhere.basis, everywhere.basis, here.basis) == (Basis.LOWER_BOUND, Basis.EXACT, Basis.EXACT)


def test_bedrock_without_a_region_is_exact_where_there_is_no_surcharge(prices):
    assert prices.rates("aws", "claude-3-haiku-20240307", AT).basis is Basis.EXACT


def test_a_zone_of_azure_costs_at_least_the_price_of_the_model(prices):
    zone, anywhere = prices.rates("azure", "eu/gpt-5.4", AT), prices.rates("azure", "gpt-5.4", AT)

    assert zone.input_uncached == anywhere.input_uncached
    assert (zone.basis, anywhere.basis) == (Basis.LOWER_BOUND, Basis.EXACT)


@pytest.mark.parametrize("ending", [":nitro", ":floor", ":online"])
def test_an_ending_that_chooses_another_seller_or_adds_a_search_is_an_estimate(prices, ending):
    assert prices.rates("openrouter", f"anthropic/claude-opus-5.5{ending}", AT).basis is Basis.ESTIMATED


@pytest.mark.parametrize("provider", ["", "openrouter"])
def test_a_free_variant_is_openrouters_and_costs_nothing(prices, provider):
    rates = prices.rates(provider, "qwen/qwen3-coder:free", AT)

    assert (rates.input_uncached, rates.output_visible, rates.basis) == (0, 0, Basis.EXACT)


def test_the_makers_price_at_another_seller_is_a_guess(prices):
    assert prices.rates("perplexity", "openai/gpt-5.3-codex", AT).basis is Basis.ESTIMATED
    assert prices.rates("openrouter", "openai/gpt-5.3-codex", AT).basis is Basis.EXACT


def test_vertex_paths_lead_to_the_model():
    path = "projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-5"

    assert [one.name for one in spellings([("google", path)])] == ["claude-opus-5"]
    assert [one.name for one in spellings([("google", "models/gemini-3.5-flash")])] == ["gemini-3.5-flash"]
