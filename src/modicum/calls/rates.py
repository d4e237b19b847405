"""What a token of each bucket costs, by the size of the prompt: the price list and a price file both give this."""

from decimal import Decimal

import msgspec

from modicum.calls.basis import Basis

MILLION = Decimal(1_000_000)
LIST = "genai-prices"
"""The source of list prices."""
CORRECTED = "corrections"
"""The source of list prices in which a dated correction of ours stands."""


class Rates(msgspec.Struct, frozen=True, gc=False):
    """Dollars per token, named as the buckets of `Usage`; `web_search` is dollars per search, `request` dollars per
    call, whatever its size.
    """

    input_uncached: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    output_visible: Decimal
    output_reasoning: Decimal
    web_search: Decimal = Decimal(0)
    request: Decimal = Decimal(0)
    source: str = LIST
    version: str = ""
    basis: Basis = Basis.EXACT
    """ESTIMATED where a lane's price is known only for a later day than that of the call, where the list has a model
    whose name only begins alike, where two sources differ, and where a fee per request depends on what no log holds;
    LOWER_BOUND where the model also charges for what we do not count (hours of audio), and where a name does not say
    whether a region's surcharge was due.
    """


class RateStep(msgspec.Struct, frozen=True, gc=False):
    """Rates that apply to a whole request whose prompt is larger than `above_tokens`."""

    above_tokens: int
    rates: Rates


RateSteps = tuple[RateStep, ...]
"""In ascending order; empty where no price is known. The first has `above_tokens` -1."""
