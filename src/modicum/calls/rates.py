"""What a token of each bucket costs, by the size of the prompt: the price list and a price file both give this."""

from decimal import Decimal
from typing import Any, Self

import msgspec

from modicum.calls.basis import Basis
from modicum.calls.usage import BUCKETS

MILLION = Decimal(1_000_000)
LIST = "genai-prices"
"""The source of list prices."""
CORRECTED = "corrections"
"""The source of list prices in which a dated correction of ours stands."""


class Rates(msgspec.Struct, frozen=True, gc=False):
    """Dollars per token, named as the buckets of `Usage`; `request` is dollars per call, whatever its size."""

    input_uncached: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    output_visible: Decimal
    output_reasoning: Decimal
    input_audio: Decimal
    input_image: Decimal
    input_video: Decimal
    cache_read_audio: Decimal
    cache_read_image: Decimal
    cache_write_30m: Decimal
    cache_write_12h: Decimal
    output_audio: Decimal
    output_image: Decimal
    output_video: Decimal
    fees: dict[str, Decimal] = {}
    """Dollars per unit that is charged beside tokens, by the units of `Charges.requests`."""
    request: Decimal = Decimal(0)
    fallbacks: tuple[str, ...] = ()
    """Buckets that have no price of their own and are charged at that of another: right only if the provider does the
    same."""
    source: str = LIST
    version: str = ""
    basis: Basis = Basis.EXACT
    """ESTIMATED where a lane's price is known only for a later day than that of the call, where the list has a model
    whose name only begins alike, where two sources differ, and where a fee per request depends on what no log holds;
    LOWER_BOUND where the model also charges for what we do not count (hours of audio), and where a name does not say
    whether a region's surcharge was due.
    """

    @classmethod
    def of_text(
        cls,
        *,
        fees: dict[str, Decimal] | None = None,
        request: Decimal = Decimal(0),
        source: str = LIST,
        version: str = "",
        **rates: Decimal,
    ) -> Self:
        """Rates of the text buckets, and of others if they are given; every other bucket costs what it is a kind of."""
        others: dict[str, Any] = {name: rates[kin] for name, kin in KIN.items()}
        return cls(**(others | rates), fees=fees or {}, request=request, source=source, version=version)

    def basis_of(self, bucket: str) -> Basis:
        """How the rate of a bucket is known: one that another bucket lends it is an estimate."""
        return self.basis | Basis.ESTIMATED if bucket in self.fallbacks else self.basis

    def times(self, factor: Decimal) -> Self:
        """All tokens at this multiple; what is charged beside tokens stays."""
        return msgspec.structs.replace(self, **{name: getattr(self, name) * factor for name in BUCKETS})


KIN = {
    "input_audio": "input_uncached",
    "input_image": "input_uncached",
    "input_video": "input_uncached",
    "cache_read_audio": "cache_read",
    "cache_read_image": "cache_read",
    "cache_write_30m": "cache_write_5m",
    "cache_write_12h": "cache_write_1h",
    "output_audio": "output_visible",
    "output_image": "output_visible",
    "output_video": "output_visible",
}
"""Whose price a bucket has where it has none of its own."""


class RateStep(msgspec.Struct, frozen=True, gc=False):
    """Rates that apply to a whole request whose prompt is larger than `above_tokens`."""

    above_tokens: int
    rates: Rates


RateSteps = tuple[RateStep, ...]
"""In ascending order; empty where no price is known. The first has `above_tokens` -1."""
