"""Hourly charges as the question gives them."""

from datetime import UTC, datetime
from decimal import Decimal

from modicum.calls import Basis
from modicum.reports.focus.hours import HourlyCharge

HOUR = datetime(2026, 10, 31, 23, tzinfo=UTC)


def charge(usd="0.5", **fields):
    told = {
        "hour": HOUR,
        "source": "gateway",
        "provider": "anthropic",
        "model": "opus",
        "tier": "standard",
        "region": "",
        "team": "search",
        "tags": {"app": "shop"},
        "price_source": "genai-prices",
        "basis": Basis.EXACT,
        "meter": "cache_read",
        "quantity": 1000,
        "calls": 2,
        "usd": None if usd is None else Decimal(usd),
    }
    return HourlyCharge(**(told | fields))
