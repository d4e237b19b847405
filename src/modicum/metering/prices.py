"""What a token cost, by model, day, price lane and context size.

List prices come from genai-prices (pinned; its snapshot works offline); a user's `prices.toml` stands above it. Asking
genai-prices takes 250 us a call and 0.2 s to import, so unit rates are asked once per model, day and lane, and may be
kept in a file from one run to the next.
"""

import re
from collections.abc import Mapping
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Basis, Call, Tier
from modicum.calls.provider_names import provider_of_route
from modicum.calls.regular_file import read_regular
from modicum.metering.price_file import PriceFile
from modicum.metering.rates import Rates, RateStep, RateSteps


class PriceBook:
    """Rates by model, day, lane and context size. `rates` is the one question.

    Args:
        price_file: the user's own prices, above the list.
        kept_in: a file that keeps unit rates between runs, made anew when prices or version change. None: no file.
    """

    def __init__(self, price_file: PriceFile | None = None, kept_in: Path | None = None) -> None:
        self.price_file = price_file
        self._kept_in = kept_in
        self._steps: dict[str, RateSteps] = {}
        self._quick: dict[tuple[str, str, date, Tier], RateSteps] = {}
        self._book = ""
        self._list: _ListPrices | None = None
        self._dirty = False
        if kept_in is not None:
            self._load(kept_in)

    def rates(
        self, provider: str, model: str, at: datetime, tier: Tier = Tier.STANDARD, prompt_tokens: int = 0
    ) -> Rates | None:
        """Dollars per token for a call with a prompt of that size (all input, cached or not); None: no price is known.

        A context-size step applies to the whole request, which is the providers' rule: 200,001 tokens cost twice what
        200,000 do, not one token more.
        """
        steps = self.steps(provider, model, at, tier)
        found = None
        for step in steps:
            if prompt_tokens <= step.above_tokens:
                break
            found = step.rates
        return found

    def rates_of(self, call: Call) -> Rates | None:
        return self.rates(
            call.provider, call.model, call.started, call.tier, call.usage.prompt_tokens // max(call.calls_count, 1)
        )

    def save(self) -> None:
        """Keeps what was looked up for the next run. A folder that cannot be written to costs time, nothing else."""
        if self._kept_in is None or not self._dirty:
            return
        document = msgspec.json.encode(_Kept(self._version(), self._steps))
        try:
            self._kept_in.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._kept_in.with_name(f"{self._kept_in.name}.{id(self):x}")
            fresh.write_bytes(document)
            fresh.replace(self._kept_in)
        except OSError:
            return
        self._dirty = False

    def steps(self, provider: str, model: str, at: datetime, tier: Tier = Tier.STANDARD) -> RateSteps:
        """All that a token may cost on that day, by size of the prompt."""
        quick = provider, model, at.date(), tier
        steps = self._quick.get(quick)
        if steps is None:
            key = f"{provider}|{model}|{at:%Y-%m-%d}|{tier}"
            steps = self._steps.get(key)
            lasts_all_day = True
            if steps is None:
                steps, lasts_all_day = self._look_up(provider, model, at, tier)
                if lasts_all_day:
                    self._steps[key] = steps
                    self._dirty = True
            if lasts_all_day:
                self._quick[quick] = steps
        return steps

    def _look_up(self, provider: str, model: str, at: datetime, tier: Tier) -> tuple[RateSteps, bool]:
        if self._list is None:
            self._list = _ListPrices()
        listed, lasts_all_day = self._list.steps(provider, model, at, tier)
        if self.price_file is not None:
            own = self.price_file.steps(provider, model, at.date(), tier, listed)
            if own is not None:
                return own, lasts_all_day
        return listed, lasts_all_day

    def _version(self) -> str:
        """Which list and which own prices the kept rates rest on. The list is told by its file, which is quicker to ask
        than the version of its package.
        """
        if not self._book:
            found = find_spec("genai_prices")
            assert found is not None  # noqa: S101 - a dependency of ours
            assert found.origin is not None  # noqa: S101 - as above
            listed = Path(found.origin).with_name("data.py").stat()
            own = self.price_file.version if self.price_file else ""
            self._book = f"{KEPT_FORMAT} {listed.st_size} {listed.st_mtime_ns} {own}"
        return self._book

    def _load(self, kept_in: Path) -> None:
        try:
            kept = msgspec.json.decode(read_regular(kept_in), type=_Kept)
        except (OSError, msgspec.DecodeError, RecursionError):
            return
        if kept.version == self._version():
            self._steps = kept.steps


KEPT_FORMAT = 2
"""Raised when rates are worked out in another way, so that those kept by an older program are not used."""


class _Kept(msgspec.Struct):
    version: str
    steps: dict[str, RateSteps]


class _ListPrices:
    """genai-prices behind one method."""

    def __init__(self) -> None:
        from importlib.metadata import version

        from genai_prices.data_snapshot import get_snapshot

        self._version = version("genai-prices")
        self._snapshot = get_snapshot()
        self._by_price: dict[int, tuple[Any, RateSteps]] = {}

    def steps(self, provider: str, model: str, at: datetime, tier: Tier) -> tuple[RateSteps, bool]:
        """The steps at that moment, and whether they hold for the whole day."""
        for seller, name in candidates(provider, model):
            try:
                _, found = self._snapshot.find_provider_model(name, None, seller or None, None)
            except LookupError:
                continue
            price, certain = self._price(found, at, tier)
            if price is None or _is_only_for_others(price):
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
            RateStep(start, self._measured(price, max(start, 0) + 1, certain=certain))
            for start in (-1, *sorted(starts))
        )
        self._by_price[id(price)] = price, steps  # the price is held, so that its id stays its own
        return steps

    def _measured(self, price: Any, prompt: int, *, certain: bool) -> Rates:
        """Unit rates, got by pricing a prompt of that size bucket by bucket: genai-prices itself then decides what a
        bucket without a price of its own costs. It adds the fee per request to whatever is priced, so that is taken out
        first.
        """
        from genai_prices import Usage

        by_token = copy(price)
        vars(by_token).pop("requests_kcount", None)

        def cost(of: Any = by_token, **counts: int) -> Decimal:
            total = of.calc_price(Usage(**counts))["total_price"]
            assert isinstance(total, Decimal)  # noqa: S101 - genai-prices' promise
            return total

        size = Decimal(prompt)
        plain = cost(input_tokens=prompt)
        out = cost(input_tokens=prompt, output_tokens=prompt) - plain
        thought = cost(input_tokens=prompt, output_tokens=prompt, output_reasoning_tokens=prompt) - plain
        request = cost(price, input_tokens=prompt) - plain
        return Rates(
            input_uncached=plain / size,
            cache_read=cost(input_tokens=prompt, cache_read_tokens=prompt) / size,
            cache_write_5m=cost(input_tokens=prompt, cache_write_tokens=prompt) / size,
            cache_write_1h=cost(input_tokens=prompt, cache_write_tokens=prompt, cache_write_1h_tokens=prompt) / size,
            output_visible=out / size,
            output_reasoning=thought / size,
            web_search=cost(input_tokens=0, web_searches=1)
            if getattr(price, "web_searches_kcount", None)
            else Decimal(0),
            request=request,
            version=self._version,
            basis=_basis(price, certain=certain and not request),
        )


def _units(price: Any) -> list[str]:
    """What a model charges for, in the list's words: `input_mtok`, `requests_kcount`, `audio_hours`, ..."""
    return [name for name, rate in vars(price).items() if rate is not None]


def _basis(price: Any, *, certain: bool) -> Basis:
    """How a price is known. A fee per request is not certain: the list has one, and providers have several (Perplexity
    has three, by the size of the search context, of which the list has the largest).
    """
    known = Basis.EXACT if certain else Basis.ESTIMATED
    uncounted = any(name.endswith(UNCOUNTED_UNITS) for name in _units(price))
    return known | Basis.LOWER_BOUND if uncounted else known


def _is_only_for_others(price: Any) -> bool:
    """Whether it charges for hours, characters or pages, and nothing by the token: no price here, and not 0. A model
    without any unit is free.
    """
    units = _units(price)
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
