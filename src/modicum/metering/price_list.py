"""The price list: genai-prices, asked for unit rates.

It takes 0.2 s to import, so this module is imported only when a price is not among the kept ones (`prices.py`), or when
somebody asks for a context window.
"""

import re
from collections.abc import Mapping
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import msgspec
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot

from modicum.calls import Basis, ChargedUnit, Tier
from modicum.calls.charges import WEB_SEARCHES
from modicum.calls.provider_names import provider_of_route
from modicum.calls.rates import CORRECTED, Rates, RateStep, RateSteps
from modicum.metering.model_names import is_named, spellings
from modicum.metering.price_corrections import Corrected, Corrections, PriceQuery, Unsettled


class Listed(msgspec.Struct, frozen=True):
    """What the list has for a model at a moment."""

    query: PriceQuery
    model: Any
    """The list's entry."""
    price: Any
    """With our corrections; None: it has no price for that lane."""
    corrected: Corrected
    basis: Basis
    """What the name leaves open: where it was served, and so whether a surcharge is due."""
    is_lane_dated: bool
    """False: the list has the price of the lane only since a later day."""
    is_named: bool
    """Whether the entry is for that name, and not only for one that begins alike."""


class ListPrices:
    """genai-prices behind one method, with our corrections.

    Args:
        corrections: None: those that come with the program.
        snapshot: the list. None: the one that comes with genai-prices.
    """

    def __init__(self, corrections: Corrections | None = None, snapshot: Any = None) -> None:
        self._version = version("genai-prices")
        self._snapshot = snapshot or get_snapshot()
        self.corrections = Corrections.read() if corrections is None else corrections
        self._by_price: dict[tuple[int, bool], tuple[Any, RateSteps]] = {}

    def steps(self, provider: str, model: str, at: datetime, tier: Tier) -> tuple[RateSteps, bool]:
        """The steps at that moment, and whether they hold for the whole day."""
        found = self.find(provider, model, at, tier)
        if found is None or found.price is None or _charges_no_tokens(found.price):
            return (), True
        steps = self._unit_rates(found.price, certain=found.is_lane_dated)
        if found.corrected.applied:
            steps = tuple(RateStep(step.above_tokens, self._as_ours(step.rates)) for step in steps)
        steps = qualify(steps, found)
        return steps, found.corrected.lasts_all_day and not _varies_by_hour(found.model.prices)

    def find(self, provider: str, model: str, at: datetime, tier: Tier) -> "Listed | None":
        """The list's price of that moment with our corrections; None: the list has no such model."""
        for spelling in spellings(candidates(provider, model)):
            listed = find_listed_model(self._snapshot, spelling.seller, spelling.name)
            if listed is None:
                continue
            maker, found = listed
            if spelling.instead_of and not self._is_cheaper(found, maker.id, spelling.instead_of):
                continue
            price, is_dated = self._price(found, at, tier)
            query = PriceQuery(maker.id, found.id, spelling.name, tier)
            corrected = Corrected(None) if price is None else self.corrections.apply(query, at, price)
            named = is_named(found.match, spelling.name)
            guessed = bool(provider) and spelling.seller not in {provider, *NAMED_SELLERS}
            basis = spelling.basis | (Basis.ESTIMATED if guessed else Basis.EXACT)
            return Listed(query, found, corrected.price, corrected, basis, is_lane_dated=is_dated, is_named=named)
        return None

    def _is_cheaper(self, found: Any, seller: str, name: str) -> bool:
        """Whether an entry is another one than that of the name, with other prices."""
        other = find_listed_model(self._snapshot, seller, name)
        return other is not None and other[1] is not found and bool(other[1].prices != found.prices)

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
        first = min(variants, key=lambda variant: getattr(variant.constraint, "start_date", date.max))
        price = copy(found.get_prices(at))
        vars(price).update({name: rate for name, rate in vars(first.prices).items() if rate is not None})
        return price, False

    def _unit_rates(self, price: Any, *, certain: bool) -> RateSteps:
        key = id(price), certain
        known = self._by_price.get(key)
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
        self._by_price[key] = price, steps  # the price is held, so that its id stays its own
        return steps

    def _as_ours(self, rates: Rates) -> Rates:
        version = f"{rates.version}+{self.corrections.version}"
        return msgspec.structs.replace(rates, source=CORRECTED, version=version)

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


def qualify(steps: RateSteps, found: Listed) -> RateSteps:
    """The steps with what is not sure of them in their basis. A doubt that begins at a size makes a step there."""
    doubts = [doubt.above_tokens if isinstance(doubt, Unsettled) else -1 for doubt in found.corrected.doubts]
    if not found.is_named:
        doubts.append(-1)
    sizes = sorted({step.above_tokens for step in steps}.union(doubts))
    if not doubts and found.basis is Basis.EXACT:
        return steps
    qualified = []
    for size in sizes:
        rates = [step.rates for step in steps if step.above_tokens <= size][-1]
        basis = rates.basis | found.basis
        if any(doubt <= size for doubt in doubts):
            basis |= Basis.ESTIMATED
        qualified.append(RateStep(size, msgspec.structs.replace(rates, basis=basis)))
    return tuple(qualified)


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


NAMED_SELLERS = ("aws", "azure", "openrouter")
"""Sellers that a name can only mean as such. `anthropic/claude-opus-4-5` at another one names the maker, whose price is
then a guess.
"""


_BEDROCK = re.compile(
    r"^(?:(?:us|eu|apac|jp|au|ca|in|us-gov|global)\.)?"
    r"(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21|openai|moonshotai|zai|minimax|qwen|nvidia|writer)\.[a-z]"
)


def candidates(provider: str, model: str) -> list[tuple[str, str]]:
    """(seller, model name) pairs to look for, the surest first: names come as Bedrock ARNs, with a gateway's route in
    front (`vertex_ai/claude-opus-4-5`), or as OpenRouter's `maker/model`.
    """
    name = model.rsplit("/", 1)[-1] if model.startswith("arn:") else model
    if model.startswith("arn:") or _BEDROCK.match(name):
        return [("aws", name)]
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
