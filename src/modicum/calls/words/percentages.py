"""A share as people read it, the same in tables, sentences, pages and alerts: `12.3 %`."""

from typing import Literal


def percent(share: float, places: int | None = 1, *, sign: Literal["", "+"] = "") -> str:
    """`12.3 %` of 0.123; `places=None` writes what is there and no zeros behind it; `sign="+"` says `+` of a rise."""
    return f"{share * 100:{sign}{'g' if places is None else f'.{places}f'}} %"
