"""Flat fees beside the list price of the calls that they cover. The two are never added up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import Entry
from modicum.metering.price_file import Subscription


class SubscriptionUse(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    source: str
    months: int
    """Calendar months with at least one covered call."""
    paid_usd: Decimal
    calls: int
    list_cost_usd: Decimal
    """What these calls would have cost by the list, as far as it is known."""


def compare_with_fees(
    subscriptions: Sequence[Subscription], months: Iterable[Mapping[str, Any]]
) -> list[SubscriptionUse]:
    """What each subscription paid and covered.

    Args:
        subscriptions: as the price file has them.
        months: rows of the question `months`: source, month (its first day), calls, cost_usd.
    """
    rows = list(months)
    found = []
    for fee in subscriptions:
        mine = [row for row in rows if row["source"] == fee.source and fee.is_paid_in(date.fromisoformat(row["month"]))]
        found.append(
            SubscriptionUse(
                name=fee.name,
                source=fee.source,
                months=len(mine),
                paid_usd=fee.usd_per_month * len(mine),
                calls=sum(int(row["calls"]) for row in mine),
                list_cost_usd=sum((row["cost_usd"] or Decimal(0) for row in mine), Decimal(0)),
            )
        )
    return found


def sum_by_month(entries: Iterable[Entry], zone: ZoneInfo) -> list[dict[str, Any]]:
    """The rows of the question `months`, from entries."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        month = entry.call.started.astimezone(zone).date().replace(day=1).isoformat()
        empty = {"source": entry.call.source, "month": month, "calls": 0, "cost_usd": None}
        row = rows.setdefault((entry.call.source, month), empty)
        row["calls"] += entry.call.calls_count
        if entry.cost.usd is not None:
            row["cost_usd"] = (row["cost_usd"] or Decimal(0)) + entry.cost.usd
    return list(rows.values())
