"""A share of yes among independent trials, with an interval that holds for few trials and for shares of 0 and 1."""

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
