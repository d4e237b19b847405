"""Sequences that repeat themselves: the same thing three times in a row, or a cycle of up to six things.

Arrays in, arrays out, in one pass per period, so that millions of tool calls take seconds.
"""

import numpy as np
import numpy.typing as npt

LONGEST_PERIOD = 6
REPEATS = 3
"""How often the same has to come in a row. Twice happens by chance and by care (read, edit, read again)."""
WAIT_SECONDS = 10.0
"""Who lets this much time pass between a reply and the next call is waiting for something."""


def find_loops(
    keys: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    *,
    questions: npt.NDArray[np.int64] | None = None,
    longest_period: int = LONGEST_PERIOD,
) -> npt.NDArray[np.int64]:
    """For every place of a sequence the period of the loop in which it is a third or later repeat; 0: none.

    Args:
        keys: what happened at each place; negative ones equal nothing, not even themselves.
        groups: sequences stand one behind the other; places of different groups are never compared.
        questions: what was asked at each place, the answer left out. Where the place behind a repetition asks what the
            cycle would have asked, and gets another answer, somebody waited for a change and it came: no loop.
        longest_period: in places.
    """
    found = np.zeros(len(keys), np.int64)
    for period in range(longest_period, 0, -1):
        marked = _mark_repeats(keys, groups, questions, period)
        found[marked] = period
    return found


def _mark_repeats(
    keys: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    questions: npt.NDArray[np.int64] | None,
    period: int,
) -> npt.NDArray[np.bool_]:
    count = len(keys)
    marked = np.zeros(count, np.bool_)
    if count <= period:
        return marked
    near = groups[period:] == groups[:-period]
    same = np.zeros(count, np.bool_)
    same[period:] = near & (keys[period:] == keys[:-period]) & (keys[period:] >= 0)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    looped = ends - starts >= (REPEATS - 1) * period
    if questions is not None:
        behind = np.minimum(ends, count - 1)
        goes_on = (ends < count) & (groups[behind] == groups[starts])
        looped &= ~(goes_on & (questions[behind] == questions[behind - period]))
    for start, end in zip(starts[looped], ends[looped], strict=True):
        marked[start + (REPEATS - 2) * period : end] = True
    return marked


def find_runs(flags: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64], fewest: int) -> list[slice]:
    """Where a flag stands so many times in a row or more, within one group."""
    joined = np.zeros(len(flags), np.bool_)
    joined[1:] = flags[1:] & flags[:-1] & (groups[1:] == groups[:-1])
    edges = np.flatnonzero(np.diff(np.concatenate((joined, [False])).astype(np.int8), prepend=0))
    spans = (slice(int(start) - 1, int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True))
    return [span for span in spans if span.stop - span.start >= fewest]


def backs_off(times: npt.NDArray[np.float64]) -> bool:
    """Whether the gaps between these times grow, as those of a client that retries with backoff: none is shorter than
    the one before it by more than a tenth, and the last is twice the first or longer.
    """
    gaps = np.diff(times)
    if len(gaps) < 2 or gaps[0] <= 0:
        return False
    return bool((gaps[1:] >= 0.9 * gaps[:-1]).all() and gaps[-1] >= 2 * gaps[0])
