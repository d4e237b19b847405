"""An amount divided by weights so that the parts sum to it to the last digit."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext

PLACES = 10
"""Of the parts, unless the amount has more: those of the ledger's money."""


def split_exactly(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The parts of an amount, in the order of their weights, by largest remainder; of equal remainders the first.

    Args:
        amount: what is divided.
        weights: none is negative. Where all are 0 the parts are equal, as far as digits allow.

    Raises:
        ValueError: there is nobody to divide among.
    """
    if not weights:
        raise ValueError("nobody to divide among")
    exponent = amount.as_tuple().exponent
    unit = Decimal(1).scaleb(min(-PLACES, exponent if isinstance(exponent, int) else 0))
    with localcontext(prec=60):
        whole = sum(weights, Decimal(0))
        shares = [weight / whole for weight in weights] if whole else [1 / Decimal(len(weights))] * len(weights)
        exact = [amount * share for share in shares]
        parts = [part.quantize(unit, rounding=ROUND_FLOOR) for part in exact]
        left = int((amount - sum(parts, Decimal(0))) / unit)
        order = sorted(range(len(parts)), key=lambda place: parts[place] - exact[place])
        for place in order[:left]:
            parts[place] += unit
    return parts
