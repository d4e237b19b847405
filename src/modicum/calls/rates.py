"""What a token costs."""

from decimal import Decimal

import msgspec

from modicum.calls.basis import Basis

LIST = "genai-prices"
"""The source of list prices."""


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
    """ESTIMATED where a lane's price is known only for a later day than that of the call, and where a fee per request
    depends on what no log holds; LOWER_BOUND where the model also charges for what we do not count (hours of audio).
    """
