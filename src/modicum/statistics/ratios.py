"""A ratio of two sums, as outcomes per token or dollars per outcome, with an interval.

The mean of each task's own ratio answers another question (what a task gets, not what a token buys) and is ruled by
small tasks, so it is not offered here.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modicum.calls.words.percentages import percent
from modicum.statistics.jackknife import caution_of, jackknife

LEAST_EQUAL_SHARE = 0.15
"""Tasks that hold as much as equal ones would, over all tasks (Kish). Below this, tails are so heavy that simulated
intervals held in 81 to 93 % of cases instead of 95."""
WIDEST = 1_000.0
"""An interval that reaches from less than a thousandth to more than a thousandfold says nothing, and is not given."""
ALL_ALIKE = "all tasks are alike"
"""Why there is no interval where no task differs from another."""


@dataclass(frozen=True)
class Ratio:
    """Sum of the numerators over sum of the denominators.

    `low` and `high` are None where no interval can be given; `no_interval` then says why. `value` is None where the
    denominators sum to 0.
    """

    value: float | None
    low: float | None
    high: float | None
    clusters_count: int
    no_interval: str = ""
    caution: str = ""
    """Why an interval that is given may be too narrow; empty where the data give no reason."""


def ratio_of_sums(
    numerators: ArrayLike, denominators: ArrayLike, clusters: ArrayLike | None = None, *, confidence: float = 0.95
) -> Ratio:
    """The ratio of the sums, with an interval that lets everything within one cluster hang together.

    The interval is the delta method (linearisation) on the logarithm of the ratio, in its delete-one-cluster form
    (`jackknife.py`). Leaving out weighs each residual by the share of the sum that its cluster holds, which is what the
    plain delta method misses where few tasks take most of the tokens. The logarithm keeps the ends positive, and makes
    the interval of a ratio the reciprocal of that of its inverse (Cochran, "Sampling Techniques", 1977, 6.4 and 6.17).
    How often it holds: `scripts/bench intervals`. `caution` says where the data themselves give reason to doubt.

    Args:
        numerators: not negative, one a record.
        denominators: not negative, one a record.
        clusters: name of the cluster (task) of each record; each record its own where None.
        confidence: two-sided.

    Raises:
        ValueError: lengths differ, or a figure is negative or not finite.
    """
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if above.shape != below.shape or above.ndim != 1:
        raise ValueError(f"a ratio needs two equally long lists, not {above.shape} and {below.shape}")
    for figures in (above, below):
        if not np.isfinite(figures).all() or (figures < 0).any():
            raise ValueError("a figure is negative or not finite")
    if clusters is not None:
        above, below = _summed(above, np.asarray(clusters)), _summed(below, np.asarray(clusters))
    # A cluster that holds neither is no observation of the ratio.
    held = (above > 0) | (below > 0)
    above, below = above[held], below[held]
    count = len(above)
    if below.sum() == 0:
        return Ratio(None, None, None, count, "nothing to divide by")
    value = float(above.sum() / below.sum())
    reason = _why_no_interval(above, below)
    if reason:
        return Ratio(value, None, None, count, reason)
    without = np.log(above.sum() - above) - np.log(below.sum() - below)
    centre = math.log(value)
    reach = jackknife(centre, without, confidence)
    if reach.error == 0:
        return Ratio(value, None, None, count, ALL_ALIKE)
    if max(-reach.below, reach.above) > math.log(WIDEST):
        return Ratio(value, None, None, count, "too few tasks: any value would do")
    caution = caution_of(centre, without) or _caution(above, below)
    return Ratio(value, value * math.exp(reach.below), value * math.exp(reach.above), count, caution=caution)


def _caution(above: NDArray[np.float64], below: NDArray[np.float64]) -> str:
    equal = min(_equal_share(above), _equal_share(below))
    if equal < LEAST_EQUAL_SHARE:
        return (
            f"few tasks hold nearly all (as if {percent(equal, 0)} of them, all alike): the interval may be too narrow"
        )
    return ""


def _equal_share(figures: NDArray[np.float64]) -> float:
    held = figures[figures > 0]
    return float(held.sum() ** 2 / (held**2).sum() / len(held))


def _why_no_interval(above: NDArray[np.float64], below: NDArray[np.float64]) -> str:
    if len(above) < 2:
        return "one task alone has no spread"
    if above.sum() == 0:
        return "every value is 0"
    # Compared by what is held and not by what is left: a difference of sums may miss 0 by a rounding.
    if np.count_nonzero(above) < 2:
        return "one task holds all of the value"
    if np.count_nonzero(below) < 2:
        return "one task holds all of what is divided by"
    return ""


def _summed(figures: NDArray[np.float64], clusters: NDArray[np.generic]) -> NDArray[np.float64]:
    if clusters.shape != figures.shape:
        raise ValueError(f"{len(figures)} figures but {len(clusters)} names of clusters")
    _, place = np.unique(clusters, return_inverse=True)
    return np.bincount(place, weights=figures).astype(np.float64, copy=False)
