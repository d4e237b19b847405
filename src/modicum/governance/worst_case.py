"""What a call may cost at most, before it is sent: every token in the dearest bucket, at the dearest lane."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from math import lcm

import msgspec

from modicum.calls.rates import Rates, RateSteps
from modicum.governance.budgets import NANO, Amounts

TEXT_IN = ("input_uncached",)
WRITTEN_TO_CACHE = ("cache_write_5m", "cache_write_30m", "cache_write_1h", "cache_write_12h")
MEDIA_IN = ("input_audio", "input_image", "input_video")
TEXT_OUT = ("output_visible", "output_reasoning")
MEDIA_OUT = ("output_audio", "output_image", "output_video")


class CallBound(msgspec.Struct, frozen=True):
    """What bounds a call's tokens."""

    input_tokens: int
    output_tokens: int
    """Of all choices together."""
    tool_uses: int = 0
    """How often the provider may run tools of its own. Each is charged, and the model reads its prompt again."""
    may_cache: bool = True
    """Whether the provider may write the prompt to its cache."""
    has_media: bool = False
    makes_media: bool = False


class WorstRates:
    """The dearest rates of the lanes in which calls of one kind may be served, as whole numbers of one small part of a
    dollar: made once, asked for each call. Their sums are exact.

    Args:
        lanes: the rates of every lane; lanes without a price are passed over.
        kind: whether its prompt may be cached, and whether media go in or out.
    """

    __slots__ = ("_parts", "_steps")

    def __init__(self, lanes: Iterable[RateSteps], kind: CallBound) -> None:
        dearest = [(step.above_tokens, _dearest(kind, step.rates)) for steps in lanes for step in steps]
        self._parts = lcm(*(rate.as_integer_ratio()[1] for _, rates in dearest for rate in rates))
        """How many of what is counted make a dollar."""
        self._steps = [
            (above, *(numerator * (self._parts // denominator) for numerator, denominator in ratios))
            for above, ratios in ((above, [rate.as_integer_ratio() for rate in rates]) for above, rates in dearest)
        ]

    def amounts(self, bound: CallBound) -> Amounts:
        """What a call of that kind may cost at most."""
        usd = effective = -1
        inward, outward, uses = bound.input_tokens, bound.output_tokens, bound.tool_uses
        for above, token_in, token_out, fee, request, plain in self._steps:
            if 0 <= above >= inward:
                continue
            worst = (1 + uses) * (inward * token_in + request) + outward * token_out + uses * fee
            usd = max(usd, worst)
            if plain:
                effective = max(effective, -(-worst // plain))
        return Amounts(None if usd < 0 else -(-usd * NANO // self._parts), None if effective < 0 else effective)


def worst_amounts(bound: CallBound, lanes: Iterable[RateSteps]) -> Amounts:
    """What a call may cost at most.

    Args:
        bound: of its tokens.
        lanes: the rates of every lane in which it may be served; lanes without a price are passed over.
    """
    return WorstRates(lanes, bound).amounts(bound)


def sum_amounts(parts: Iterable[Amounts]) -> Amounts:
    """What one call may cost at several models together; unknown where one of them is."""
    total = Amounts(0, 0, millijoules=0)
    for part in parts:
        usd = None if total.nano_usd is None or part.nano_usd is None else total.nano_usd + part.nano_usd
        known = total.effective_tokens is not None and part.effective_tokens is not None
        tokens = (total.effective_tokens or 0) + (part.effective_tokens or 0) if known else None
        energy = None
        if total.millijoules is not None and part.millijoules is not None:
            energy = total.millijoules + part.millijoules
        total = Amounts(usd, tokens, millijoules=energy)
    return total


def nano_usd(usd: Decimal) -> int:
    """Billionths of a dollar, rounded up."""
    return ceiling(usd * NANO)


def ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))


def _dearest(kind: CallBound, rates: Rates) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    """Of a token that goes in, and of one that comes out; of a tool's use; of a request; and of a plain token."""
    inward = TEXT_IN + (WRITTEN_TO_CACHE if kind.may_cache else ()) + (MEDIA_IN if kind.has_media else ())
    outward = TEXT_OUT + (MEDIA_OUT if kind.makes_media else ())
    return (
        max(getattr(rates, bucket) for bucket in inward),
        max(getattr(rates, bucket) for bucket in outward),
        max(rates.fees.values(), default=Decimal(0)),
        rates.request,
        rates.input_uncached,
    )
