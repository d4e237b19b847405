"""Finds the line through many pairs of our count and the provider's, and how far off it is on pairs it has not seen.

Apart from `calibration.py`, which every reader of logs needs, because only this needs numpy.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from modicum.metering.calibration import Calibration, CalibrationPair

Floats = npt.NDArray[np.float64]

FEWEST_PAIRS = 30
"""With fewer a line says little, and its error less."""
FOLDS = 5
PLAUSIBLE_RATIO = (0.2, 5.0)
"""Tokenizers of language models differ by less: another ratio says that the pairs do not belong together."""


def calibrate(
    pairs: Sequence[CalibrationPair], family: str, *, content: str = "", models: Iterable[str] = ()
) -> Calibration | None:
    """The line through the pairs, with its error on held-out pairs; None where the pairs cannot carry one.

    Pairs that shrank or stayed are left out: the conversation was cut there. Fewer than 30 pairs, pairs all of one
    size, and a ratio beyond all likelihood carry no line.
    """
    usable = [pair for pair in pairs if pair.prompt_growth_tokens > 0 and pair.raw_tokens > 0]
    if content:
        usable = [pair for pair in usable if pair.content == content]
    if len(usable) < FEWEST_PAIRS or len({pair.raw_tokens for pair in usable}) < FOLDS:
        return None
    ours = np.array([pair.raw_tokens for pair in usable], dtype=float)
    theirs = np.array([pair.prompt_growth_tokens for pair in usable], dtype=float)
    names = sorted({pair.group for pair in usable})
    by_group = len(names) >= FOLDS
    number = {name: index for index, name in enumerate(names)}
    groups = np.array([number[pair.group] for pair in usable])
    folds = (groups if by_group else np.arange(len(usable))) % FOLDS
    predicted = np.empty_like(theirs)
    for fold in range(FOLDS):
        held = folds == fold
        ratio, wrap = fit_line(ours[~held], theirs[~held])
        predicted[held] = ratio * ours[held] + wrap
    ratio, wrap = fit_line(ours, theirs)
    if not PLAUSIBLE_RATIO[0] <= ratio <= PLAUSIBLE_RATIO[1]:
        return None
    return Calibration(
        family=family,
        content=content,
        ratio=round(float(ratio), 4),
        wrap_tokens=round(float(wrap), 1),
        error=round(float(np.median(np.abs(predicted / theirs - 1))), 4),
        error_whole=_measure_error_whole(theirs / np.maximum(predicted, 1), groups),
        pairs=len(usable),
        groups=len(names),
        models=tuple(sorted(set(models))),
        method=f"least absolute relative error; {FOLDS}-fold cross-validation by {'session' if by_group else 'pair'}",
    )


def fit_line(ours: Floats, theirs: Floats) -> tuple[float, float]:
    """Ratio and wrap with the least sum of |ratio * ours + wrap - theirs| / theirs.

    By iteratively reweighted least squares (Schlossmacher, JASA 68, 1973). The wrap is never negative.
    """
    columns = np.stack([ours, np.ones_like(ours)], axis=1)
    weights = 1 / theirs
    for _ in range(50):
        solution = np.linalg.lstsq(columns * weights[:, None], theirs * weights, rcond=None)[0]
        misses = np.abs(columns @ solution - theirs) / theirs
        weights = 1 / theirs / np.sqrt(np.maximum(misses, 1e-5))
    if solution[1] >= 0:
        return float(solution[0]), float(solution[1])
    # Through the origin the same line is a weighted median of the ratios.
    ratios = theirs / ours
    order = np.argsort(ratios)
    weight = np.cumsum((ours / theirs)[order])
    return float(ratios[order][np.searchsorted(weight, weight[-1] / 2)]), 0.0


def _measure_error_whole(actual_by_predicted: Floats, groups: npt.NDArray[np.int64]) -> float | None:
    middles = [
        np.median(actual_by_predicted[groups == group])
        for group in range(int(groups.max()) + 1)
        if (groups == group).sum() >= 10
    ]
    if len(middles) < 10:
        return None
    return round(float(np.quantile(np.abs(np.array(middles) - 1), 0.9)), 4)
