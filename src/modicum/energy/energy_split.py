"""Where the joules go: idle, per step, per computed prompt token, per generated token.

    joules = idle x seconds + per_step x steps + per_prompt x prompt tokens + per_generated x generated tokens

by non-negative least squares over windows. A step costs the same whatever its batch (the weights are read once), so
that tokens alone cannot explain the energy: without a step counter the figures are off by a factor of two and more.
What the windows cannot tell apart is said and left empty. At constant load, for one, idle time and steps grow together.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from modicum.energy.window_cutter import Interval

LEAST_WINDOWS = 12
MOST_RELATIVE_ERROR = 0.25
"""A term whose 95 % interval is wider than this part of it is not identified."""
LEAST_TOLERANCE = 0.01
"""A term is not identified if the others explain all but this part of its column: then a small deviation of the real
server from the model above would move it far. Part of what is left of the column's square after regression."""
SETTLE_S = 2.0
LEAST_QUIET_S = 5.0

Array = npt.NDArray[np.float64]


class Term(msgspec.Struct, frozen=True):
    name: str
    unit: str
    value: float | None
    """None: not identifiable from these windows."""
    error: float | None
    """Half of the 95 % interval."""
    reason: str = ""
    """Why there is no value."""
    basis: str = "fitted"
    """`fitted`, or `measured` where windows show it directly."""


class Split(msgspec.Struct, frozen=True):
    idle: Term
    per_step: Term
    """Joules per step; with servers that count no steps, watts above idle while busy (unit says which)."""
    per_prompt: Term
    per_generated: Term
    windows: int
    window_error: float
    """Mean relative error of a window's energy when its neighbours in time are left out of the fit."""
    explained: float
    """R squared."""
    coefficients: tuple[float, float, float, float]
    """What the fit used in all, identified or not. Good for sharing out energy of the same load, for nothing else."""
    slowed_windows: int = 0
    """Windows in which clocks were held down; they are in the fit."""

    @property
    def terms(self) -> tuple[Term, Term, Term, Term]:
        return self.idle, self.per_step, self.per_prompt, self.per_generated

    @property
    def counts_steps(self) -> bool:
        return self.per_step.unit == "J"


def non_negative_least_squares(columns: Array, target: Array) -> Array:
    """The exact minimum over all coefficients >= 0, by trying every set of positive ones; for a handful of columns."""
    count = columns.shape[1]
    best, best_error = np.zeros(count), float(target @ target)
    for size in range(1, count + 1):
        for chosen in combinations(range(count), size):
            solution, *_ = np.linalg.lstsq(columns[:, chosen], target, rcond=None)
            if (solution < 0).any():
                continue
            rest = target - columns[:, chosen] @ solution
            error = float(rest @ rest)
            if error < best_error * (1 - 1e-12):
                best_error = error
                best = np.zeros(count)
                best[list(chosen)] = solution
    return best


def measure_idle_watts(intervals: Sequence[Interval]) -> tuple[float, float] | None:
    """Watts while nothing ran, from stretches of 5 s or more after 2 s to settle: mean and half of its 95 % interval;
    None where there are fewer than two such stretches' worth.
    """
    readings: list[tuple[float, float]] = []
    quiet_since: float | None = None
    for interval, following in pairwise(intervals):
        if not interval.quiet:
            quiet_since = None
            continue
        quiet_since = interval.start if quiet_since is None else quiet_since
        # The ends of a pause hold a bit of the work beside it.
        if interval.start - quiet_since >= SETTLE_S and following.quiet:
            readings.append((interval.seconds, interval.joules / interval.seconds))
    seconds = sum(length for length, _ in readings)
    if len(readings) < 3 or seconds < LEAST_QUIET_S:
        return None
    weights, watts = (np.array(part) for part in zip(*readings, strict=True))
    mean = float(np.average(watts, weights=weights))
    spread = float(np.sqrt(np.average((watts - mean) ** 2, weights=weights) / (len(readings) - 1)))
    return mean, 1.96 * spread


def fit_split(intervals: Sequence[Interval], windows: Sequence[Interval]) -> Split | None:
    """The split over `windows`, which were cut from `intervals`; None where there are too few windows."""
    if len(windows) < LEAST_WINDOWS:
        return None
    steps_counted = all(window.steps is not None for window in windows)
    columns = np.array([_make_row(window, steps_counted=steps_counted) for window in windows])
    joules = np.array([window.joules for window in windows])
    idle = measure_idle_watts(intervals)
    coefficients = _fit(columns, joules, idle)
    errors = _standard_errors(columns, joules, coefficients, idle)
    shared_unit = "J" if steps_counted else "W while busy"
    names = (("idle", "W"), ("per_step", shared_unit), ("per_prompt_token", "J"), ("per_generated_token", "J"))
    fit = _Fit(columns, joules, coefficients, errors, idle is not None)
    terms = [_make_term(fit, index, name, unit) for index, (name, unit) in enumerate(names)]
    if idle is not None:
        terms[0] = Term("idle", "W", idle[0], idle[1], basis="measured")
    rest = joules - columns @ coefficients
    spread = float(((joules - joules.mean()) ** 2).sum())
    return Split(
        idle=terms[0],
        per_step=terms[1],
        per_prompt=terms[2],
        per_generated=terms[3],
        windows=len(windows),
        window_error=_cross_validate(columns, joules, idle),
        explained=1 - float(rest @ rest) / spread if spread > 0 else 0.0,
        coefficients=_format_four(coefficients),
        slowed_windows=sum(1 for window in windows if window.slowed_by),
    )


def _format_four(values: Array) -> tuple[float, float, float, float]:
    first, second, third, fourth = (float(value) for value in values)
    return first, second, third, fourth


def _make_row(window: Interval, *, steps_counted: bool) -> tuple[float, float, float, float]:
    shared = window.steps if steps_counted else window.busy_seconds
    assert shared is not None  # noqa: S101 - `steps_counted` says so
    return window.seconds, shared, window.uncached_prompt_tokens, window.generated_tokens


def _fit(columns: Array, joules: Array, idle: tuple[float, float] | None) -> Array:
    """Coefficients; idle is held at what quiet windows showed."""
    if idle is None:
        return non_negative_least_squares(columns, joules)
    others = non_negative_least_squares(columns[:, 1:], joules - idle[0] * columns[:, 0])
    return np.concatenate([[idle[0]], others])


def _standard_errors(columns: Array, joules: Array, coefficients: Array, idle: tuple[float, float] | None) -> Array:
    """Of ordinary least squares over the free columns, robust to windows of unequal noise (HC3)."""
    free = list(range(1 if idle is not None else 0, 4))
    used = columns[:, free]
    rest = joules - columns @ coefficients
    scale = np.sqrt((used**2).sum(axis=0))
    scale[scale == 0] = 1.0
    inverse = np.linalg.pinv((used / scale).T @ (used / scale))
    leverage = np.einsum("ij,jk,ik->i", used / scale, inverse, used / scale)
    weights = (rest / np.clip(1 - leverage, 1e-3, None)) ** 2
    covariance = inverse @ ((used / scale).T * weights) @ (used / scale) @ inverse
    errors = np.zeros(4)
    errors[free] = np.sqrt(np.clip(np.diag(covariance), 0, None)) / scale
    return errors


class _Fit(NamedTuple):
    columns: Array
    joules: Array
    coefficients: Array
    errors: Array
    idle_known: bool


def _make_term(fit: _Fit, index: int, name: str, unit: str) -> Term:
    columns, joules = fit.columns, fit.joules
    if not columns[:, index].any():
        return Term(name, unit, None, None, f"there was no {_describe_term(name)} in any window")
    others = [other for other in range(1 if fit.idle_known else 0, 4) if other != index and columns[:, other].any()]
    tolerance, partner = _measure_tolerance(columns, index, others)
    half = 1.96 * float(fit.errors[index])
    value = float(fit.coefficients[index])
    if tolerance < LEAST_TOLERANCE:
        other = _describe_term(("idle", "per_step", "per_prompt_token", "per_generated_token")[partner])
        return Term(
            name,
            unit,
            None,
            None,
            f"it cannot be separated from {other}: at this load the two grow together; vary the load",
        )
    # A term that carries next to nothing is known to be small even if its relative error is large.
    negligible = half * float(columns[:, index].mean()) < 0.02 * float(joules.mean())
    if half > MOST_RELATIVE_ERROR * value and not negligible:
        return Term(
            name, unit, None, None, f"its 95 % interval is {value:.3g} +- {half:.2g}; watch longer or vary the load"
        )
    return Term(name, unit, value, half)


def _measure_tolerance(columns: Array, index: int, others: list[int]) -> tuple[float, int]:
    """The part of a column that the others leave unexplained, and the other column that is most like it."""
    target = columns[:, index]
    if not others:
        return 1.0, index
    solution, *_ = np.linalg.lstsq(columns[:, others], target, rcond=None)
    rest = target - columns[:, others] @ solution
    likeness = [
        abs(float(target @ columns[:, other])) / float(np.linalg.norm(target) * np.linalg.norm(columns[:, other]))
        for other in others
    ]
    return float(rest @ rest) / float(target @ target), others[int(np.argmax(likeness))]


def _cross_validate(columns: Array, joules: Array, idle: tuple[float, float] | None) -> float:
    """Five blocks of windows in order of time; each is foretold by a fit to the four others."""
    blocks = np.array_split(np.arange(len(joules)), 5)
    errors: list[float] = []
    for block in blocks:
        kept = np.setdiff1d(np.arange(len(joules)), block)
        coefficients = _fit(columns[kept], joules[kept], idle)
        foretold = columns[block] @ coefficients
        errors.extend(np.abs(foretold - joules[block]) / np.maximum(joules[block], 1e-9))
    return float(np.mean(errors))


def _describe_term(name: str) -> str:
    return {
        "idle": "idle time",
        "per_step": "steps",
        "per_prompt_token": "prompt tokens",
        "per_generated_token": "generated tokens",
    }[name]
