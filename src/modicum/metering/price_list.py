"""The price list: genai-prices, asked for unit rates.

It takes 0.2 s to import, so this module is imported only when a price is not among the kept ones (`prices.py`), or when
somebody asks for a context window.
"""

import re
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot

from modicum.calls import Basis, ChargedUnit, Tier
from modicum.calls.charges import WEB_SEARCHES
from modicum.calls.provider_names import provider_of_route
from modicum.calls.rates import Rates, RateStep, RateSteps


class ListPrices:
    """genai-prices behind one method."""

    def __init__(self) -> None:
        self._version = version("genai-prices")
        self._snapshot = get_snapshot()
        self._by_price: dict[int, tuple[Any, RateSteps]] = {}

    def steps(self, provider: str, model: str, at: datetime, tier: Tier) -> tuple[RateSteps, bool]:
        """The steps at that moment, and whether they hold for the whole day."""
        for seller, name in candidates(provider, model):
            listed = find_listed_model(self._snapshot, seller, name)
            if listed is None:
                continue
            found = listed[1]
            price, certain = self._price(found, at, tier)
            if price is None or _charges_no_tokens(price):
                return (), True
            return self._unit_rates(price, certain=certain), not _varies_by_hour(found.prices)
        return (), True

    def _price(self, found: Any, at: datetime, tier: Tier) -> tuple[Any, bool]:
        """The price of a lane, and whether it is known for that day. No price for the lane: None, not the standard."""
        context = _CONTEXT[tier]
        if not context:
            return found.get_prices(at), True
        variants = [variant for variant in found.price_variants or () if variant.when == context]
        if any(variant.constraint is None or variant.constraint.active(at) for variant in variants):
            return found.get_prices(at, context), True
        if not variants:
            return None, True
        # The list notes a lane's price with the day on which it was noted; earlier calls in that lane paid it too.
        price = copy(found.get_prices(at))
        vars(price).update({name: rate for name, rate in vars(variants[0].prices).items() if rate is not None})
        return price, False

    def _unit_rates(self, price: Any, *, certain: bool) -> RateSteps:
        known = self._by_price.get(id(price))
        if known is not None:
            return known[1]
        starts = {
            tier.start
            for value in vars(price).values()
            if hasattr(value, "tiers") and hasattr(value, "base")
            for tier in value.tiers
        }
        steps = tuple(
            RateStep(start, self._derive_rates(price, max(start, 0) + 1, certain=certain))
            for start in (-1, *sorted(starts))
        )
        self._by_price[id(price)] = price, steps  # the price is held, so that its id stays its own
        return steps

    def _derive_rates(self, price: Any, prompt: int, *, certain: bool) -> Rates:
        """Unit rates, got by pricing a prompt of that size bucket by bucket: genai-prices itself then decides what a
        bucket without a price of its own costs. It adds the fee per request to whatever is priced, so that is taken out
        first.
        """
        by_token = copy(price)
        vars(by_token).pop("requests_kcount", None)

        def cost(of: Any = by_token, **counts: int) -> Decimal:
            total = of.calc_price(Usage(**counts))["total_price"]
            assert isinstance(total, Decimal)  # noqa: S101 - genai-prices' promise
            return total

        size = Decimal(prompt)
        plain = cost(input_tokens=prompt)

        def of_input(**counts: int) -> Decimal:
            return cost(input_tokens=prompt, **counts) / size

        def of_output(**counts: int) -> Decimal:
            return (cost(input_tokens=prompt, output_tokens=prompt, **counts) - plain) / size

        request = cost(price, input_tokens=prompt) - plain
        written = of_input(cache_write_tokens=prompt)
        written_1h = of_input(cache_write_tokens=prompt, cache_write_1h_tokens=prompt)
        return Rates(
            input_uncached=plain / size,
            cache_read=of_input(cache_read_tokens=prompt),
            cache_write_5m=written,
            cache_write_1h=written_1h,
            output_visible=of_output(),
            output_reasoning=of_output(output_reasoning_tokens=prompt),
            input_audio=of_input(input_audio_tokens=prompt),
            input_image=of_input(input_image_tokens=prompt),
            input_video=of_input(input_video_tokens=prompt),
            cache_read_audio=of_input(
                cache_read_tokens=prompt, input_audio_tokens=prompt, cache_audio_read_tokens=prompt
            ),
            cache_read_image=of_input(
                cache_read_tokens=prompt, input_image_tokens=prompt, cache_image_read_tokens=prompt
            ),
            cache_write_30m=written,
            cache_write_12h=2 * written,
            output_audio=of_output(output_audio_tokens=prompt),
            output_image=of_output(output_image_tokens=prompt),
            output_video=of_output(output_video_tokens=prompt),
            fees=_fees(price),
            request=request,
            fallbacks=_fallbacks(price),
            version=self._version,
            basis=_basis(price, certain=certain and not request),
        )


def _fees(price: Any) -> dict[str, Decimal]:
    """Dollars per unit. The list has one figure for searches of the web, whatever a provider charges it for."""
    searches, files = getattr(price, "web_searches_kcount", None), getattr(price, "storage_searches_kcount", None)
    fees = dict.fromkeys(WEB_SEARCHES, searches / 1000) if searches else {}
    return {unit.value: fee for unit, fee in fees.items()} | (
        {ChargedUnit.FILE_SEARCH.value: files / 1000} if files else {}
    )


_OWN_PRICE = {
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_30m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "cache_write_12h": "cache_write_mtok",
    "input_audio": "input_audio_mtok",
    "cache_read_audio": "cache_audio_read_mtok",
    "output_audio": "output_audio_mtok",
    "output_image": "output_image_mtok",
    "output_video": "output_video_mtok",
}
"""Whose price in the list a bucket has. Left out are those that providers charge as text where they say nothing else:
reasoning, and pictures and video in the input (https://ai.google.dev/gemini-api/docs/pricing). Twelve hours of OpenAI's
cache cost 2.5 times the input, twice what half an hour does (https://developers.openai.com/api/docs/pricing)."""


def _fallbacks(price: Any) -> tuple[str, ...]:
    return tuple(
        bucket
        for bucket, own in _OWN_PRICE.items()
        if getattr(price, own, None) is None and any(rate is not None for rate in vars(price).values())
    )


def _charged_units(price: Any) -> list[str]:
    """What a model charges for, in the list's words: `input_mtok`, `requests_kcount`, `audio_hours`, ..."""
    return [name for name, rate in vars(price).items() if rate is not None]


def _basis(price: Any, *, certain: bool) -> Basis:
    """How a price is known. A fee per request is not certain: the list has one, and providers have several (Perplexity
    has three, by the size of the search context, of which the list has the largest).
    """
    known = Basis.EXACT if certain else Basis.ESTIMATED
    uncounted = any(name.endswith(UNCOUNTED_UNITS) for name in _charged_units(price))
    return known | Basis.LOWER_BOUND if uncounted else known


def _charges_no_tokens(price: Any) -> bool:
    """Whether it charges for hours, characters or pages, and nothing by the token: no price here, and not 0. A model
    without any unit is free.
    """
    units = _charged_units(price)
    return bool(units) and not any(name.endswith("_mtok") for name in units)


UNCOUNTED_UNITS = ("_hours", "_mchars", "_kpages", "_messages_kcount", "_citation_mtok")
"""Ends of the names of units that our buckets do not count."""


_CONTEXT: Mapping[Tier, dict[str, str]] = {
    Tier.STANDARD: {},
    Tier.BATCH: {"processing": "batch"},
    Tier.FLEX: {"service_tier": "flex"},
    Tier.PRIORITY: {"service_tier": "priority"},
    Tier.FAST: {"speed": "fast"},
}
"""genai-prices silently ignores `service_tier: batch`: batch is a kind of processing there."""


def _varies_by_hour(prices: Any) -> bool:
    return isinstance(prices, list) and any(hasattr(price.constraint, "start_time") for price in prices)


def find_listed_model(snapshot: Any, seller: str, name: str) -> tuple[Any, Any] | None:
    """(seller, model) as the list has them, or None where it does not."""
    try:
        maker, found = snapshot.find_provider_model(name, None, seller or None, None)
    except LookupError:
        return None
    return maker, found


_BEDROCK = re.compile(
    r"^(?:(?:us|eu|apac|jp|au|us-gov|global)\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21)\."
)


def candidates(provider: str, model: str) -> list[tuple[str, str]]:
    """(seller, model name) pairs to look for, the surest first: names come as Bedrock ARNs, with a gateway's route in
    front (`vertex_ai/claude-opus-4-5`), or as OpenRouter's `maker/model`.
    """
    name = model.rsplit("/", 1)[-1] if model.startswith("arn:") else model
    if model.startswith("arn:") or _BEDROCK.match(name):
        return [("aws", name)]
    if provider == "aws" and name.startswith("claude"):
        # A name without a profile does not say where it was served; the list would take it for a regional one.
        return [("aws", f"global.anthropic.{name}"), (provider, name)]
    found = [(provider, name)] if provider else []
    route, _, rest = name.partition("/")
    seller = provider_of_route(route)
    if rest and seller:
        found += candidates(seller, rest)
    if rest and not provider:
        found.append(("openrouter", name))
    if not provider and not rest:
        found.append(("", name))
    return found
