"""Money: decimal dollars, with what they rest on."""

from collections.abc import Iterable
from decimal import Decimal
from operator import add, attrgetter
from typing import Self

import msgspec

from modicum.calls.basis import Basis

ZERO = Decimal(0)


class BucketCosts(msgspec.Struct, frozen=True, gc=False):
    """Dollars per bucket of `Usage`, same names; `requests` is what is charged beside tokens (searches, pages)."""

    input_uncached: Decimal = ZERO
    cache_read: Decimal = ZERO
    cache_write_5m: Decimal = ZERO
    cache_write_1h: Decimal = ZERO
    output_visible: Decimal = ZERO
    output_reasoning: Decimal = ZERO
    input_audio: Decimal = ZERO
    input_image: Decimal = ZERO
    input_video: Decimal = ZERO
    cache_read_audio: Decimal = ZERO
    cache_read_image: Decimal = ZERO
    cache_write_30m: Decimal = ZERO
    cache_write_12h: Decimal = ZERO
    output_audio: Decimal = ZERO
    output_image: Decimal = ZERO
    output_video: Decimal = ZERO
    requests: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return sum(filter(None, _costs(self)), ZERO)

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, _costs(self), _costs(other)))


_costs = attrgetter(*BucketCosts.__struct_fields__)


def sum_costs(costs: Iterable[BucketCosts]) -> BucketCosts:
    """All of them together, bucket by bucket."""
    return BucketCosts(*(sum(filter(None, column), ZERO) for column in zip(*map(_costs, costs), strict=True)))


class Cost(msgspec.Struct, frozen=True, gc=False):
    """What a call cost. `usd` is None where the basis is unknown: an unknown cost is never 0."""

    usd: Decimal | None
    basis: Basis
    by_bucket: BucketCosts | None = None
    """Sums to `usd`. None where only a total is known (a provider's own figure)."""
    price_source: str | None = None
    """Who says so: `genai-prices`, `corrections` (the list with a dated correction of ours), `prices.toml`,
    `reported` (the log held a figure), or None."""
    price_version: str | None = None
    """Version of the price list, or the digest of the user's price file."""
    effective_tokens: float | None = None
    """The cost in uncached input tokens of the same model at the same rates: what the call weighs, whatever its
    buckets. None where the rate is unknown or 0."""

    @classmethod
    def unknown(cls) -> Self:
        return cls(usd=None, basis=Basis.UNKNOWN)
