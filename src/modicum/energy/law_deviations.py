"""Ways in which a real server leaves the law of the split, and what follows for its terms.

Each way is a column that the law does not have. Where it explains something beyond the noise, the terms are not known
as well as their errors say: what a term would be with that column is added to its error. Where the energy of work
changes with the load there is no figure per step or token that holds at every load, and none is stated.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from modicum.energy.block_fit import Array, BlockDesign, BlockFit, QuietReading
from modicum.energy.window_cutter import Interval
from modicum.statistics.student import t_quantile

LEVEL = 0.01
"""Chance that a well-behaved recording is taken for one that deviates, over all ways together."""
LEAST_EFFECT = 0.002
"""Part of a window's energy that a way must explain for a term to be withheld."""
LEAST_APART = 1e-5
"""A way is not looked for where the law's own columns explain all but this part of its column."""
MANY_TOKENS = 1.2
"""Generated tokens per running sequence and step; without drafts there is one."""
NEGATIVE = "negative"
DRAFTS = "the server generates {:.1f} tokens per sequence and step, so that it drafts tokens, and does not count them"
COUNT_DRAFTS = (
    "record with a server that counts drafted tokens (vLLM and llama.cpp do), or with speculative decoding off"
)
WARM_UP = "let the server warm up first, and record longer at a steady temperature"


class Deviation(msgspec.Struct, frozen=True):
    """The law does not hold in this way, beyond the noise."""

    name: str
    explanation: str
    """What was seen, for people."""
    advice: str
    """What to record instead."""
    strength: float
    """Its coefficient over its standard error."""
    shifts: tuple[float, ...]
    """What each term would be more if the law allowed for it."""
    effect: float
    """Part of a window's energy that it explains and the law does not (root of the mean square)."""
    with_load: bool
    """The energy of work changes with the load."""

    @property
    def voids_terms(self) -> bool:
        """No term of work can be stated."""
        return self.with_load and self.effect > LEAST_EFFECT


class _Way(NamedTuple):
    name: str
    column: Array
    explanation: str
    advice: str
    with_load: bool = False


class SeenDeviations(NamedTuple):
    """What the windows show, the strongest first, and the columns that stand for it."""

    deviations: tuple[Deviation, ...]
    columns: tuple[Array, ...]


def find_deviations(
    windows: Sequence[Interval],
    columns: Array,
    joules: Array,
    quiet: Sequence[QuietReading],
    law: BlockFit,
) -> SeenDeviations:
    """Those ways that go beyond the noise. `law` is the ordinary fit without any of them."""
    starts = np.array([window.start for window in windows])
    chosen = [index for index in range(columns.shape[1]) if columns[:, index].any()]
    ways = _list_ways(windows, columns, columns[:, 1:] @ np.clip(law.coefficients[1:], 0, None))
    blocks = len(law.without)
    bound = t_quantile(1 - LEVEL / 2 / (len(ways) + columns.shape[1] - 1), blocks - 1)
    found = [(one, columns[:, 0]) for one in _find_negative(law, columns, joules, bound)]
    for way in ways:
        if _measure_apart(way.column, columns) < LEAST_APART:
            continue
        wider = np.column_stack([columns, way.column])
        fit = BlockDesign(wider, joules, starts, quiet, blocks).fit([*chosen, columns.shape[1]])
        error = float(fit.errors[-1])
        strength = abs(float(fit.coefficients[-1])) / error if error > 0 else 0.0
        if strength > bound:
            shifts = fit.coefficients[:-1] - law.coefficients
            moved = wider @ fit.coefficients - columns @ law.coefficients
            deviation = Deviation(
                way.name,
                way.explanation,
                way.advice,
                strength,
                tuple(float(shift) for shift in shifts),
                float(np.sqrt(np.mean(moved**2)) / joules.mean()),
                way.with_load,
            )
            found.append((deviation, way.column))
    found.sort(key=lambda one: -one[0].strength)
    return SeenDeviations(
        tuple(_name_drafts(windows, columns, [one for one, _ in found])),
        tuple(column for one, column in found if one.name != NEGATIVE),
    )


def _measure_apart(column: Array, columns: Array) -> float:
    """The part of the square of a column that others do not explain."""
    rest = column - columns @ np.linalg.lstsq(columns, column, rcond=None)[0]
    return float(rest @ rest) / max(float(column @ column), 1e-300)


def _name_drafts(windows: Sequence[Interval], columns: Array, found: Sequence[Deviation]) -> list[Deviation]:
    """Says so where it is plain that tokens are drafted and nobody counts them: that looks like other ways too."""
    places = sum((one.steps or 0.0) * one.running_seconds / one.busy_seconds for one in windows if one.busy_seconds)
    each = float(columns[:, 3].sum()) / places if places else 0.0
    if each < MANY_TOKENS or any(one.drafted_tokens for one in windows):
        return list(found)
    return [
        msgspec.structs.replace(one, explanation=DRAFTS.format(each), advice=COUNT_DRAFTS) if one.with_load else one
        for one in found
    ]


def _find_negative(law: BlockFit, columns: Array, joules: Array, bound: float) -> list[Deviation]:
    """A term below 0: no server gains energy by working, so the law is wrong for it."""
    strengths = [
        -float(value) / float(error) if error > 0 else 0.0
        for value, error in zip(law.coefficients[1:], law.errors[1:], strict=True)
    ]
    if max(strengths) <= bound:
        return []
    index = 1 + int(np.argmax(strengths))
    return [
        Deviation(
            NEGATIVE,
            "the windows fit best if some work cost less than nothing, so that they do not follow the law at all",
            "record high and low load apart, with locked clocks",
            max(strengths),
            (0.0,) * columns.shape[1],
            abs(float(law.coefficients[index])) * float(columns[:, index].mean()) / float(joules.mean()),
            with_load=True,
        )
    ]


def _list_ways(windows: Sequence[Interval], columns: Array, active: Array) -> list[_Way]:
    middle = np.array([(window.start + window.end) / 2 for window in windows])
    time = (middle - middle[0]) / max(float(middle[-1] - middle[0]), 1e-9)
    seconds = columns[:, 0]
    ways = [
        _Way(
            "idle drift",
            _centred(time, seconds) * seconds,
            "power besides the work rose or fell in the course of the recording",
            WARM_UP,
        )
    ]
    if active.any():
        explanation = "the same work became dearer or cheaper in the course of the recording"
        ways.append(_Way("drift", _centred(time, active) * active, explanation, WARM_UP))
    return ways + _list_load_ways(windows, columns)


def _list_load_ways(windows: Sequence[Interval], columns: Array) -> list[_Way]:
    """Ways that a larger batch makes work cheaper or dearer than the law says."""
    steps = np.array([window.steps or 0.0 for window in windows])
    if not steps.any():
        return []
    sequences = np.array(
        [window.running_seconds / window.busy_seconds if window.busy_seconds else 0.0 for window in windows]
    )
    batch = np.divide(columns[:, 3], steps, out=np.zeros_like(steps), where=steps > 0)
    return [
        _Way(
            "batch",
            steps * np.sqrt(batch),
            "a step's energy does not grow in step with its tokens, as with experts, or where clocks fall under load",
            "for a model with experts give --experts K/N; else lock the clocks (nvidia-smi --lock-gpu-clocks), or"
            " record high and low load apart",
            with_load=True,
        ),
        _Way(
            "sequences",
            steps * sequences,
            "energy follows the number of sequences rather than that of generated tokens, as where tokens are drafted",
            COUNT_DRAFTS,
            with_load=True,
        ),
        _Way(
            "load",
            steps * sequences**2,
            "work costs less or more at high load than at low load, as where clocks fall",
            "lock the clocks (nvidia-smi --lock-gpu-clocks), or record high and low load apart",
            with_load=True,
        ),
    ]


def _centred(values: Array, weights: Array) -> Array:
    """Less their weighted mean, so that a term beside it stays what it is on average."""
    return values - float(np.sum(values * weights)) / float(np.sum(weights))
