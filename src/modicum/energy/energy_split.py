"""Where the joules go: idle, per step, per computed prompt token, per generated token.

    joules = idle x seconds + per_step x steps + per_prompt x prompt tokens + per_generated x generated tokens

by non-negative least squares over windows. A step costs the same whatever its batch (the weights are read once), so
that tokens alone cannot explain the energy: without a step counter the figures are off by a factor of two and more.
What the windows cannot tell apart is said and left empty. At constant load, for one, idle time and steps grow together.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from modicum.energy.block_fit import (
    LEAST_BLOCKS,
    MOST_BLOCKS,
    Array,
    BlockDesign,
    QuietReading,
    count_blocks,
    mean_watts,
    measure_memory,
)
from modicum.energy.law_deviations import Deviation, find_deviations
from modicum.energy.window_cutter import Interval
from modicum.statistics.student import t_quantile

LEAST_WINDOWS = 12
MOST_RELATIVE_ERROR = 0.25
"""A term whose 95 % interval is wider than this part of it is not identified."""
LEAST_TOLERANCE = 0.01
"""A term is not identified if the others explain all but this part of its column: then a small deviation of the real
server from the model above would move it far. Part of what is left of the column's square after regression."""
SETTLE_S = 2.0
LEAST_QUIET_S = 5.0
LEAST_QUIET = 3
LEAST_PAUSES = 3
COARSE_PART = 0.5
"""Part of the difference between seconds and windows that stands for what is still unlike within a second."""
WHITE_MEMORY = 1.5
"""Windows; noise that remembers less is as good as without memory."""
NAMES = ("idle", "per_step", "per_prompt_token", "per_generated_token", "per_drafted_token")


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
    further: tuple[Term, ...] = ()
    """`per_drafted_token` where the server counts those, `experts_per_step` (all of them touched) where their share was
    given."""
    deviations: tuple[Deviation, ...] = ()
    """Ways in which the windows leave the law; what they would do to a term is in its error."""
    noise_memory_s: float | None = None
    """How long the noise stays the same; None: not beyond a window. The intervals allow for it."""
    slowed_windows: int = 0
    """Windows in which clocks were held down; they are in the fit."""

    @property
    def terms(self) -> tuple[Term, ...]:
        return self.idle, self.per_step, self.per_prompt, self.per_generated, *self.further

    @property
    def counts_steps(self) -> bool:
        return self.per_step.unit == "J"


def list_quiet(intervals: Sequence[Interval]) -> list[QuietReading]:
    """Power while nothing ran, 2 s after it ended and before it begins again; empty where there is too little of it."""
    readings: list[QuietReading] = []
    quiet_since: float | None = None
    pause = -1
    for interval, following in pairwise(intervals):
        if not interval.quiet:
            quiet_since = None
            continue
        if quiet_since is None:
            quiet_since = interval.start
            pause += 1
        # The ends of a pause hold a bit of the work beside it.
        if interval.start - quiet_since >= SETTLE_S and following.quiet:
            watts = interval.joules / interval.seconds
            readings.append(QuietReading(interval.start, interval.seconds, watts, pause))
    if len(readings) < LEAST_QUIET or sum(one.seconds for one in readings) < LEAST_QUIET_S:
        return []
    return readings


def measure_idle_watts(intervals: Sequence[Interval]) -> tuple[float, float] | None:
    """Watts while nothing ran, from stretches of 5 s or more after 2 s to settle: mean and half of its 95 % interval;
    None where there are fewer than two such stretches' worth.

    Readings of one pause are alike, so that pauses count, not readings; a single pause counts as far as its noise
    forgets.
    """
    quiet = list_quiet(intervals)
    if not quiet:
        return None
    mean = mean_watts(quiet)
    pauses = sorted({one.pause for one in quiet})
    groups = [[one for one in quiet if one.pause == pause] for pause in pauses]
    if len(groups) < LEAST_PAUSES:
        watts = np.array([one.watts for one in quiet])
        free = len(watts) / measure_memory(watts)
        error = float(watts.std(ddof=1)) / math.sqrt(free)
        return mean, t_quantile(0.975, max(1, int(free) - 1)) * error
    whole = sum(one.seconds for one in quiet)
    apart = [sum((one.watts - mean) * one.seconds for one in group) / whole for group in groups]
    error = math.sqrt(len(groups) / (len(groups) - 1) * sum(part**2 for part in apart))
    return mean, t_quantile(0.975, len(groups) - 1) * error


def fit_split(
    intervals: Sequence[Interval], windows: Sequence[Interval], expert_share: float | None = None
) -> Split | None:
    """The split; None where there are too few windows.

    Args:
        intervals: all that was measured, pauses included.
        windows: cut from `intervals`; what is fitted.
        expert_share: routed experts that a token takes over all; None: a dense model, or nobody said.
    """
    if len(windows) < LEAST_WINDOWS:
        return None
    layout = _lay_out(intervals, windows, expert_share)
    joules = np.array([window.joules for window in windows])
    quiet = list_quiet(intervals)
    fit = _fit_law(layout, joules, windows, quiet)
    terms = [_make_term(fit, index, layout.names[index], layout.units[index]) for index in range(len(layout.names))]
    idle = measure_idle_watts(intervals)
    if idle is not None:
        error = idle[1] * _pause_likeness(quiet, fit.memory * float(np.mean(layout.columns[:, 0])))
        terms[0] = Term("idle", "W", idle[0], error, basis="measured")
    shared = BlockDesign(layout.columns, joules, layout.starts, quiet, LEAST_BLOCKS).fit().coefficients
    rest = joules - layout.columns @ shared
    spread = float(((joules - joules.mean()) ** 2).sum())
    return Split(
        idle=terms[0],
        per_step=terms[1],
        per_prompt=terms[2],
        per_generated=terms[3],
        further=tuple(terms[4:]),
        windows=len(windows),
        window_error=_cross_validate(layout.columns, joules, quiet),
        explained=1 - float(rest @ rest) / spread if spread > 0 else 0.0,
        coefficients=_fold(layout, shared),
        deviations=fit.deviations,
        noise_memory_s=fit.memory * float(np.mean(layout.columns[:, 0])) if fit.memory > WHITE_MEMORY else None,
        slowed_windows=sum(1 for window in windows if window.slowed_by),
    )


def _pause_likeness(quiet: Sequence[QuietReading], memory_s: float) -> float:
    """How much wider the interval of idle power is because noise lasts from one pause to the next; at least 1."""
    pauses = len({one.pause for one in quiet})
    if pauses < 2:
        return 1.0
    apart_s = (quiet[-1].at - quiet[0].at) / (pauses - 1)
    return math.sqrt(1 + 2 * memory_s / apart_s)


class _Layout(NamedTuple):
    names: tuple[str, ...]
    units: tuple[str, ...]
    columns: Array
    starts: Array
    coarse: Array | None = None
    """The columns with touched experts by whole windows: what another resolution would say. None: no experts."""

    @property
    def used(self) -> list[int]:
        """Columns in which there is anything."""
        return [index for index in range(self.columns.shape[1]) if self.columns[:, index].any()]


def _fit_law(layout: _Layout, joules: Array, windows: Sequence[Interval], quiet: Sequence[QuietReading]) -> "_Fit":
    """The ordinary fit, what deviates from it, and errors as long as the noise remembers once that is taken off."""
    columns, starts = layout.columns, layout.starts
    first = min(MOST_BLOCKS, len(windows) // 2)
    law = BlockDesign(columns, joules, starts, quiet, first).fit(layout.used)
    seen = find_deviations(windows, columns, joules, quiet, law)
    wider = np.column_stack([columns, *seen.columns])
    chosen = [*layout.used, *range(columns.shape[1], wider.shape[1])]
    rest = joules - wider @ BlockDesign(wider, joules, starts, quiet, first).fit(chosen).coefficients
    memory = measure_memory(rest)
    blocks = count_blocks(len(windows), memory)
    errors = BlockDesign(wider, joules, starts, quiet, max(LEAST_BLOCKS, blocks)).fit(chosen)
    halves = (errors.reach * errors.errors)[: columns.shape[1]]
    if layout.coarse is not None:
        # How many experts a step touches is worked out from means over time, which is not exact.
        coarse = BlockDesign(layout.coarse, joules, starts, quiet, first).fit(layout.used)
        halves = halves + COARSE_PART * np.abs(coarse.coefficients - law.coefficients)
    return _Fit(
        columns,
        joules,
        law.coefficients,
        halves,
        bool(quiet),
        seen.deviations,
        memory,
        _describe_short(windows, memory, blocks),
    )


def _lay_out(intervals: Sequence[Interval], windows: Sequence[Interval], expert_share: float | None) -> _Layout:
    """One row a window; drafted tokens where they are counted, touched experts where their share is given."""
    steps_counted = all(window.steps is not None for window in windows)
    names = ["idle", "per_step", "per_prompt_token", "per_generated_token"]
    units = ["W", "J" if steps_counted else "W while busy", "J", "J"]
    columns = [[window.seconds for window in windows]]
    columns.append([(window.steps if steps_counted else window.busy_seconds) or 0.0 for window in windows])
    columns.append([window.uncached_prompt_tokens for window in windows])
    columns.append([window.generated_tokens for window in windows])
    drafted = [window.drafted_tokens or 0.0 for window in windows]
    if any(drafted):
        names.append("per_drafted_token")
        units.append("J")
        columns.append(drafted)
    coarse = None
    if expert_share is not None and steps_counted:
        names.append("experts_per_step")
        units.append("J")
        columns.append(_list_touched(intervals, windows, expert_share))
        coarse = np.array([*columns[:-1], _list_touched(windows, windows, expert_share)]).T
    starts = np.array([window.start for window in windows])
    return _Layout(tuple(names), tuple(units), np.array(columns).T, starts, coarse)


def _list_touched(intervals: Sequence[Interval], windows: Sequence[Interval], expert_share: float) -> list[float]:
    """Of each window: its steps, each times the part of the experts that it reads. From the intervals, since a mean
    batch over a whole window would read too many.
    """
    found = [0.0] * len(windows)
    place = 0
    for interval in intervals:
        while place < len(windows) and windows[place].end <= interval.start + 1e-6:
            place += 1
        if place < len(windows) and interval.start >= windows[place].start - 1e-6 and interval.steps:
            found[place] += _touched_steps(interval, interval.steps, expert_share)
    return found


def _touched_steps(interval: Interval, steps: float, expert_share: float) -> float:
    """A step that reads a prompt touches all experts; one that only decodes as many as its batch does."""
    reading = steps * (1 - math.exp(-(interval.first_tokens or 0.0) / steps))
    batch = ((interval.drafted_tokens or 0.0) + interval.generated_tokens) / steps
    touched: float = reading + (steps - reading) * (1 - (1 - expert_share) ** batch)
    return touched


def _fold(layout: _Layout, coefficients: Array) -> tuple[float, float, float, float]:
    """Four coefficients that share out the same energy: drafts go to the generated tokens, experts to the steps."""
    totals = layout.columns.sum(axis=0)
    folded = [float(value) for value in coefficients[:4]]
    for index, name in enumerate(layout.names[4:], 4):
        onto = 3 if name == "per_drafted_token" else 1
        if totals[onto] > 0:
            folded[onto] += float(coefficients[index] * totals[index] / totals[onto])
    first, second, third, fourth = folded
    return first, second, third, fourth


def _describe_short(windows: Sequence[Interval], memory: float, blocks: int) -> str:
    """Why no term has an interval; empty where they have."""
    if blocks >= LEAST_BLOCKS:
        return ""
    seconds = sum(window.seconds for window in windows)
    times = LEAST_BLOCKS / max(blocks, 1)
    return (
        f"the noise stays the same for about {memory * seconds / len(windows):,.0f} s, too long for a recording of"
        f" {seconds:,.0f} s: record {math.ceil(times * seconds):,} s or more"
    )


class _Fit(NamedTuple):
    columns: Array
    joules: Array
    coefficients: Array
    """Of ordinary least squares: a term may be below 0."""
    halves: Array
    """Half of each 95 % interval, as far as noise goes."""
    idle_known: bool
    deviations: tuple[Deviation, ...]
    memory: float
    too_short: str


def _make_term(fit: _Fit, index: int, name: str, unit: str) -> Term:
    value = max(0.0, float(fit.coefficients[index]))
    half, reason = _judge(fit, index, name, value)
    return Term(name, unit, None, None, reason) if reason else Term(name, unit, value, half)


def _judge(fit: _Fit, index: int, name: str, value: float) -> tuple[float, str]:
    """Half of the 95 % interval, and why the term is not identifiable; empty where it is."""
    unknown = _find_obstacle(fit, index, name)
    if unknown:
        return 0.0, unknown
    by_noise = float(fit.halves[index])
    worst = max(fit.deviations, key=lambda one: abs(one.shifts[index]), default=None)
    by_deviation = abs(worst.shifts[index]) if worst is not None else 0.0
    half = by_noise + by_deviation
    # A term that carries next to nothing is known to be small even if its relative error is large.
    negligible = half * float(fit.columns[:, index].mean()) < 0.02 * float(fit.joules.mean())
    if half <= MOST_RELATIVE_ERROR * value or negligible:
        return half, ""
    if worst is not None and by_deviation > by_noise:
        return half, f"{worst.explanation}; {worst.advice}"
    return half, f"its 95 % interval is {value:.3g} +- {half:.2g}; watch longer or vary the load"


def _find_obstacle(fit: _Fit, index: int, name: str) -> str:
    """What makes any figure for the term impossible, whatever its error; empty: nothing."""
    columns = fit.columns
    if not columns[:, index].any():
        return f"there was no {_describe_term(name)} in any window"
    others = [
        other
        for other in range(1 if fit.idle_known else 0, columns.shape[1])
        if other != index and columns[:, other].any()
    ]
    tolerance, partner = _measure_tolerance(columns, index, others)
    if tolerance < LEAST_TOLERANCE:
        other = _describe_term(NAMES[partner] if partner < len(NAMES) else "")
        return f"it cannot be separated from {other}: at this load the two grow together; vary the load"
    void = next((one for one in fit.deviations if one.voids_terms), None)
    if void is not None and index > 0:
        return f"{void.explanation}; {void.advice}"
    return fit.too_short


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


def _cross_validate(columns: Array, joules: Array, quiet: Sequence[QuietReading]) -> float:
    """Five blocks of windows in order of time; each is foretold by a fit to the four others."""
    fit = BlockDesign(columns, joules, np.arange(len(joules), dtype=np.float64), (), 5)
    idle = mean_watts(quiet) if quiet else None
    blocks = np.array_split(np.arange(len(joules)), 5)
    errors: list[float] = []
    for block, coefficients in zip(blocks, fit.fit_without(idle), strict=True):
        foretold = columns[block] @ coefficients
        errors.extend(np.abs(foretold - joules[block]) / np.maximum(joules[block], 1e-9))
    return float(np.mean(errors))


def _describe_term(name: str) -> str:
    return {
        "idle": "idle time",
        "per_step": "steps",
        "per_prompt_token": "prompt tokens",
        "per_generated_token": "generated tokens",
        "per_drafted_token": "drafted tokens",
    }.get(name, "touched experts")
