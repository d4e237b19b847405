"""Days that follow each other, by name: the rows of the question `spend_by_day` as series that forecasts take."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec


class DailySeries(msgspec.Struct):
    """From the first day on which anybody called until a last one, without gaps: a day without calls is 0."""

    first: date
    usd: list[float]
    prompt_tokens: list[int]
    cache_read_tokens: list[int]
    calls_unpriced: int = 0
    """Their cost is in no day."""


def read_daily_series(rows: Iterable[Mapping[str, Any]], last: date) -> dict[str, DailySeries]:
    """A series for each name. Sums of a provider's usage reports are left out where there are calls as well.

    Args:
        rows: of `spend_by_day`.
        last: the last day of all series; what is later is left out.
    """
    found = list(rows)
    logged = [row for row in found if not row["is_report"]] or found
    shown = [row for row in logged if date.fromisoformat(row["day"]) <= last]
    if not shown:
        return {}
    first = min(date.fromisoformat(row["day"]) for row in shown)
    days = (last - first).days + 1
    series: dict[str, DailySeries] = {}
    for row in shown:
        one = series.setdefault(row["name"], DailySeries(first, [0.0] * days, [0] * days, [0] * days))
        place = (date.fromisoformat(row["day"]) - first).days
        one.usd[place] += float(row["cost_usd"] or 0)
        one.prompt_tokens[place] += int(row["prompt_tokens"] or 0)
        one.cache_read_tokens[place] += int(row["cache_read_tokens"] or 0)
        one.calls_unpriced += int(row["calls_unpriced"] or 0)
    return series


def sum_series(series: Iterable[DailySeries]) -> DailySeries | None:
    """All of them together; None: there are none. They cover the same days."""
    all_series = list(series)
    if not all_series:
        return None
    return DailySeries(
        all_series[0].first,
        [sum(day) for day in zip(*(one.usd for one in all_series), strict=True)],
        [sum(day) for day in zip(*(one.prompt_tokens for one in all_series), strict=True)],
        [sum(day) for day in zip(*(one.cache_read_tokens for one in all_series), strict=True)],
        sum(one.calls_unpriced for one in all_series),
    )
