"""A share of yes among independent trials, with intervals that hold for few trials and for shares of 0 and 1."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from modicum.statistics.student import t_quantile


def wilson(yes: float, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (Journal of the American Statistical Association 22, 1927, 209-212).

    Trials that hang together (several runs of one task) make it too narrow: take each task for one trial, and for `yes`
    the sum of their shares, which is at worst too wide.

    Raises:
        ValueError: more yes than trials, or no trials.
    """
    if not 0 <= yes <= trials or trials == 0:
        raise ValueError(f"{yes} of {trials} is no share")
    return _wilson(yes / trials, trials, NormalDist().inv_cdf(0.5 + confidence / 2))


def share_difference(
    yes: float, trials: int, other_yes: float, other_trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """The interval of one share less another, of samples that have nothing to do with each other (Newcombe's tenth
    method, Statistics in Medicine 17, 1998, 873-890: from the two Wilson intervals).

    Raises:
        ValueError: one of them has no trials.
    """
    low, high = wilson(yes, trials, confidence=confidence)
    other_low, other_high = wilson(other_yes, other_trials, confidence=confidence)
    share, other = yes / trials, other_yes / other_trials
    return (
        share - other - math.hypot(share - low, other_high - other),
        share - other + math.hypot(high - share, other - other_low),
    )


def _wilson(share: float, trials: float, z: float) -> tuple[float, float]:
    weight = z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def share_over_tasks(
    shares: ArrayLike, clusters: ArrayLike | None = None, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean of shares, one a task, where tasks of one cluster resemble each other.

    Wilson's interval over as many trials as the tasks are worth: their number divided by how many times wider than by
    independent trials the mean spreads (the design effect: Kish, "Survey Sampling", 1965), never above their number;
    and with Student's t in the place of the normal quantile: with the normal one ten tasks hold in 91 % of cases.

    Raises:
        ValueError: a share is not in 0..1, or there is none.
    """
    values = np.asarray(shares, dtype=float)
    if len(values) == 0 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("shares over tasks need at least one, each in 0..1")
    total = float(values.sum())
    names = np.arange(len(values)) if clusters is None else np.asarray(clusters)
    _, place = np.unique(names, return_inverse=True)
    groups = int(place.max()) + 1
    share = total / len(values)
    effect = float(np.sum(np.bincount(place) ** 2)) / len(values)  # one group alone, or all alike: as if all copied one
    if groups > 1 and 0 < share < 1:
        rest = np.bincount(place, weights=values - share)
        spread = float((rest**2).sum()) * groups / (groups - 1)
        effect = max(1.0, spread / (len(values) * share * (1 - share)))
    return _wilson(share, len(values) / effect, t_quantile(0.5 + confidence / 2, max(1, groups - 1)))


def upper_share(yes: int, trials: int, *, confidence: float = 0.95) -> float:
    """The largest share that so few yes among so many trials do not rule out: the exact one-sided limit of Clopper and
    Pearson (Biometrika 26, 1934, 404-413).

    Raises:
        ValueError: more yes than trials, or no trials.
    """
    if not 0 <= yes <= trials or trials == 0:
        raise ValueError(f"{yes} of {trials} is no share")
    if yes == trials:
        return 1.0
    low, high = yes / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(yes, trials, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(yes: int, trials: int, share: float) -> float:
    """The chance of so many yes or fewer."""
    if share >= 1:
        return float(yes == trials)
    logs = (
        math.lgamma(trials + 1)
        - math.lgamma(count + 1)
        - math.lgamma(trials - count + 1)
        + count * math.log(share)
        + (trials - count) * math.log1p(-share)
        for count in range(yes + 1)
    )
    return math.fsum(math.exp(log) for log in logs)
