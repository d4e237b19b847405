"""What a call may cost at most, before it is sent: every token in the dearest bucket, at the dearest lane."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

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


def worst_amounts(bound: CallBound, lanes: Iterable[RateSteps]) -> Amounts:
    """What a call may cost at most.

    Args:
        bound: of its tokens.
        lanes: the rates of every lane in which it may be served; lanes without a price are passed over.
    """
    usd: Decimal | None = None
    effective: Decimal | None = None
    for steps in lanes:
        for step in steps:
            if step.above_tokens >= bound.input_tokens and step.above_tokens >= 0:
                continue
            worst = _usd(bound, step.rates)
            usd = worst if usd is None else max(usd, worst)
            if step.rates.input_uncached:
                weighs = worst / step.rates.input_uncached
                effective = weighs if effective is None else max(effective, weighs)
    return Amounts(None if usd is None else nano_usd(usd), None if effective is None else ceiling(effective))


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


def _usd(bound: CallBound, rates: Rates) -> Decimal:
    inward = TEXT_IN + (WRITTEN_TO_CACHE if bound.may_cache else ()) + (MEDIA_IN if bound.has_media else ())
    outward = TEXT_OUT + (MEDIA_OUT if bound.makes_media else ())
    rounds = 1 + bound.tool_uses
    usd: Decimal = rounds * bound.input_tokens * max(getattr(rates, bucket) for bucket in inward)
    usd += bound.output_tokens * max(getattr(rates, bucket) for bucket in outward)
    return usd + bound.tool_uses * max(rates.fees.values(), default=Decimal(0)) + rounds * rates.request
