"""Amounts in another currency beside dollars: at rates that the user wrote down, each for its days, or not at all."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from modicum.calls import UserError
from modicum.ledger.asking.several_dimensions import BETWEEN

if TYPE_CHECKING:
    from modicum.insights.bill import BillLine

_RATE = re.compile(r"([A-Za-z]{3})=(\d{1,12}(?:\.\d{1,12})?)")


class Currency(NamedTuple):
    """A currency with its rates, oldest first; a rate is how much of it one dollar is."""

    name: str
    rates: tuple[tuple[date, Decimal], ...]

    def rate_on(self, day: date) -> Decimal | None:
        """None: no rate is known for that day, and none is invented."""
        held = [rate for since, rate in self.rates if since <= day]
        return held[-1] if held else None


def parse_currency(text: str) -> Currency:
    """One rate for all days, from `EUR=0.92`.

    Raises:
        UserError: it is none.
    """
    found = _RATE.fullmatch(text.strip())
    rate = Decimal(found[2]) if found else Decimal(0)
    if found is None or not rate:
        raise UserError(
            f"--currency {text}: write EUR=0.92 (what one dollar is), or give dated rates in [currency] of modicum.toml"
        )
    return Currency(found[1].upper(), ((date.min, rate),))


def convert_cells(cells: Iterable[Mapping[str, Any]], currency: Currency) -> list[dict[str, Any]]:
    """The cells of a bill in another currency. A day with cost and without a rate is unpriced: no amount is invented.

    Args:
        cells: of a bill by some dimensions and, last, by `day`.
        currency: with its rates.
    """
    converted = []
    for cell in cells:
        name, _, day = str(cell["name"]).rpartition(BETWEEN)
        usd = cell["cost_usd"]
        rate = currency.rate_on(date.fromisoformat(day))
        amount = usd * rate if usd is not None and rate is not None else usd if not usd else None
        unpriced = cell["calls"] if amount is None else cell["calls_unpriced"]
        converted.append({**cell, "name": name, "cost_usd": amount, "calls_unpriced": unpriced})
    return converted


def amount_of(line: "BillLine", converted: "BillLine") -> Decimal | None:
    """What a row of a bill is in the currency; None: for a part of it no rate is known, or no price."""
    return converted.cost_usd if converted.calls_unpriced == line.calls_unpriced else None
