"""Finds the line through many pairs of our count and the provider's, and how far off it is on pairs it has not seen.

Apart from `calibration.py`, which every reader of logs needs, because only this needs numpy.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from modicum.metering.calibration import Calibration, CalibrationPair
from modicum.metering.claude_tokens import LONG_TOKENS, CounterCheck

Floats = npt.NDArray[np.float64]

FEWEST_PAIRS = 30
"""With fewer a line says little, and its error less."""
FOLDS = 5
PLAUSIBLE_RATIO = (0.2, 5.0)
"""Tokenizers of language models differ by less: another ratio says that the pairs do not belong together."""


def calibrate(
    pairs: Sequence[CalibrationPair],
    family: str,
    *,
    content: str = "",
    models: Iterable[str] = (),
    framed: bool = True,
) -> Calibration | None:
    """The line through the pairs, with its error on held-out pairs; None where the pairs cannot carry one.

    Pairs that shrank or stayed are left out: the conversation was cut there. Fewer than 30 pairs, pairs all of one
    size, and a ratio beyond all likelihood carry no line. `framed`: whether there is anything around the texts; a pair
    may also be of one text counted twice.
    """
    usable = [pair for pair in pairs if pair.prompt_growth_tokens > 0 and pair.raw_tokens > 0]
    if content:
        usable = [pair for pair in usable if pair.content == content]
    if len(usable) < FEWEST_PAIRS or len({pair.raw_tokens for pair in usable}) < FOLDS:
        return None
    steps = Steps(usable)
    everything = Steps(list(pairs)) if content else steps
    predicted = np.empty_like(steps.theirs)
    for fold in range(FOLDS):
        held = steps.folds == fold
        trained = steps.only(~held)
        others = everything.without(steps.names_of(held)) if content else trained
        predicted[held] = _fit_kind(trained, others, framed=framed).predict(steps.only(held))
    line = _fit_kind(steps, everything, framed=framed)
    if not PLAUSIBLE_RATIO[0] <= line.ratio <= PLAUSIBLE_RATIO[1]:
        return None
    return Calibration(
        family=family,
        content=content,
        ratio=round(line.ratio, 4),
        wrap_tokens=round(line.wrap, 1),
        tool_call_tokens=round(line.tool_call, 1),
        parameter_tokens=round(line.parameter, 1),
        error=round(float(np.median(np.abs(predicted / steps.theirs - 1))), 4),
        error_whole=_measure_error_whole(steps.theirs / np.maximum(predicted, 1), steps.groups),
        pairs=len(usable),
        groups=steps.group_count,
        models=tuple(sorted(set(models))),
        method=f"least absolute relative error; {FOLDS}-fold cross-validation by "
        + ("session" if steps.by_group else "pair"),
    )


def _fit_kind(steps: "Steps", everything: "Steps", *, framed: bool) -> "StepLine":
    """Steps of one kind come with one or two tools: what is around them is seen better in steps of all kinds."""
    if not framed:
        return fit_ratio(steps, StepLine(1.0, 0.0))
    if steps is everything or not everything.has_frames:
        return fit_steps(steps)
    return fit_ratio(steps, fit_steps(everything))


def check_counter(
    counted: Sequence[CalibrationPair], line_error: float, family: str, counter: str, models: Iterable[str] = ()
) -> CounterCheck | None:
    """What an exact counter is worth on steps that it has counted; None where they are too few.

    Its ratio is taken as 1 and only the frame of the steps is fitted, on other sessions than those it is tested on.
    """
    usable = [pair for pair in counted if pair.prompt_growth_tokens > 0 and pair.raw_tokens > 0]
    if len(usable) < FEWEST_PAIRS:
        return None
    steps = Steps(usable)
    predicted = predict_held_out(steps)
    errors = np.abs(predicted / steps.theirs - 1)
    long = errors[steps.theirs >= LONG_TOKENS]
    return CounterCheck(
        family=family,
        counter=counter,
        ratio=round(fit_steps(steps).ratio, 4),
        error=round(float(np.median(errors)), 4),
        error_long=round(float(np.median(long)), 4) if len(long) >= 10 else None,
        error_whole=_measure_error_whole(steps.theirs / np.maximum(predicted, 1), steps.groups),
        line_error=line_error,
        steps=len(usable),
        groups=steps.group_count,
        models=tuple(sorted(set(models))),
    )


def predict_held_out(steps: "Steps") -> Floats:
    """Each step's growth by an exact counter, with a frame fitted on the other folds."""
    predicted = np.empty_like(steps.theirs)
    for fold in range(FOLDS):
        held = steps.folds == fold
        predicted[held] = fit_frame(steps.only(~held)).predict(steps.only(held))
    return predicted


class Steps:
    """Pairs as columns."""

    def __init__(self, pairs: Sequence[CalibrationPair]) -> None:
        self.pairs = [pair for pair in pairs if pair.prompt_growth_tokens > 0 and pair.raw_tokens > 0]
        self.ours = np.array([pair.raw_tokens for pair in self.pairs], dtype=float)
        self.theirs = np.array([pair.prompt_growth_tokens for pair in self.pairs], dtype=float)
        self.tool_calls = np.array([pair.tool_calls for pair in self.pairs], dtype=float)
        self.parameters = np.array([pair.parameters for pair in self.pairs], dtype=float)
        names = sorted({pair.group for pair in self.pairs})
        self.group_count = len(names)
        self.by_group = len(names) >= FOLDS
        number = {name: index for index, name in enumerate(names)}
        self.groups = np.array([number[pair.group] for pair in self.pairs], dtype=np.int64)
        self.folds = (self.groups if self.by_group else np.arange(len(self.pairs))) % FOLDS

    @property
    def has_frames(self) -> bool:
        return bool(self.tool_calls.any())

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Steps":
        return Steps([pair for pair, take in zip(self.pairs, chosen, strict=True) if take])

    def names_of(self, chosen: npt.NDArray[np.bool_]) -> set[str]:
        return {pair.group for pair, take in zip(self.pairs, chosen, strict=True) if take}

    def without(self, groups: set[str]) -> "Steps":
        """All but the steps of these groups; all, where that would leave none."""
        others = [pair for pair in self.pairs if pair.group not in groups]
        return Steps(others) if len(others) >= FEWEST_PAIRS else self


class StepLine(NamedTuple):
    """As in `Calibration`."""

    ratio: float
    wrap: float
    tool_call: float = 0.0
    parameter: float = 0.0

    def frame(self, steps: Steps) -> Floats:
        return self.wrap + self.tool_call * steps.tool_calls + self.parameter * steps.parameters

    def predict(self, steps: Steps) -> Floats:
        return self.ratio * steps.ours + self.frame(steps)


def fit_steps(steps: Steps) -> StepLine:
    """Ratio and frame. Where tool calls do not vary (or no log tells of them), they are part of the wrap."""
    if not steps.has_frames:
        return StepLine(*fit_line(steps.ours, steps.theirs))
    columns, place = _frame_columns(steps)
    found = _fit_least_relative(np.column_stack([steps.ours, *columns]), steps.theirs, steps.theirs)
    return place(float(found[0]), found[1:])


def fit_frame(steps: Steps, ratio: float = 1.0) -> StepLine:
    """The frame of steps whose texts are counted exactly."""
    columns, place = _frame_columns(steps)
    found = _fit_least_relative(np.column_stack(columns), steps.theirs - ratio * steps.ours, steps.theirs)
    return place(ratio, found)


def fit_ratio(steps: Steps, frame: StepLine) -> StepLine:
    """The ratio of steps whose frame is known."""
    return frame._replace(ratio=_middle_ratio(steps.ours, steps.theirs - frame.frame(steps), steps.theirs))


def _frame_columns(steps: Steps) -> tuple[list[Floats], Callable[[float, Floats], StepLine]]:
    """The columns that vary, and what to make of their weights: one that does not is part of the wrap."""
    extra = {
        name: column
        for name, column in (("tool_call", steps.tool_calls), ("parameter", steps.parameters))
        if np.ptp(column) > 0
    }

    def place(ratio: float, weights: Floats) -> StepLine:
        named = {name: float(weight) for name, weight in zip(extra, weights[1:], strict=True)}
        return StepLine(ratio, float(weights[0]), **named)

    return [np.ones_like(steps.ours), *extra.values()], place


def fit_line(ours: Floats, theirs: Floats) -> tuple[float, float]:
    """Ratio and wrap with the least sum of |ratio * ours + wrap - theirs| / theirs. The wrap is never negative."""
    solution = _fit_least_relative(np.stack([ours, np.ones_like(ours)], axis=1), theirs, theirs)
    if solution[1] >= 0:
        return float(solution[0]), float(solution[1])
    return _middle_ratio(ours, theirs, theirs), 0.0


def _fit_least_relative(columns: Floats, target: Floats, scale: Floats) -> Floats:
    """The weights of columns with the least sum of |columns @ weights - target| / scale.

    By iteratively reweighted least squares (Schlossmacher, JASA 68, 1973).
    """

    def solve(weights: Floats) -> Floats:
        return np.asarray(np.linalg.lstsq(columns * weights[:, None], target * weights, rcond=None)[0], dtype=float)

    solution = solve(1 / scale)
    for _ in range(50):
        misses = np.abs(columns @ solution - target) / scale
        solution = solve(1 / scale / np.sqrt(np.maximum(misses, 1e-5)))
    return solution


def _middle_ratio(ours: Floats, target: Floats, scale: Floats) -> float:
    """Through the origin the same line is a weighted median of the ratios."""
    ratios = target / ours
    order = np.argsort(ratios)
    weight = np.cumsum((ours / scale)[order])
    return float(ratios[order][np.searchsorted(weight, weight[-1] / 2)])


def _measure_error_whole(actual_by_predicted: Floats, groups: npt.NDArray[np.int64]) -> float | None:
    middles = [
        np.median(actual_by_predicted[groups == group])
        for group in range(int(groups.max()) + 1)
        if (groups == group).sum() >= 10
    ]
    if len(middles) < 10:
        return None
    return round(float(np.quantile(np.abs(np.array(middles) - 1), 0.9)), 4)
