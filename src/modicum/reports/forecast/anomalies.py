"""Days on which somebody spent far more than usual: by the weekly season, the usual scatter, and a floor in dollars."""

from collections.abc import Sequence
from math import log

import msgspec
import numpy as np

from modicum.reports.forecast.weekly_season import WEEK, fit_weekly_season

LEAST_DAYS = 14
MOST_DAYS = 56
THRESHOLD = 3.0
"""How many times the usual scatter; committed before the evaluation half of `scripts/bench forecast` was read."""
LEAST_SCATTER = 0.15
"""Of the logarithm of a day: a series that never moved may move by a little."""


class SpendAnomaly(msgspec.Struct, frozen=True, kw_only=True):
    """A day that was out of the ordinary."""

    usd: float
    expected_usd: float
    score: float
    """How many times the usual scatter it lies above what was expected."""

    @property
    def more_usd(self) -> float:
        return self.usd - self.expected_usd


def find_anomaly(history_usd: Sequence[float], floor_usd: float) -> SpendAnomaly | None:
    """Whether the last day was one; None: it was not, or there is too little history to say.

    Args:
        history_usd: of days that follow each other; the last one is judged by those before it.
        floor_usd: what a day must be above what was expected of it, to be worth a word.
    """
    if len(history_usd) <= LEAST_DAYS:
        return None
    *before, last = history_usd
    days = np.asarray(before[-MOST_DAYS:], dtype=np.float64)
    season = fit_weekly_season(days)
    (expected,) = season.expect(len(days), 1)
    if last - expected < floor_usd:
        return None
    usual = season.expect(0, len(days))
    level = max(float(np.median(usual)), floor_usd / 10)  # so that days of cents have no logarithm of their own
    scatter = np.log((days + level / WEEK) / (usual + level / WEEK))
    centre = float(np.median(scatter))
    spread = max(1.4826 * float(np.median(np.abs(scatter - centre))), LEAST_SCATTER)
    score = (log((last + level / WEEK) / (expected + level / WEEK)) - max(centre, 0.0)) / spread
    if score < THRESHOLD:
        return None
    return SpendAnomaly(usd=float(last), expected_usd=float(expected), score=score)
