"""Figures as people read them, the same in a terminal and on a page."""

from decimal import Decimal

from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.calls.words.percentages import percent

__all__ = [
    "count",
    "dollars",
    "dollars_of",
    "dollars_of_axis",
    "format_tokens",
    "number_of",
    "share",
    "uncosted_note",
    "unpriced_note",
]

MOST_PLACES = 8


def dollars(usd: Decimal | None, *, most_places: int = 2) -> str:
    """`$1,234.56`; small amounts keep two significant digits (`$0.0042`), to 8 places; None is `unknown`."""
    if usd is None:
        return "unknown"
    places = most_places
    if usd and abs(usd) < Decimal("0.1"):
        places = min(MOST_PLACES, max(most_places, 1 - usd.adjusted()))
    return f"{'-' if usd < 0 else ''}${abs(usd):,.{places}f}"


def count(number: int | None) -> str:
    """`1,234`; None is empty."""
    return "" if number is None else f"{number:,}"


def share(part: Decimal | float | None, whole: Decimal | float) -> str:
    """`12.3 %`, or nothing where there is no part or no whole."""
    return percent(float(part) / float(whole)) if whole and part is not None else ""


def dollars_of(usd: float | None) -> str:
    """Writes dollars as `dollars` does, for an estimate that is not a decimal; the last bits of a sum are no amount."""
    return dollars(None if usd is None else Decimal(repr(round(float(usd), MOST_PLACES))))


def dollars_of_axis(usd: float) -> str:
    """Dollars as an axis has them: no cents where they would all be zero."""
    return f"${usd:,.0f}" if usd >= 10 else dollars_of(usd)


def unpriced_note(calls: int) -> str:
    """What stands beside a sum that calls without a price are not in."""
    return f"{number_of(calls, 'call has', 'calls have')} no known price and {noun_for(calls, 'is', 'are')} in no sum"


def uncosted_note(calls: int, of_calls: int) -> str:
    """The same for calls whose cost is not known, of so many."""
    which = f"{calls:,} of {number_of(of_calls, 'call')} {noun_for(calls, 'has', 'have')}"
    return f"{which} no known cost and {noun_for(calls, 'is', 'are')} in no sum"


def format_tokens(count: float) -> str:
    """A number of tokens in a few characters, as `1.2 M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= 0.9995 * size:  # what three figures would round up to the next unit
            return f"{count / size:.3g} {unit}"
    return f"{count:.3g}"
