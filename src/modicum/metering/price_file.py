"""A user's own prices above the list: negotiated rates, self-hosted models, subscriptions.

# prices.toml: dollars per million tokens; the first entry that fits a call stands
[[price]]
model = "claude-*"            # a pattern over model names; * stands for anything
provider = "anthropic"        # optional
from = 2026-01-01             # optional, first day; `until` is the first day that it no longer holds
discount = 0.12               # off the list price of every bucket, or:

[[price]]
model = "my-llama"
input = 0.20
output = 0.60
cache_read = 0.02             # optional, as every bucket (cache_write_1h, input_audio, output_image, ...): what lacks
                              # costs what it is a kind of
request = 0.006               # optional: dollars per request, beside its tokens
web_search = 0.01             # optional: dollars per search

[[subscription]]
name = "Claude Max"
source = "claude-code"        # calls of that source are covered
usd_per_month = 200
from = 2026-01-01
"""

import hashlib
import tomllib
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

import msgspec

from modicum.calls import Tier, UserError
from modicum.calls.charges import WEB_SEARCHES
from modicum.calls.outside.regular_file import read_regular
from modicum.calls.rates import KIN, MILLION, Rates, RateStep, RateSteps

OWN = "prices.toml"


class OwnPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    model: str
    provider: str = ""
    tier: Tier | None = None
    since: date | None = None
    until: date | None = None
    discount: Decimal | None = None
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    cache_write_30m: Decimal | None = None
    cache_write_12h: Decimal | None = None
    input_audio: Decimal | None = None
    input_image: Decimal | None = None
    input_video: Decimal | None = None
    cache_read_audio: Decimal | None = None
    cache_read_image: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    output_video: Decimal | None = None
    request: Decimal | None = None
    """Dollars per request, whatever its size."""
    web_search: Decimal | None = None
    """Dollars per search that the provider ran."""

    def rates(self, version: str) -> Rates:
        """The rates of an entry that gives `input` and `output`. What it leaves out costs what it is a kind of."""
        assert self.input is not None  # noqa: S101 - checked when the file was read
        assert self.output is not None  # noqa: S101 - as above
        own = {bucket: price for bucket in KIN if (price := getattr(self, bucket)) is not None}
        short = _or(self.cache_write_5m, self.input)
        text = {
            "input_uncached": self.input,
            "cache_read": _or(self.cache_read, self.input),
            "cache_write_5m": short,
            "cache_write_1h": _or(self.cache_write_1h, short),
            "output_visible": self.output,
            "output_reasoning": self.output,
        }
        per_token = {bucket: price / MILLION for bucket, price in (text | own).items()}
        searches = _or(self.web_search, Decimal(0))
        return Rates.of_text(
            **per_token,
            fees={unit.value: searches for unit in WEB_SEARCHES},
            request=_or(self.request, Decimal(0)),
            source=OWN,
            version=version,
        )

    def fits(self, provider: str, model: str, day: date, tier: Tier) -> bool:
        return (
            fnmatchcase(model.lower(), self.model.lower())
            and self.provider in {"", provider}
            and self.tier in {None, tier}
            and (self.since is None or self.since <= day)
            and (self.until is None or day < self.until)
        )


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """A flat fee that covers all calls of a source. The bill shows it beside their list price, never inside."""

    name: str
    source: str
    usd_per_month: Decimal
    since: date | None = None
    until: date | None = None

    def is_paid_in(self, month: date) -> bool:
        """Whether the fee is paid in that month (its first day): from the month in which it begins until the one in
        which it ended.
        """
        return (self.since is None or self.since.replace(day=1) <= month) and (self.until is None or month < self.until)


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    price: list[OwnPrice] = []
    subscription: list[Subscription] = []


class PriceFile:
    """The parsed file. `version` is a digest of its content, so that a booked cost says which one it rests on."""

    def __init__(self, prices: list[OwnPrice], subscriptions: list[Subscription], version: str) -> None:
        self.prices = prices
        self.subscriptions = subscriptions
        self.version = version

    @classmethod
    def read(cls, path: Path) -> Self:
        """The price file.

        Raises:
            UserError: it cannot be read, is no TOML, or has a wrong field; the message names it.
        """
        try:
            text = read_regular(path).decode("utf-8")
            document = msgspec.convert(decimals(tomllib.loads(text, parse_float=Decimal)), _Document)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: cannot be read: {error}") from None
        except tomllib.TOMLDecodeError as error:
            raise UserError(f"{path}: no valid TOML: {error}") from None
        except msgspec.ValidationError as error:
            raise UserError(f"{path}: {error}; the fields are explained in docs/prices.md") from None
        for number, price in enumerate(document.price, 1):
            _check(price, f"{path}: price {number} ({price.model})")
        return cls(document.price, document.subscription, hashlib.sha256(text.encode()).hexdigest()[:12])

    def steps(self, provider: str, model: str, day: date, tier: Tier, listed: RateSteps) -> RateSteps | None:
        """The user's rates for a call, or None where no entry fits. `listed` is what a discount is taken from."""
        for price in self.prices:
            if not price.fits(provider, model, day, tier):
                continue
            if price.discount is not None:
                left = 1 - price.discount
                return tuple(RateStep(step.above_tokens, self._with_discount(step.rates, left)) for step in listed)
            return (RateStep(-1, price.rates(self.version)),)
        return None

    def _with_discount(self, rates: Rates, left: Decimal) -> Rates:
        return msgspec.structs.replace(rates.times(left), source=OWN, version=f"{self.version}/{rates.version}")


def _or(price: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if price is None else price


def _check(price: OwnPrice, place: str) -> None:
    has_rates = price.input is not None and price.output is not None
    if (price.discount is None) == (not has_rates):
        raise UserError(f"{place}: give either 'discount' or both 'input' and 'output' (dollars per million tokens)")
    if price.discount is not None and not 0 <= price.discount < 1:
        raise UserError(f"{place}: 'discount' is a share between 0 and 1, as 0.12 for 12 %")
    if price.discount is not None and price.request is not None:
        raise UserError(f"{place}: 'request' goes with 'input' and 'output'; a discount leaves the list's fee as it is")
    rates = (getattr(price, name) for name in OwnPrice.__struct_fields__)
    if any(isinstance(rate, Decimal) and rate < 0 for rate in rates):
        raise UserError(f"{place}: a price is negative")


def decimals(value: Any) -> Any:
    """Whole numbers as decimals, so that `input = 3` and `input = 3.0` are one."""
    if isinstance(value, dict):
        return {key: decimals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decimals(item) for item in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
