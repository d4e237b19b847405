"""Daily spend as a level that changes slowly, times a factor for the day of the week."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WEEK = 7
MOST_DAYS = 84
"""How far back is looked: twelve weeks."""
HALF_LIFE_DAYS = 8.0
"""After so many days a day counts half for the level."""
FACTOR_PRIOR_WEEKS = 1.0
"""How many weeks without a season are added, so that a few weeks make no season of chance."""


class WeeklySeason(NamedTuple):
    """What is expected of a day."""

    level: float
    """Of a mean day, in dollars."""
    factors: Floats
    """By day of the week from that of the first day on; their mean is 1."""

    def expect(self, first: int, days: int) -> Floats:
        """What is expected of so many days, the first of which is so many days after the first day of the history."""
        return self.level * self.factors[(first + np.arange(days)) % WEEK]


def fit_weekly_season(usd: Sequence[float] | Floats) -> WeeklySeason:
    """Fits both to days that follow each other, the last of them yesterday's. Days without spend are zeros."""
    whole = np.asarray(usd, dtype=np.float64)
    start = max(len(whole) - MOST_DAYS, 0)
    days, place = whole[start:], np.arange(start, len(whole))
    if not len(days) or not days.sum():
        return WeeklySeason(0.0, np.ones(WEEK))
    age = len(whole) - 1 - place
    weights = 0.5 ** (age / HALF_LIFE_DAYS)
    factors = _factors(days, place)
    level = float((weights * days).sum() / (weights * factors[place % WEEK]).sum())
    return WeeklySeason(level, factors)


def _factors(days: Floats, place: npt.NDArray[np.int64]) -> Floats:
    """Each day over the mean of the week around it, so that growth is no season."""
    if len(days) < 2 * WEEK:
        return np.ones(WEEK)
    around = np.convolve(days, np.ones(WEEK) / WEEK, mode="valid")  # centred on the fourth day
    inner, where = days[3 : len(days) - 3], place[3 : len(days) - 3] % WEEK
    is_live = around > 0
    sums = np.bincount(where[is_live], inner[is_live] / around[is_live], WEEK) + FACTOR_PRIOR_WEEKS
    factors = sums / (np.bincount(where[is_live], minlength=WEEK) + FACTOR_PRIOR_WEEKS)
    return np.asarray(factors * WEEK / factors.sum())
