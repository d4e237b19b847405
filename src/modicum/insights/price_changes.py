"""What past calls would cost at other prices, beside what they cost at one's own. Nothing that is booked changes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from modicum.calls import Basis, Call, Cost, Entry
from modicum.ledger.booking import book
from modicum.metering.prices import PriceBook

Pricing = Callable[[Entry], Cost]
"""What an entry costs, by some source of prices."""


class PriceChange(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of a model at two prices. Costs are sums of the calls that have one in both."""

    provider: str
    model: str
    calls: int
    """All of the model."""
    compared: int
    """Those that both sources have a price for."""
    changed: int
    """Those of them whose cost differs."""
    only_old: int
    only_new: int
    old_usd: Decimal
    new_usd: Decimal
    old_basis: Basis
    new_basis: Basis

    @property
    def change_usd(self) -> Decimal:
        return self.new_usd - self.old_usd


def price_as_booked(entry: Entry) -> Cost:
    return entry.cost


def price_with(prices: PriceBook, at: datetime | None = None) -> Pricing:
    """Prices of the day of each call, or of one moment for all."""

    def cost(entry: Entry) -> Cost:
        call: Call = entry.call
        if at is not None:
            call = msgspec.structs.replace(call, started=at)
        return book(call, prices).cost

    return cost


def compare_prices(entries: Iterable[Entry], old: Pricing, new: Pricing) -> list[PriceChange]:
    """A row for every provider and model, the greatest change first."""
    found: dict[tuple[str, str], PriceChange] = {}
    for entry in entries:
        key = entry.call.provider, entry.call.model
        row = _compare(entry, old(entry), new(entry))
        found[key] = row if key not in found else _add(found[key], row)
    return sorted(found.values(), key=lambda row: (-abs(row.change_usd), row.model, row.provider))


def _compare(entry: Entry, old: Cost, new: Cost) -> PriceChange:
    calls = max(entry.call.calls_count, 1)
    is_in_both = old.usd is not None and new.usd is not None
    return PriceChange(
        provider=entry.call.provider,
        model=entry.call.model,
        calls=calls,
        compared=calls if is_in_both else 0,
        changed=calls if is_in_both and old.usd != new.usd else 0,
        only_old=calls if old.usd is not None and new.usd is None else 0,
        only_new=calls if new.usd is not None and old.usd is None else 0,
        old_usd=(old.usd or Decimal(0)) if is_in_both else Decimal(0),
        new_usd=(new.usd or Decimal(0)) if is_in_both else Decimal(0),
        old_basis=old.basis if is_in_both else Basis.EXACT,
        new_basis=new.basis if is_in_both else Basis.EXACT,
    )


def _add(one: PriceChange, other: PriceChange) -> PriceChange:
    return msgspec.structs.replace(
        one,
        calls=one.calls + other.calls,
        compared=one.compared + other.compared,
        changed=one.changed + other.changed,
        only_old=one.only_old + other.only_old,
        only_new=one.only_new + other.only_new,
        old_usd=one.old_usd + other.old_usd,
        new_usd=one.new_usd + other.new_usd,
        old_basis=one.old_basis | other.old_basis,
        new_basis=one.new_basis | other.new_basis,
    )
