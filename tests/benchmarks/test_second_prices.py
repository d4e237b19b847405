"""List prices checked with a second source: the facts of LiteLLM's table that benchmarks/second_prices.py kept."""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from modicum.calls import Basis
from modicum.calls.rates import MILLION
from modicum.metering.prices import PriceBook

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import second_prices

AT = datetime(2026, 11, 30, 2, tzinfo=UTC)  # a Monday, when DeepSeek has its peak, as the second source has it
FACTS = json.loads(Path(__file__).with_name("second_prices.json").read_text())
FIRST = {(row["seller"], row["model"]): row for row in reversed(FACTS["models"])}

OURS_IS_RIGHT = {
    (
        "aws",
        "anthropic.*",
        "*",
    ): "an id without region is served where it is called, and costs 10 % more as every region",
    ("aws", "openai.gpt-6-*", "*"): "as above",
    (
        "google",
        "gemini-*-pro*",
        "cache_write_5m",
    ): "Google charges no write by the token; theirs is the price of a read",
}
"""Differences that are settled for our list; others are no exact prices (metering/price_corrections.toml)."""


@pytest.fixture(scope="module")
def prices():
    return PriceBook()


def is_settled(row, bucket):
    return any(
        row["seller"] == seller and fnmatchcase(row["model"], model) and fnmatchcase(bucket, buckets)
        for seller, model, buckets in OURS_IS_RIGHT
    )


def test_no_price_is_exact_that_the_second_source_has_otherwise(prices):
    wrong = [
        (row["seller"], row["model"], difference)
        for row in FACTS["models"]
        for difference in second_prices.find_differences(row, prices)
        if difference.basis is Basis.EXACT and not is_settled(row, difference.bucket)
    ]

    assert len(FACTS["models"]) > 1000
    assert wrong == []


def test_every_settled_difference_is_one(prices):
    open_ones = set(OURS_IS_RIGHT)
    for row in FACTS["models"]:
        for difference in second_prices.find_differences(row, prices):
            for seller, model, buckets in tuple(open_ones):
                if (
                    row["seller"] == seller
                    and fnmatchcase(row["model"], model)
                    and fnmatchcase(difference.bucket, buckets)
                    and difference.ours is not None
                ):
                    open_ones.discard((seller, model, buckets))

    assert open_ones == set()


def test_a_lower_bound_is_not_above_the_second_source(prices):
    for row in FACTS["models"]:
        for difference in second_prices.find_differences(row, prices):
            if difference.basis is Basis.LOWER_BOUND and not difference.bucket.startswith("cache_write"):
                assert difference.ours < difference.theirs, (row["model"], difference)


CLAUDE = [
    "opus-4-5",
    "opus-4-6",
    "opus-4-7",
    "opus-4-8",
    "opus-5",
    "opus-5-5",
    "sonnet-4-5",
    "sonnet-4-6",
    "sonnet-5",
    "sonnet-5-5",
    "haiku-4-5",
    "haiku-5-5",
    "fable-5",
    "fable-5-1",
]
DATES = {"opus-4-5": "-20251101", "sonnet-4-5": "-20250929", "haiku-4-5": "-20251001"}
GPT = [
    "gpt-5.2",
    "gpt-5.2-codex",
    "gpt-5.3-codex",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-5.4-pro",
    "gpt-5.5",
    "gpt-5.5-pro",
    "gpt-5.6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-6-astra",
    "gpt-6-luna",
    "gpt-6-sol",
    "gpt-6.1-sol",
]
GPT_ON_BEDROCK = [
    "gpt-5.6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-6-astra",
    "gpt-6-luna",
    "gpt-6-sol",
    "gpt-6.1-sol",
]
GEMINI = [
    "gemini-3-flash-preview",
    "gemini-3.1-pro-preview",
    "gemini-3.1-flash-lite",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.6-flash",
    "gemini-3.7-flash",
    "gemini-3.8-flash",
    "gemini-4-argon",
    "gemini-omni-1.1-flash",
]
GROK = [
    "grok-4.20",
    "grok-4.3",
    "grok-4.5",
    "grok-4.6",
    "grok-4.7",
    "grok-build-0.1",
]
DEEPSEEK = [
    "deepseek-v4-pro",
    "deepseek-v4-flash",
    "deepseek-flash",
]
MISTRAL = [
    "mistral-large-2512",
    "mistral-large-4",
    "mistral-medium-3-5",
    "mistral-small-2603",
    "codestral-2508",
    "ministral-8b-2512",
    "ministral-14b-2512",
]
KIMI = [
    "kimi-k2.5",
    "kimi-k2.6",
    "kimi-k2.7-code",
    "kimi-k3",
]
GLM = [
    "glm-4.7",
    "glm-5",
    "glm-5.1",
    "glm-5.2",
    "glm-5.3",
    "glm-5.3-flash",
]
OTHERS = [
    ("minimax", "MiniMax-M2.5"),
    ("minimax", "MiniMax-M3"),
    ("groq", "qwen/qwen3.8-27b"),
    ("aws", "us.amazon.nova-2-lite-v1:0"),
    ("aws", "us.meta.llama4-maverick-17b-instruct-v1:0"),
    ("aws", "us.meta.llama4-scout-17b-instruct-v1:0"),
    ("aws", "global.moonshotai.kimi-k3"),
    ("aws", "us.zai.glm-5.3"),
]


def dotted(name):
    """Anthropic's names as OpenRouter writes them."""
    stem, _, last = name.rpartition("-")
    return f"{stem}.{last}" if stem[-1].isdigit() else name


def spelled():
    """(provider of a call, its model, seller and name of the row of the second source)."""
    for short in CLAUDE:
        yield from spelled_claude(f"claude-{short}", f"claude-{short}{DATES.get(short, '')}")
    for name in GPT:
        yield from (("openai", name, "openai", name), ("", name, "openai", name), ("azure", name, "azure", name))
        yield from (("", f"azure/{name}", "azure", name), ("openrouter", f"openai/{name}", "openai", name))
    for name in GPT_ON_BEDROCK:
        yield from (("aws", f"{where}.openai.{name}", "aws", f"{where}.openai.{name}") for where in ("us", "global"))
    for name in GEMINI:
        yield from (
            ("google", f"{path}{name}", "google", name) for path in ("", "models/", "publishers/google/models/")
        )
        yield from (("", f"{route}/{name}", "google", name) for route in ("gemini", "vertex_ai"))
        yield ("openrouter", f"google/{name}", "google", name)
    for (seller, route), names in OPEN_WEIGHTS_AND_GROK.items():
        for name in names:
            yield from ((seller, name, seller, name), ("openrouter", f"{route}/{name}", seller, name))
    yield from ((seller, name, seller, name) for seller, name in OTHERS)


OPEN_WEIGHTS_AND_GROK = {
    ("x-ai", "x-ai"): GROK,
    ("deepseek", "deepseek"): DEEPSEEK,
    ("mistral", "mistralai"): MISTRAL,
    ("moonshotai", "moonshotai"): KIMI,
    ("zai", "z-ai"): GLM,
}
"""Names by their seller and by how OpenRouter calls it."""


def spelled_claude(name, dated):
    yield from (("anthropic", dated, "anthropic", name), ("", name, "anthropic", name))
    for region in ("us", "eu", "global"):
        row = next(model for seller, model in FIRST if seller == "aws" and is_id(model, region, dated))
        yield from (("aws", f"{region}.anthropic.{dated}-v1:0", "aws", row), ("", row, "aws", row))
    for form in (f"{name}@20260205", f"publishers/anthropic/models/{name}", f"{name}@default"):
        yield ("google", form, "google", name)
    yield from (("azure", name, "azure", name), ("", f"azure_ai/{name}", "azure", name))
    yield ("openrouter", f"anthropic/{dotted(name)}", "anthropic", name)
    yield ("", f"openrouter/anthropic/{dotted(name)}", "anthropic", name)


def is_id(model, region, dated):
    return model.startswith(f"{region}.anthropic.{dated}") and model.removeprefix(f"{region}.anthropic.{dated}") in {
        "", "-v1", "-v1:0"
    }  # fmt: skip


WITHOUT_PRICE = {
    ("openrouter", "google/gemini-omni-1.1-flash"): "not sold there",
    ("openrouter", "mistralai/mistral-large-4"): "not in the list, so unknown",
}


def test_sixty_names_of_2026_are_looked_up():
    names = {(seller, name) for _, _, seller, name in spelled() if seller not in {"aws", "azure"}}

    assert len(names) + len([one for one in OTHERS if one[0] == "aws"]) >= 60


@pytest.mark.parametrize(("provider", "model", "seller", "name"), list(spelled()))
def test_a_name_of_2026_costs_the_same_in_both_sources_or_is_not_exact(prices, provider, model, seller, name):
    rates = prices.rates(provider, model, AT)
    theirs = FIRST[seller, name]["rates"]["standard"]
    if rates is None:
        assert (provider, model) in WITHOUT_PRICE
        return
    if rates.basis is not Basis.EXACT:
        return
    for bucket, usd in theirs.items():
        if bucket.startswith("cache_write") and not Decimal(usd):
            continue  # the second source says 0 for none
        if bucket in rates.fallbacks:
            continue  # such a cost is not exact
        if hasattr(rates, bucket):
            assert getattr(rates, bucket) * MILLION == Decimal(usd), bucket


def test_most_names_of_2026_have_an_exact_price(prices):
    """What two sources say alike is exact; open weights at OpenRouter, whose sellers differ, cannot be, nor Claude on
    Vertex AI, whose price depends on the region of the host.
    """
    own = [one for one in spelled() if one[0] != "openrouter" or one[1].startswith(("anthropic/", "openai/"))]
    own = [one for one in own if not (one[0] == "google" and "claude" in one[1])]
    exact = [
        one for one in own if (rates := prices.rates(one[0], one[1], AT)) is not None and rates.basis is Basis.EXACT
    ]

    assert len(exact) >= len(own) * 0.9
