"""The forecast of this month from a ledger: for all and by name, as verb and console show it."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from modicum.insights.scoping.months import month_of
from modicum.insights.scoping.persons import PersonRule, group_persons
from modicum.ledger.rows import Row
from modicum.reports.forecast.daily_series import DailySeries, read_daily_series, sum_series
from modicum.reports.forecast.month_end import MonthForecast, forecast_month

HISTORY_DAYS = 180
Ask = Callable[..., Sequence[Row]]
"""Asks a question of the ledger, as `Store.ask` does."""


def forecast_document(
    ask: Ask, dimension: tuple[str, str], zone: ZoneInfo, today: date, persons: PersonRule
) -> dict[str, Any] | None:
    """The one JSON object of `modicum forecast`; None: there are no calls to go by.

    Args:
        ask: of the ledger.
        dimension: by what, with its tag.
        zone: in which days are cut.
        today: the first day that is not over.
        persons: who is shown by name.
    """
    month = month_of(today, zone)
    by, tag = dimension
    since = month.since - timedelta(days=HISTORY_DAYS)
    rows = ask("spend_by_day", by=by, tag=tag, zone=zone.key, since=since, until=month.until, where={})
    series = read_daily_series(group_persons(rows, [by], persons), today - timedelta(days=1))
    whole = sum_series(series.values())
    if whole is None:
        return None
    over, left = (today - month.first).days, month.days - (today - month.first).days
    found = [{"name": name, **_forecast(one, over, left)} for name, one in series.items()]
    return {
        "month": f"{month.first:%Y-%m}",
        "today": today,
        "by": f"tag:{tag}" if by == "tag" else by,
        "timezone": zone.key,
        "total": {"name": "total", **_forecast(whole, over, left)},
        "rows": sorted(found, key=lambda row: (-(row["expected_usd"] or row["spent_usd"]), row["name"])),
    }


def _forecast(series: DailySeries, over: int, left: int) -> dict[str, Any]:
    history = [0.0] * max(over - len(series.usd), 0) + series.usd  # a month that was begun without calls
    made: MonthForecast = forecast_month(history, over, left)
    rounded = {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in msgspec.structs.asdict(made).items()
    }
    return {**rounded, "calls_unpriced": series.calls_unpriced}
