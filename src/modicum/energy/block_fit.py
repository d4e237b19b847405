"""The fit with each block of time left out: errors that neighbouring windows, which are alike, cannot make too small.

Windows next to each other share what drifts slowly (heat, fans, the mix of requests). Errors that take them for
independent are too small by far. Leaving out whole blocks, longer than the memory of the noise, shows what the
recording really knows, the idle power included that is measured in the same time.
"""

from collections.abc import Sequence
from itertools import combinations

import msgspec
import numpy as np
import numpy.typing as npt

from modicum.statistics.student import t_quantile

Array = npt.NDArray[np.float64]
LEAST_BLOCKS, MOST_BLOCKS = 6, 16
BLOCK_IN_MEMORIES = 4.0
"""A block is so many times as long as the noise remembers."""


class QuietReading(msgspec.Struct, frozen=True):
    """Power while nothing ran, over some seconds."""

    at: float
    seconds: float
    watts: float
    pause: int
    """Which pause it is of, counted from 0."""


class BlockFit(msgspec.Struct, frozen=True):
    """Coefficients over all windows, and with each block left out."""

    coefficients: Array
    without: Array
    """One row for each block."""

    @property
    def errors(self) -> Array:
        """Standard errors (jackknife over blocks)."""
        count = len(self.without)
        apart = self.without - self.without.mean(axis=0)
        errors: Array = np.sqrt((count - 1) / count * (apart**2).sum(axis=0))
        return errors

    @property
    def reach(self) -> float:
        """What to multiply a standard error by for a 95 % interval."""
        return t_quantile(0.975, len(self.without) - 1)


def non_negative_least_squares(columns: Array, target: Array) -> Array:
    """The exact minimum over all coefficients >= 0; for a handful of columns."""
    return solve_non_negative(columns.T @ columns, columns.T @ target)


def solve_non_negative(gram: Array, product: Array) -> Array:
    """The coefficients >= 0 with the least square error, from X'X and X'y, by trying every set of positive ones."""
    count = len(product)
    scale = np.sqrt(np.clip(np.diag(gram), 0, None))
    used = [index for index in range(count) if scale[index] > 0]
    best, best_gain = np.zeros(count), 0.0
    for size in range(1, len(used) + 1):
        for chosen in combinations(used, size):
            solution = solve(gram, product, chosen)
            part = solution[list(chosen)]
            gain = float(part @ product[list(chosen)])
            if (part >= 0).all() and gain > best_gain * (1 + 1e-12):
                best, best_gain = solution, gain
    return best


def solve(gram: Array, product: Array, chosen: Sequence[int]) -> Array:
    """Ordinary least squares over the chosen columns; the others are 0."""
    index = list(chosen)
    scale = np.sqrt(np.diag(gram)[index])
    scale[scale == 0] = 1.0
    inner = gram[np.ix_(index, index)] / np.outer(scale, scale)
    solution = np.zeros(len(product))
    solution[index] = np.linalg.lstsq(inner, product[index] / scale, rcond=1e-12)[0] / scale
    return solution


def measure_memory(rest: Array) -> float:
    """For how many windows the noise remembers: 1 where it does not (the sum of autocorrelations up to the first that
    is not positive, Geyer 1992, twice and one).
    """
    apart = rest - rest.mean()
    power = float(apart @ apart)
    if power <= 0:
        return 1.0
    memory = 1.0
    for lag in range(1, len(apart) // 4):
        likeness = float(apart[:-lag] @ apart[lag:]) / power
        if likeness < 2 / np.sqrt(len(apart)):
            break
        memory += 2 * likeness
    return memory


def count_blocks(windows: int, memory: float) -> int:
    """How many blocks; below `LEAST_BLOCKS` the recording is too short for its noise."""
    return min(MOST_BLOCKS, int(windows / max(2.0, BLOCK_IN_MEMORIES * memory if memory > 1.5 else 2.0)))


def mean_watts(quiet: Sequence[QuietReading]) -> float:
    return sum(one.watts * one.seconds for one in quiet) / sum(one.seconds for one in quiet)


class BlockDesign:
    """Columns and joules by blocks of time, so that any block can be left out without another pass.

    Args:
        columns: one row a window; the first column is seconds, whose coefficient is idle power.
        starts: when each window began, in order of time.
        quiet: where idle power is measured rather than fitted.
    """

    def __init__(
        self, columns: Array, joules: Array, starts: Array, quiet: Sequence[QuietReading], blocks: int
    ) -> None:
        self._idle = mean_watts(quiet) if quiet else None
        parts = np.array_split(np.arange(len(joules)), blocks)
        edges = [float(starts[part[0]]) for part in parts[1:]]
        self._grams = [columns[part].T @ columns[part] for part in parts]
        self._products = [columns[part].T @ joules[part] for part in parts]
        self._idle_without: list[float | None] = []
        for block in range(blocks):
            rest = [one for one in quiet if int(np.searchsorted(edges, one.at, side="right")) != block]
            self._idle_without.append(mean_watts(rest) if rest else self._idle)

    def fit(self, chosen: Sequence[int] | None = None) -> BlockFit:
        """The non-negative fit, or ordinary least squares over the columns `chosen`."""
        gram, product = sum(self._grams), sum(self._products)
        assert isinstance(gram, np.ndarray)  # noqa: S101 - there is at least one block
        assert isinstance(product, np.ndarray)  # noqa: S101
        rows = [
            self._solve(gram - one, product - other, idle, chosen)
            for one, other, idle in zip(self._grams, self._products, self._idle_without, strict=True)
        ]
        return BlockFit(self._solve(gram, product, self._idle, chosen), np.array(rows))

    def fit_without(self, idle: float | None) -> list[Array]:
        """The non-negative fit with each block left out, idle power held where it is given."""
        gram, product = sum(self._grams), sum(self._products)
        return [
            self._solve(gram - one, product - other, idle, None)
            for one, other in zip(self._grams, self._products, strict=True)
        ]

    @staticmethod
    def _solve(gram: Array, product: Array, idle: float | None, chosen: Sequence[int] | None) -> Array:
        if idle is None:
            return solve_non_negative(gram, product) if chosen is None else solve(gram, product, chosen)
        # What is left when idle power is held: the first column goes to the other side.
        rest = product - idle * gram[:, 0]
        inner, right = gram[1:, 1:], rest[1:]
        found = (
            solve_non_negative(inner, right)
            if chosen is None
            else solve(inner, right, [index - 1 for index in chosen if index > 0])
        )
        return np.concatenate([[idle], found])
