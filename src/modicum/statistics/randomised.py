"""What a change does, from units of which a known share, drawn by lot, had it.

Since the lot is ours, nothing need be assumed of the units: they may drift, hang together or be chosen by anybody.
Each unit's figure below has the change's effect on that unit as its mean, whatever the unit is like (Ham, Bojinov,
Lindon and Tingley, "Design-based confidence sequences", 2023).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LEAST_PER_ARM = 20
"""Units of each arm below which a ratio gets no interval: it rests on averages being nearly normal."""
MOST_OF_ONE = 0.2
"""A single unit that holds more of the variance than this decides the interval alone."""


@dataclass(frozen=True)
class EffectFigures:
    """One figure a unit, with the least and the most that it could be."""

    figures: Floats
    lowest: Floats
    highest: Floats


def effect_figures(values: ArrayLike, changed: ArrayLike, share: float) -> EffectFigures:
    """Figures whose means are the effects on outcomes in 0..1.

    From each value the mean of those before it is taken off, which narrows the figures and changes no mean, because
    it was known before the lot.

    Args:
        values: outcomes in 0..1, in the order in which units began.
        changed: whether the unit had the change.
        share: of units that have the change.

    Raises:
        ValueError: lengths differ, a value is no share, or `share` leaves no lot.
    """
    result, has_change = np.asarray(values, dtype=float), np.asarray(changed, dtype=bool)
    if result.shape != has_change.shape or result.ndim != 1:
        raise ValueError(f"effects need two equally long lists, not {result.shape} and {has_change.shape}")
    if not 0 < share < 1 or not ((result >= 0) & (result <= 1)).all():
        raise ValueError("a value is not in 0..1, or the share of the lot is not between 0 and 1")
    before = np.concatenate([[0.0], np.cumsum(result)[:-1]]) if len(result) else result
    centre = (before + 1.0) / (np.arange(len(result)) + 2.0)
    return _figures(result, has_change, centre, share)


def next_effect_figure(value: float, *, changed: bool, share: float, centre: float) -> tuple[float, float, float]:
    """One unit's figure with the least and the most that it could be, where units come one by one and the share of the
    lot is another each time.

    Args:
        value: the outcome, in 0..1.
        changed: whether the unit had the change.
        share: the chance that it would have it, settled before the lot fell.
        centre: any value in 0..1 that was known before the lot: the mean of the outcomes so far, say.
    """
    found = _figures(np.array([value]), np.array([changed]), np.array([centre]), share)
    return float(found.figures[0]), float(found.lowest[0]), float(found.highest[0])


def _figures(result: Floats, has_change: NDArray[np.bool_], centre: Floats, share: float) -> EffectFigures:
    figures = np.where(has_change, (result - centre) / share, (centre - result) / (1 - share))
    lowest = -np.maximum(centre / share, (1 - centre) / (1 - share))
    highest = np.maximum((1 - centre) / share, centre / (1 - share))
    return EffectFigures(figures, lowest, highest)


@dataclass(frozen=True)
class RatioInTime:
    """What a unit takes with the change, over what one takes without. None: not known; `no_interval` says why."""

    value: float | None
    low: float | None
    high: float | None
    no_interval: str = ""


def ratio_of_means(amounts: ArrayLike, changed: ArrayLike, *, error: float = 0.05, tuned_for: int = 400) -> RatioInTime:
    """The ratio of two means of amounts without bound (tokens, dollars), with an interval that may be looked at at any
    time.

    The ratio's logarithm is linearised, unit by unit, and the sum of the parts gets an asymptotic confidence sequence
    (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
    sequences", Annals of Statistics 52, 2024). It rests on averages that are nearly normal, so few units, or one that
    outweighs the others, get none.

    Args:
        amounts: not negative.
        changed: whether the unit had the change.
        error: chance that the interval ever leaves the truth, both ends together.
        tuned_for: units at which the interval is narrowest.
    """
    held, has_change = np.asarray(amounts, dtype=float), np.asarray(changed, dtype=bool)
    with_change, without = held[has_change], held[~has_change]
    if len(with_change) == 0 or len(without) == 0 or without.sum() <= 0 or with_change.sum() <= 0:
        return RatioInTime(None, None, None, "one of the arms holds nothing to compare")
    value = float(with_change.mean() / without.mean())
    if min(len(with_change), len(without)) < LEAST_PER_ARM:
        return RatioInTime(value, None, None, f"fewer than {LEAST_PER_ARM} tasks in one of the arms")
    count = len(held)
    parts = np.where(
        has_change,
        (held / with_change.mean() - 1) * count / len(with_change),
        (1 - held / without.mean()) * count / len(without),
    )
    squares = parts**2
    if squares.sum() < 1e-12:
        return RatioInTime(value, None, None, "all tasks are alike")
    if squares.max() > MOST_OF_ONE * squares.sum():
        return RatioInTime(value, None, None, "one task outweighs the others")
    reach = math.sqrt(float(squares.mean())) * sequence_radius(count, error, tuned_for)
    return RatioInTime(value, value * math.exp(-reach), value * math.exp(reach))


def sequence_radius(count: int, error: float, tuned_for: int) -> float:
    """Half width, for a mean of `count` figures of variance 1, that holds at all times at once."""
    strength = (-2 * math.log(error) + math.log(-2 * math.log(error) + 1)) / tuned_for
    scaled = count * strength + 1
    return math.sqrt(2 * scaled / (count**2 * strength) * math.log(math.sqrt(scaled) / error))


def evidence_of_wrong_lot(changed_count: int, count: int, share: float) -> float:
    """Evidence, as natural logarithm, that units did not come into the arms by the lot: a bet with an even prior over
    all other shares, which may be looked at after every unit.
    """
    other = count - changed_count
    alternative = math.lgamma(changed_count + 1) + math.lgamma(other + 1) - math.lgamma(count + 2)
    return alternative - changed_count * math.log(share) - other * math.log(1 - share)
