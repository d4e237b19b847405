"""What was charged in an hour at one meter and price: the rows of the question `charges_by_hour`, typed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from modicum.calls import Basis
from modicum.ledger.asking.several_dimensions import BETWEEN


class HourlyCharge(msgspec.Struct, frozen=True, kw_only=True):
    hour: datetime
    """When it began, in UTC."""
    source: str
    provider: str
    model: str
    tier: str
    region: str
    team: str
    tags: dict[str, str]
    """Names in the dimensions that were asked for, without the empty ones."""
    price_source: str
    basis: Basis
    meter: str
    quantity: int
    """In the unit of the meter."""
    calls: int
    usd: Decimal | None
    """None: what it cost is unknown."""


def parse_hours(rows: Iterable[Mapping[str, Any]], dimensions: Sequence[str]) -> list[HourlyCharge]:
    """The charges of the rows. Usage reports of providers, which count the same calls again, are left out where there
    is anything else, as a bill leaves them out.

    Args:
        rows: of the question `charges_by_hour`.
        dimensions: what its `by` and `tag` asked for, by the names that tags get.
    """
    found = list(rows)
    logged = [row for row in found if not row["is_report"]] or found
    return [
        HourlyCharge(
            hour=row["hour"],
            source=row["source"],
            provider=row["provider"],
            model=row["model"],
            tier=row["tier"],
            region=row["region"],
            team=row["team"],
            tags=_tags(row["name"], dimensions),
            price_source=row["price_source"],
            basis=Basis(row["cost_basis"]),
            meter=row["meter"],
            quantity=int(row["quantity"]),
            calls=int(row["calls"]),
            usd=row["usd"],
        )
        for row in logged
    ]


def _tags(joined: str, dimensions: Sequence[str]) -> dict[str, str]:
    names = joined.split(BETWEEN) if len(dimensions) > 1 else [joined]
    return {key: name for key, name in zip(dimensions, names, strict=True) if name}
