"""A share of yes among independent trials, with intervals that hold for few trials and for shares of 0 and 1."""

import math
from statistics import NormalDist


def wilson(yes: float, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (Journal of the American Statistical Association 22, 1927, 209-212).

    Trials that hang together (several runs of one task) make it too narrow: take each task for one trial, and for `yes`
    the sum of their shares, which is at worst too wide.

    Raises:
        ValueError: more yes than trials, or no trials.
    """
    if not 0 <= yes <= trials or trials == 0:
        raise ValueError(f"{yes} of {trials} is no share")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, weight = yes / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(0.0, middle - reach), min(1.0, middle + reach)


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
