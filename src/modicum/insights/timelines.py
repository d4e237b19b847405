"""A history day by day, and call by call for the task whose prompt cache was lost at the greatest cost."""

from datetime import UTC, datetime, timedelta, tzinfo

import msgspec
import numpy as np
import numpy.typing as npt

from modicum.insights.history import Flags, History

MOST_CALLS = 400
"""Calls of a task that are listed; of longer ones the first."""
FAR_BELOW = 0.9
CLOCK_STEP_S = 900
"""Clocks of a zone are set to another offset at a quarter of an hour of UTC at the earliest."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    date: str
    """In the zone that was asked for."""
    calls: int
    cost_usd: float
    input_uncached: int
    cache_read: int
    cache_write: int
    output: int
    tasks_with_outcome: int
    """Tasks that began that day and of which an outcome is known."""
    outcome_value: float
    """Sum of their values."""


class CachedCall(msgspec.Struct, frozen=True, kw_only=True):
    call_id: str
    minutes: float
    """Since the task's first call."""
    prompt_tokens: int
    cache_read: int
    lost: str = ""
    """Why it read far less than stood in the cache; empty where it did not."""


class CacheTimeline(msgspec.Struct, frozen=True, kw_only=True):
    task: str
    written_again_usd: float
    calls: list[CachedCall]
    calls_left_out: int


def list_days(history: History, zone: tzinfo = UTC) -> list[Day]:
    """One row for every day that had calls."""
    day = _days_in(history.started_s, zone)
    values = history.task_values if history.task_values is not None else np.full(len(history.tasks), np.nan)
    earliest = np.full(len(history.tasks), np.iinfo(np.int64).max)
    np.minimum.at(earliest, history.task, day)
    has_outcome = ~np.isnan(values)
    written = history.cache_write_5m + history.cache_write_1h
    found = []
    for number in np.unique(day):
        mine, tasks = day == number, has_outcome & (earliest == number)
        found.append(
            Day(
                date=f"{datetime.fromtimestamp(int(number) * 86_400, UTC):%Y-%m-%d}",
                calls=int(mine.sum()),
                cost_usd=float(np.nansum(history.cost_usd[mine])),
                input_uncached=int(history.uncached[mine].sum()),
                cache_read=int(history.cache_read[mine].sum()),
                cache_write=int(written[mine].sum()),
                output=int((history.output_visible + history.output_reasoning)[mine].sum()),
                tasks_with_outcome=int(tasks.sum()),
                outcome_value=float(values[tasks].sum()),
            )
        )
    return found


def _days_in(seconds: npt.NDArray[np.float64], zone: tzinfo) -> npt.NDArray[np.int64]:
    """The number of each moment's day since 1970, as the clocks of a zone stood."""
    slots, which = np.unique(np.floor_divide(seconds, CLOCK_STEP_S), return_inverse=True)
    ahead = [datetime.fromtimestamp(slot * CLOCK_STEP_S, zone).utcoffset() for slot in slots.tolist()]
    offsets = np.array([(offset or timedelta()).total_seconds() for offset in ahead])
    return np.asarray(np.floor_divide(seconds + offsets[which], 86_400), dtype=np.int64)


def build_cache_timeline(history: History) -> CacheTimeline | None:
    """The conversation in which losing the cache cost most; None where no cache was lost."""
    lost = find_lost_caches(history)
    if not lost.any():
        return None
    written = history.cost_cache_write_5m_usd + history.cost_cache_write_1h_usd
    again = np.where(lost, np.nan_to_num(written), 0.0)
    by_conversation = np.bincount(history.conversation, again)
    worst = np.flatnonzero(history.conversation == int(by_conversation.argmax()))
    shown = worst[:MOST_CALLS]
    return CacheTimeline(
        task=history.tasks[history.task[worst[0]]],
        written_again_usd=float(by_conversation.max()),
        calls=[
            CachedCall(
                call_id=history.entry_ids[call],
                minutes=float(history.started_s[call] - history.started_s[worst[0]]) / 60,
                prompt_tokens=int(history.prompt[call]),
                cache_read=int(history.cache_read[call]),
                lost=find_reason(history, call) if lost[call] else "",
            )
            for call in shown.tolist()
        ],
        calls_left_out=len(worst) - len(shown),
    )


def find_lost_caches(history: History) -> Flags:
    """Calls that read far less than the call before them had left in the cache."""
    left = np.zeros(history.calls, np.int64)
    left[1:] = np.where(history.first[1:], 0, (history.prompt - history.uncached)[:-1])
    cached = history.cache_write_5m + history.cache_write_1h + history.cache_read > 0
    lost: Flags = cached & (left > 0) & (history.cache_read < FAR_BELOW * left)
    return lost


def find_reason(history: History, call: int) -> str:
    """Why the cache of a call was lost, as far as the record tells."""
    cause: str = history.break_causes[history.break_cause[call]]
    if cause:
        return cause
    if history.model[call] != history.model[call - 1]:
        return "another model"
    pause = float(history.started_s[call] - history.started_s[call - 1]) / 60
    if pause < 5:
        return "no cause on record"
    return f"a pause of {pause:.0f} minutes" if pause < 120 else f"a pause of {pause / 60:.0f} hours"
