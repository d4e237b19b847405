"""Evidence about the mean of bounded figures, which may be looked at after every one of them.

A bet against "the mean is at most m" that is fair or worse under that claim multiplies its stake by 1 + f x after each
figure, x being how far the figure lies above m, in units of the most that it can lie below. Who bets against a true
claim has, ever, a chance of at most 1/k to hold k times the stake (Ville's inequality): so stakes grown 20-fold refuse
the claim at 5 %, whenever one looks and however few figures there are. No distribution is assumed: only that each
figure's mean, given those before it, is as claimed. Waudby-Smith and Ramdas, "Estimating means of bounded random
variables by betting" (Journal of the Royal Statistical Society B 86, 2024).

The share f that is staked is a mixture over a fixed grid: it need not be known beforehand which one is best, and the
order of figures does not matter.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

STAKES = np.geomspace(0.01, 0.9, 14)
"""Shares of what may be lost at once that are staked."""
_PIECE = 4_096
"""Figures that are looked at together, so that memory stays bounded."""


def evidence_above(figures: ArrayLike, lowest: ArrayLike, mean: float) -> Floats:
    """How often the stake was multiplied, as natural logarithm, after each figure: evidence that the mean is above
    `mean`.

    Args:
        figures: in their order.
        lowest: the least that each of them could be, known before it was.
        mean: the claim that is bet against.

    Raises:
        ValueError: a figure is below its bound.
    """
    values, floor = np.asarray(figures, dtype=float), np.asarray(lowest, dtype=float)
    steps = _steps(values, floor, mean)
    grown = np.empty(len(values))
    wealth = np.zeros(len(STAKES))
    for begin in range(0, len(values), _PIECE):
        piece = wealth + np.cumsum(np.log1p(steps[begin : begin + _PIECE, None] * STAKES), axis=0)
        wealth = piece[-1]
        grown[begin : begin + _PIECE] = _mixed(piece)
    return grown


def last_evidence_above(figures: ArrayLike, lowest: ArrayLike, mean: float) -> float:
    """As `evidence_above`, after the last figure only; 0 without any."""
    steps = _steps(np.asarray(figures, dtype=float), np.asarray(lowest, dtype=float), mean)
    wealth = np.array([float(np.log1p(stake * steps).sum()) for stake in STAKES])
    return float(_mixed(wealth[None, :])[0])


def lower_bound(figures: ArrayLike, lowest: ArrayLike, error: float, within: tuple[float, float]) -> float:
    """The least mean that is not refused: what the mean is above, with a chance of `error` ever to be wrong."""
    return _bisect(lambda mean: last_evidence_above(figures, lowest, mean) < -math.log(error), within)


def tasks_for_evidence(
    figures: ArrayLike, lowest: ArrayLike, mean: float, true_mean: float, error: float
) -> int | None:
    """How many figures in all refuse "at most `mean`", in about three cases of four, if the true mean is `true_mean`
    and figures spread as these do. None: no number would.
    """
    values = np.asarray(figures, dtype=float)
    if true_mean <= mean or len(values) == 0:
        return None
    steps = _steps(values, np.asarray(lowest, dtype=float), mean, checked=False)
    middle, spread = float(steps.mean()), float(steps.var())
    room = float(np.mean(1 / (mean - np.asarray(lowest, dtype=float))))
    aim = middle + (true_mean - float(values.mean())) * room
    if aim <= 0:
        return None
    best = max(0.0, float(np.max(STAKES * aim - STAKES**2 * (spread + aim**2) / 2)))
    if best <= 0:
        return None
    # What the mixture costs beside its best share, and the chance that growth lags behind.
    return math.ceil((-math.log(error) + math.log(len(STAKES)) / 2 + 1) / best)


def _steps(values: Floats, floor: Floats, mean: float, *, checked: bool = True) -> Floats:
    if checked and (values < floor - 1e-9).any():
        raise ValueError("a figure is below its bound")
    # Where the claim lies at the bound itself, a single figure above it refutes the claim.
    steps: Floats = ((values - mean) / np.maximum(mean - floor, 1e-12)).clip(-1.0, 1e12)
    return steps


def _mixed(wealth: Floats) -> Floats:
    top = wealth.max(axis=1)
    mixed: Floats = top + np.log(np.exp(wealth - top[:, None]).mean(axis=1))
    return mixed


def _bisect(is_above: Callable[[float], bool], within: tuple[float, float]) -> float:
    """The place in an interval from which on `is_above` holds."""
    low, high = within
    if is_above(low):
        return low
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return low
