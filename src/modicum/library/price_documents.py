"""`modicum.price`: all that is known of a model's price, as `modicum prices` shows it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from modicum.calls import BUCKETS, Tier
from modicum.calls.outside.tabular import Tabular
from modicum.calls.rates import MILLION, Rates
from modicum.library.sources import Moment, load_prices, read_scope
from modicum.metering.price_history import find_periods

if TYPE_CHECKING:
    from modicum.metering.price_corrections import PriceNote
    from modicum.metering.price_history import PricePeriod
    from modicum.metering.prices import PriceBook

FEES = tuple(
    field.name for field in msgspec.structs.fields(Rates) if field.type is Decimal and field.name not in BUCKETS
)
"""What is charged beside tokens, in dollars each."""


@dataclass(frozen=True)
class ModelPrice(Tabular):
    """What a model costs at a time: one row for each lane, and for each size of context from which it costs more."""

    document: dict[str, Any]
    """As `modicum prices --json` has it: seller, lanes, corrections, history."""

    @property
    def is_known(self) -> bool:
        return bool(self.document["lanes"])

    def to_dicts(self) -> list[dict[str, Any]]:
        names = ("model", "provider", "at", "listed_as")
        return [
            {name: self.document[name] for name in names} | {"lane": lane["lane"]} | step
            for lane in self.document["lanes"]
            for step in lane["steps"]
        ]


def price(
    model: str, *, provider: str = "", at: Moment = None, prices: "str | Path | PriceBook | None" = None
) -> ModelPrice:
    """What a model costs, by bucket and lane, in dollars per million tokens.

    Args:
        model: as its provider names it.
        provider: who sells it (`anthropic`, `aws`, `openrouter`, ...); empty: by the name of the model.
        at: the day or time of the price; None: now.
        prices: a `prices.toml`, above the list prices.

    Raises:
        UserError: the time or the file cannot be read.
    """
    scope = read_scope(since=at)
    book = load_prices(prices, scope.settings)
    document = find_price(book, provider, model, datetime.now(UTC) if at is None else scope.span[0])
    book.save()
    return ModelPrice(document)


def find_price(prices: "PriceBook", provider: str, model: str, at: datetime) -> dict[str, Any]:
    """All that is known of a price, as the JSON document shows it."""
    listed = prices.find_listed(provider, model, at, Tier.STANDARD)
    lanes = {lane: prices.steps(provider, model, at, lane) for lane in Tier}
    notes = {id(note): note for lane in Tier if (query := _list_entry(prices, provider, model, at, lane)) is not None
             for note in prices.price_notes(query)}  # fmt: skip
    return {
        "model": model,
        "provider": provider or None,
        "at": at,
        "seller": listed.query.seller if listed else None,
        "listed_as": listed.query.model if listed else None,
        "name_is_listed": listed.is_named if listed else None,
        "lanes": [
            {"lane": lane, "steps": [rates_document(step.above_tokens, step.rates) for step in steps]}
            for lane, steps in lanes.items()
            if steps
        ],
        "notes": [_note_document(note, at) for note in notes.values()],
        "history": [
            _period_document(lane, period)
            for lane, steps in lanes.items()
            if steps
            for period in find_periods(prices, provider, model, lane, max(at, datetime.now(UTC)))
        ],
    }


def _list_entry(prices: "PriceBook", provider: str, model: str, at: datetime, lane: Tier) -> Any:
    listed = prices.find_listed(provider, model, at, lane)
    return listed.query if listed else None


def rates_document(above_tokens: int, rates: Rates) -> dict[str, Any]:
    """Rates as people compare them, whatever buckets there are."""
    return {
        "above_tokens": max(above_tokens, 0),
        "usd_per_million": {bucket: _plain(getattr(rates, bucket) * MILLION) for bucket in BUCKETS},
        "usd_each": {fee: _plain(getattr(rates, fee)) for fee in FEES if getattr(rates, fee)}
        | {unit: _plain(fee) for unit, fee in rates.fees.items()},
        "at_the_price_of_another": rates.fallbacks,
        "basis": rates.basis,
        "source": rates.source,
        "version": rates.version,
    }


def _plain(usd: Decimal) -> Decimal:
    return usd.normalize() + 0


def _note_document(note: "PriceNote", at: datetime) -> dict[str, Any]:
    rates = getattr(note, "rates", None)
    return {
        "kind": "correction" if rates is not None else "unsettled",
        "holds": note.holds_at(at),
        "lane": note.lane,
        "from": note.since,
        "until": note.until,
        "weekdays": note.weekdays,
        "hours": note.hours,
        "rates": rates,
        "why": note.why,
        "source": note.source,
        "noted": note.noted,
    }


def _period_document(lane: Tier, period: "PricePeriod") -> dict[str, Any]:
    return {
        "lane": lane,
        "from": period.since,
        "until": period.until,
        "hours": period.hours,
        "steps": [rates_document(step.above_tokens, step.rates) for step in period.steps],
    }
