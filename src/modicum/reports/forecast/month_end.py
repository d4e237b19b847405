"""What a month will come to: spent so far, and the days that are left by level and day of the week.

The interval comes from the series itself: how wrong the same forecast was, made at earlier days for as many days. Where
the history is too short for that, from the spread of single days. A series that has changed for good at this moment is
beyond it: no history says so.
"""

from collections.abc import Sequence
from math import exp, log, sqrt

import msgspec
import numpy as np

from modicum.reports.forecast.weekly_season import WEEK, Floats, fit_weekly_season
from modicum.statistics.student import t_quantile

LEAST_DAYS = 7
"""Of history, before anything is said."""
LEAST_ORIGINS = 8
LEVEL = 0.9
"""What share of months is to end within the interval."""
LEAST_SPREAD = 0.02


class MonthForecast(msgspec.Struct, frozen=True, kw_only=True):
    """In dollars; None where the history is too short."""

    spent_usd: float
    """On the days of the month that are over."""
    days_left: int
    """Today included."""
    expected_usd: float | None
    low_usd: float | None = None
    high_usd: float | None = None
    """Within these nine months of ten are to end."""
    naive_usd: float | None = None
    """Beside it: every day that is left as the same day of last week."""
    why_not: str = ""


def forecast_month(history_usd: Sequence[float], days_over: int, days_left: int) -> MonthForecast:
    """Forecasts the end of a month.

    Args:
        history_usd: of days that follow each other, the last of them yesterday's; those of the month among them.
        days_over: how many days of the month are over.
        days_left: how many are left, today included.
    """
    days = np.asarray(history_usd, dtype=np.float64)
    spent = float(days[len(days) - days_over :].sum()) if days_over else 0.0
    if days_left <= 0:
        return MonthForecast(spent_usd=spent, days_left=0, expected_usd=spent, low_usd=spent, high_usd=spent)
    if len(days) < LEAST_DAYS:
        why = f"{len(days)} days of history are too few; {LEAST_DAYS} are the least"
        return MonthForecast(spent_usd=spent, days_left=days_left, expected_usd=None, why_not=why)
    rest = _forecast(days, days_left)
    spread = _spread(days, days_left)
    return MonthForecast(
        spent_usd=spent,
        days_left=days_left,
        expected_usd=spent + rest,
        low_usd=spent + rest * exp(-spread),
        high_usd=spent + rest * exp(spread),
        naive_usd=spent + float(np.resize(days[-WEEK:], days_left).sum()),
    )


def _forecast(days: Floats, count: int) -> float:
    return float(fit_weekly_season(days).expect(len(days), count).sum())


def _spread(days: Floats, count: int) -> float:
    """Half of the interval of the days that are left, as a logarithm."""
    errors = []
    for origin in range(2 * WEEK, len(days) - count + 1):
        expected, true = _forecast(days[:origin], count), float(days[origin : origin + count].sum())
        if expected > 0 and true > 0:
            errors.append(log(true / expected))
    independent = (len(days) - 2 * WEEK) / count
    if len(errors) < LEAST_ORIGINS or independent < 2:
        return max(_spread_of_days(days, count), LEAST_SPREAD)
    # Forecasts of neighbouring days share most of their days: they say as much as a few that share none.
    degrees = max(int(independent), 2)
    scale = sqrt(float(np.mean(np.square(errors))) * (1 + 1 / independent))
    return max(t_quantile((1 + LEVEL) / 2, degrees) * scale, LEAST_SPREAD)


def _spread_of_days(days: Floats, count: int) -> float:
    """As if days were independent: their own chance, and that of the level."""
    recent = days[-8 * WEEK :]
    season = fit_weekly_season(days)
    expected = season.expect(len(days) - len(recent), len(recent))
    is_live = expected > 0
    if is_live.sum() < 2:
        return log(2)
    relative = float(np.std(recent[is_live] / expected[is_live], ddof=1))
    degrees = max(int(is_live.sum()) - 1, 1)
    return log(1 + t_quantile((1 + LEVEL) / 2, degrees) * relative * sqrt(1 / count + 1 / min(len(recent), 20)))
