"""The interval of an estimate from what it would be without each task: for figures of few tasks that rule the sum."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modicum.calls.words.percentages import percent
from modicum.statistics.student import t_quantile

Floats = NDArray[np.float64]

FEW_CLUSTERS = 10
RULED_BY_ONE = 0.8
"""Above this share of the uncertainty one cluster decides how wide the interval is. Well-behaved data reach it in fewer
than one case in ten, even with ten clusters."""
MORE_SKEW, MORE_SKEW_UNTIL = 0.5, 30
"""By how much the skewness is raised, since few clusters show too little of it (by simulation), and up to how many."""


class Reach(NamedTuple):
    """How far an interval reaches from the estimate."""

    below: float
    """Not above 0."""
    above: float
    error: float
    """Standard error; 0 where leaving any task out changes nothing: then there is no reach to give."""


def jackknife(value: float, without: Floats, confidence: float, *, of_sums: bool = True) -> Reach:
    """The reach around `value`, given the estimates that leave one cluster out.

    The spread of these, times (k - 1) / k, is the variance. Student's t has k - 1 degrees of freedom with few clusters.
    From ten on two things widen the interval where few clusters rule: fewer degrees of freedom where the variance hangs
    on few clusters and so is itself hardly known (a weighted geometric mean of k - 1 and of the number that the
    kurtosis gives, 2 k / (kurtosis - 1), which alone is too cautious in simulation); and the ends are moved for the
    skewness of what the clusters add, where the wider of the moved and the unmoved end counts.
    Sums, which few tasks can rule, are widened more (Hall) than means are, whose far end is moved by the first term of
    the same expansion only (Johnson, "Modified t tests and confidence intervals for asymmetrical populations", Journal
    of the American Statistical Association 73, 1978).
    Sources: Efron and Stein, "The jackknife estimate of variance", Annals of Statistics 9 (1981); for clusters, Cameron
    and Miller, Journal of Human Resources 50 (2015), VI.B (CR3); for the degrees of freedom, Satterthwaite, Biometrics
    Bulletin 2 (1946); for skewness, Hall, "On the removal of skewness by transformation", Journal of the Royal
    Statistical Society B 54 (1992).
    """
    count = len(without)
    error = math.sqrt((count - 1) / count * float(np.sum((without - value) ** 2)))
    # All clusters alike up to rounding: their spread cannot be seen, which is not the same as none.
    if error < 1e-12:
        return Reach(0.0, 0.0, 0.0)
    if count < FEW_CLUSTERS:  # too few to see a shape: Student's t alone, and a caution
        reach = error * t_quantile((1 + confidence) / 2, count - 1)
        return Reach(-reach, reach, error)
    added = value - without
    added = added - added.mean()
    variance = float(np.mean(added**2))
    kurtosis = float(np.mean(added**4)) / variance**2
    own = min(max(2 * count / max(kurtosis - 1, 1e-9), 1), count - 1)
    weight = 0.75 if of_sums else 0.6
    freedom = int(own**weight * (count - 1) ** (1 - weight) + 1e-9)
    reach = t_quantile((1 + confidence) / 2, max(1, freedom))
    more = 1 + MORE_SKEW * min(1.0, (MORE_SKEW_UNTIL if of_sums else FEW_CLUSTERS) / count)
    skew = more * float(np.mean(added**3)) / variance**1.5 / math.sqrt(count)
    if not of_sums:
        shift = skew * (1 + 2 * reach**2) / 6
        return Reach(-error * (reach + max(0.0, -shift)), error * (reach + max(0.0, shift)), error)
    below, above = -_unskewed(reach, skew), -_unskewed(-reach, skew)
    return Reach(error * min(below, -reach), error * max(above, reach), error)


def caution_of(value: float, without: Floats, what: str = "tasks") -> str:
    """Why such an interval may be too narrow; empty where the estimates give no reason."""
    count = len(without)
    if count < FEW_CLUSTERS:
        return few_clusters(count, what)
    added = value - without
    share = float(np.max(added**2) / np.sum(added**2))
    if share > RULED_BY_ONE:
        return (
            f"one task makes {percent(share, 0)} of the uncertainty: if such tasks are rare, the interval is too narrow"
        )
    return ""


def few_clusters(count: int, what: str = "tasks") -> str:
    """What an interval over fewer than ten is worth."""
    return f"only {count} {what}: with fewer than {FEW_CLUSTERS} an interval may hold less often than it says"


def _unskewed(reach: float, skew: float) -> float:
    """The inverse of Hall's cubic transformation, `skew` being the skewness over the root of the number."""
    if abs(skew) < 1e-9:
        return reach
    return 3 / skew * (float(np.cbrt(1 + skew * (reach - skew / 6))) - 1)
