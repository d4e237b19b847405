"""`[currency]`: another currency beside dollars, at rates that the user writes down."""

from datetime import date
from decimal import Decimal

import msgspec


class CurrencyRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    since: date
    """The first day on which it holds; until the next one."""
    per_usd: Decimal
    """How much of the currency one dollar is."""

    def __post_init__(self) -> None:
        if not self.per_usd.is_finite() or self.per_usd <= 0:
            raise ValueError(f"'per_usd' is {self.per_usd}; it is how much of the currency one dollar is")


class CurrencySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str = ""
    """As `EUR`. Empty: dollars alone are shown."""
    rate: tuple[CurrencyRate, ...] = ()
    """Rates with the day from which each holds. Before the first one no amount is shown."""

    def __post_init__(self) -> None:
        if bool(self.name) != bool(self.rate):
            raise ValueError("'name' and at least one 'rate' go together")
        if len({one.since for one in self.rate}) < len(self.rate):
            raise ValueError("two rates hold from the same day")
