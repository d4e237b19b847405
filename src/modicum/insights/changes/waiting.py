"""Seconds: how long a user waits for the first token, by what a prompt holds, as the log itself shows it.

Where first tokens are on record (a gateway, spans) the time from request to first token is measured. Logs of agents do
not have it. There, what passes between a reply and the first block of the next one, with nothing in between but tools
that answer at once, is taken for it: an estimate, which holds the writing of that block too.

One line is fitted through all of them: so many seconds for a call to this model, more for every token that has to be
computed, and a little for every token that is read from the cache. It is fitted to the median, so that a person who was
asked for permission in between does not count; and it is drawn again with other tasks, which gives its interval.
"""

from dataclasses import dataclass, field

import msgspec
import numpy as np

from modicum.calls.words.counted_nouns import number_of
from modicum.insights.caching import REPLY_TIMED
from modicum.insights.history import Flags, Floats, History, Ints, once_per_history
from modicum.insights.replay import HistoryReplay

INSTANT_TOOLS = frozenset(
    {"Read", "Grep", "Glob", "LS", "TodoWrite", "read_file", "list_directory", "search_file_content"}
)
"""Tools that answer within milliseconds and ask nobody."""
LONGEST_S = 300.0
"""Longer waits are no waits for a model."""
FEWEST_CALLS = 50
FEWEST_OF_MODEL = 30
"""Calls from which on a model has a time of its own."""
ROUNDS = 12
SMALLEST_S = 0.05
"""Distances from the line below it count as this one."""
DRAWS = 200
SURE = (2.5, 97.5)
_THOUSAND = 1000.0


class FirstTokenTime(msgspec.Struct, frozen=True, kw_only=True):
    """What a call waits for its first token, beside what is the same for all calls to its model."""

    basis: str
    """`measured`, `estimated` (from pauses of agents' logs), or empty: nothing is known."""
    calls: int
    """Calls that it was fitted to."""
    why_unknown: str = ""
    computed_s: float | None = None
    """Seconds for a thousand tokens that are not read from the cache."""
    computed_low_s: float | None = None
    computed_high_s: float | None = None
    read_s: float | None = None
    """The same for a thousand that are read."""
    read_low_s: float | None = None
    read_high_s: float | None = None
    median_s: float | None = None
    """Of the calls that it was fitted to."""


class WaitingSaved(msgspec.Struct, frozen=True, kw_only=True):
    """What a change does to waiting for first tokens, over all calls. Negative: longer."""

    seconds: float
    low_s: float
    high_s: float
    per_call_s: float
    """Of the calls that are still made: the mean."""


@dataclass(frozen=True)
class _Fit:
    time: FirstTokenTime
    models: list[int] = field(default_factory=list)
    """Codes of models with a time of their own; the first column is that of all others."""
    draws: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    """A row for the line itself, then one for each draw of tasks: seconds of models, computed and read tokens."""


@once_per_history
def fit_first_token_time(history: History) -> _Fit:
    """The line through the waits of this history."""
    measured = history.first_token_s - history.started_s
    basis, waits = "measured", measured
    if int((measured > 0).sum()) < FEWEST_CALLS:
        basis, waits = "estimated", _find_pauses(history)
    calls = np.flatnonzero((waits > 0) & (waits <= LONGEST_S))
    if len(calls) < FEWEST_CALLS:
        why = (
            f"only {number_of(len(calls), 'call shows', 'calls show')} when their first token came; at least "
            f"{FEWEST_CALLS} are needed, from a gateway or from an agent's log with tool calls"
        )
        return _Fit(FirstTokenTime(basis="", calls=len(calls), why_unknown=why))
    counts = np.bincount(history.model[calls], minlength=len(history.models))
    models = [int(code) for code in np.flatnonzero(counts >= FEWEST_OF_MODEL)][1:]
    table = _tabulate(history, models)[calls]
    draws = _draw_lines(table, waits[calls], history.task[calls])
    low, high = np.percentile(draws[1:, -2:], SURE, axis=0) * _THOUSAND
    line = draws[0, -2:] * _THOUSAND
    return _Fit(
        FirstTokenTime(
            basis=basis,
            calls=len(calls),
            computed_s=float(line[0]),
            computed_low_s=float(low[0]),
            computed_high_s=float(high[0]),
            read_s=float(line[1]),
            read_low_s=float(low[1]),
            read_high_s=float(high[1]),
            median_s=float(np.median(waits[calls])),
        ),
        models,
        draws,
    )


def waiting_saved(history: History, replayed: HistoryReplay) -> WaitingSaved | None:
    """How much sooner first tokens would have come, all calls together; None: the log does not show how long they take.

    Only what prompts hold is changed: the time that a model takes is that of the calls to it.
    """
    fit = fit_first_token_time(history)
    if not fit.time.basis:
        return None
    base, changed = replayed.base, replayed.changed
    made = (changed.prompt > 0) | (base.prompt == 0)
    table = _tabulate(history, fit.models)
    table[:, :-2] *= ~made[:, None]  # a call that is still made takes its time
    table[:, -2] = (base.prompt - base.read) - (changed.prompt - changed.read)
    table[:, -1] = base.read - changed.read
    sums = table.sum(axis=0) @ fit.draws.T
    low, high = np.percentile(sums[1:], SURE)
    staying = (table[made].sum(axis=0) @ fit.draws[0]) / max(int(made.sum()), 1)
    return WaitingSaved(seconds=float(sums[0]), low_s=float(low), high_s=float(high), per_call_s=float(staying))


def _find_pauses(history: History) -> Floats:
    """Seconds from a reply to the next one of an agent, where only instant tools lie in between; else NaN. (C,)"""
    results = history.segment_kind == history.code_of(history.kinds, "tool_result")
    users = history.segment_kind == history.code_of(history.kinds, "user")
    instant = np.isin(history.segment_tool, [code for code, tool in enumerate(history.tools) if tool in INSTANT_TOOLS])
    has_result = _have(history, results)
    disturbed = _have(history, users | (results & ~instant))
    timed = np.isin(history.source, [code for code, source in enumerate(history.sources) if source in REPLY_TIMED])
    ended = np.where(np.isnan(history.finished_s), history.started_s, history.finished_s)
    pauses = np.full(history.calls, np.nan)
    pauses[1:] = history.started_s[1:] - ended[:-1]
    return np.where(timed & has_result & ~disturbed & ~history.first, pauses, np.nan)


def _have(history: History, segments: Flags) -> Flags:
    """The calls to which such a segment came. (C,)"""
    has: Flags = np.bincount(history.segment_call[segments], minlength=history.calls) > 0
    return has


def _tabulate(history: History, models: list[int]) -> Floats:
    """For every call a column for all models, one for each that has a time of its own, and its computed and read
    tokens.
    """
    own = [history.model == code for code in models]
    computed = history.prompt - history.cache_read
    return np.column_stack((np.ones(history.calls), *own, computed, history.cache_read)).astype(np.float64)


def _draw_lines(table: Floats, waits: Floats, task: Ints) -> Floats:
    """The line through the median, and the same for other draws of tasks. Tokens make no call faster: where a line says
    so, that part of it is 0.
    """
    weights = np.ones(len(waits))
    for _ in range(ROUNDS):  # least squares, with weights that turn squares into distances
        line = _solve((table * weights[:, None]).T @ table, (table * weights[:, None]).T @ waits)
        weights = 1 / np.maximum(np.abs(waits - table @ line), SMALLEST_S)
    codes = np.unique(task, return_inverse=True)[1]
    tasks, columns = int(codes.max()) + 1, table.shape[1]
    squares, sides = np.zeros((tasks, columns, columns)), np.zeros((tasks, columns))
    weighed = table * weights[:, None]
    np.add.at(squares, codes, weighed[:, :, None] * table[:, None, :])
    np.add.at(sides, codes, weighed * waits[:, None])
    random = np.random.default_rng(0)
    lots = random.multinomial(tasks, np.full(tasks, 1 / tasks), DRAWS)
    drawn = [_solve(np.tensordot(lot, squares, 1), lot @ sides) for lot in lots]
    return np.array([line, *drawn])


def _solve(squares: Floats, sides: Floats) -> Floats:
    """Least squares in which the last two parts are not negative."""
    line = _least(squares, sides)
    negative = [place for place in (len(sides) - 2, len(sides) - 1) if line[place] < 0]
    if negative:
        stays = np.setdiff1d(np.arange(len(sides)), negative)
        line = np.zeros(len(sides), np.float64)
        line[stays] = _least(squares[np.ix_(stays, stays)], sides[stays])
        line[-2:] = np.maximum(line[-2:], 0)
    return line


def _least(squares: Floats, sides: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(squares, sides, rcond=None)[0], np.float64)
