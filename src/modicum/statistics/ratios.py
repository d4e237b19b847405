"""A ratio of two sums, as outcomes per token or dollars per outcome, with an interval.

The mean of each task's own ratio answers another question (what a task gets, not what a token buys) and is ruled by
small tasks, so it is not offered here.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEW_CLUSTERS = 10
RULED_BY_ONE = 0.7
"""Above this share of the uncertainty one cluster decides how wide the interval is. Well-behaved data reach it in fewer
than one case in ten, even with ten clusters."""
LEAST_EQUAL_SHARE = 0.15
"""Tasks that hold as much as equal ones would, over all tasks (Kish). Below this, tails are so heavy that simulated
intervals held in 81 to 93 % of cases instead of 95."""
WIDEST = 1_000.0
"""An interval that reaches from less than a thousandth to more than a thousandfold says nothing, and is not given."""


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

    The interval is the delta method (linearisation) on the logarithm of the ratio, in its delete-one-cluster form: what
    each cluster adds is measured by leaving it out, and the spread of these, times (k - 1) / k, is the variance.
    Leaving out weighs each residual by the share of the sum that its cluster holds, which is what the plain delta
    method misses where few tasks take most of the tokens. The logarithm keeps the ends positive, and makes the interval
    of a ratio the reciprocal of that of its inverse.
    From ten clusters on, two things widen it where few rule the sums. Student's t has fewer than k - 1 degrees of
    freedom where the variance hangs on few clusters and so is itself hardly known: the geometric mean of k - 1 and of
    the number that the kurtosis gives, 2 k / (kurtosis - 1), which alone is too cautious in simulation. And the ends
    are moved for the skewness of what the clusters add; the wider of the moved and the unmoved end counts.
    Sources: Cochran, "Sampling Techniques" (1977), 6.4 and 6.17; Efron and Stein, "The jackknife estimate of variance",
    Annals of Statistics 9 (1981); for clusters, Cameron and Miller, Journal of Human Resources 50 (2015), VI.B (CR3);
    for the degrees of freedom, Satterthwaite, Biometrics Bulletin 2 (1946); for skewness, Hall, "On the removal of
    skewness by transformation", Journal of the Royal Statistical Society B 54 (1992).

    Coverage of a nominal 95 % with its width and power, and what is left where tails are so heavy that no interval
    holds: `scripts/bench intervals`. `caution` says where the data themselves give reason to doubt.

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
    error = math.sqrt((count - 1) / count * float(np.sum((without - math.log(value)) ** 2)))
    # All clusters alike up to rounding: their spread cannot be seen, which is not the same as none.
    if error < 1e-12:
        return Ratio(value, None, None, count, "all tasks are alike")
    added = math.log(value) - without
    low, high = _ends(added - added.mean(), error, confidence)
    if max(-low, high) > math.log(WIDEST):
        return Ratio(value, None, None, count, "too few tasks: any value would do")
    return Ratio(value, value * math.exp(low), value * math.exp(high), count, caution=_caution(above, below, added))


def _ends(added: NDArray[np.float64], error: float, confidence: float) -> tuple[float, float]:
    """How far below and above the interval reaches, on the logarithm."""
    count = len(added)
    if count < FEW_CLUSTERS:  # too few to see a shape: Student's t alone, and a caution
        reach = t_quantile((1 + confidence) / 2, count - 1)
        return -error * reach, error * reach
    variance = float(np.mean(added**2))
    kurtosis = float(np.mean(added**4)) / variance**2
    own = min(max(2 * count / max(kurtosis - 1, 1e-9), 1), count - 1)
    freedom = int(math.sqrt(own * (count - 1)))
    reach = t_quantile((1 + confidence) / 2, max(1, freedom))
    skew = float(np.mean(added**3)) / variance**1.5 / math.sqrt(count)
    below, above = -_unskewed(reach, skew), -_unskewed(-reach, skew)
    return error * min(below, -reach), error * max(above, reach)


def _unskewed(reach: float, skew: float) -> float:
    """The inverse of Hall's cubic transformation, `skew` being the skewness over the root of the number."""
    if abs(skew) < 1e-9:
        return reach
    return 3 / skew * (float(np.cbrt(1 + skew * (reach - skew / 6))) - 1)


def _caution(above: NDArray[np.float64], below: NDArray[np.float64], added: NDArray[np.float64]) -> str:
    count = len(added)
    if count < FEW_CLUSTERS:
        return f"only {count} tasks: with fewer than {FEW_CLUSTERS} an interval may hold less often than it says"
    share = float(np.max(added**2) / np.sum(added**2))
    if share > RULED_BY_ONE:
        return f"one task makes {share:.0%} of the uncertainty: if such tasks are rare, the interval is too narrow"
    equal = min(_equal_share(above), _equal_share(below))
    if equal < LEAST_EQUAL_SHARE:
        return f"few tasks hold nearly all (as if {equal:.0%} of them, all alike): the interval may be too narrow"
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


@cache
def t_quantile(probability: float, degrees: int) -> float:
    """Student's t: the x with P(T <= x) = probability, for a probability in 0.5..0.9999 and whole degrees from 1.

    With t = sqrt(degrees) tan(angle) the density is a power of a cosine, smooth on a finite range, so that 64 points of
    Gauss-Legendre give all the digits. Agrees with printed tables (12.706, 2.571, 2.042 for 1, 5, 30 at 0.975).
    """
    points, weights = np.polynomial.legendre.leggauss(64)
    scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(math.pi) / 2

    def mass_up_to(t: float) -> float:
        half = math.atan(t / math.sqrt(degrees)) / 2
        angles = half * (points + 1)
        return 0.5 + half * float(np.sum(weights * np.exp(scale + (degrees - 1) * np.log(np.cos(angles)))))

    low, high = 0.0, 1e5
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if mass_up_to(middle) < probability else (low, middle)
    return (low + high) / 2
