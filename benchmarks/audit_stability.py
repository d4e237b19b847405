"""How far the fidelity of the replay can be trusted beyond these transcripts: intervals, halves, other constants."""

from dataclasses import replace

import numpy as np

from modicum.insights import caching
from modicum.insights.history import History
from modicum.insights.replay import Fidelity, Replay
from modicum.metering import prompt_cache
from modicum.metering.prices import PriceBook

DRAWS = 4000
OTHERS = (
    ("REPLY_S", (0.0, 5.0, 20.0)),
    ("FAR_BELOW", (0.5, 0.8, 0.95)),
    ("GUESSED_CAUSES", (frozenset(),)),
)
"""Constants of `caching`, and other values that they might have."""


def stability(history: History, prices: PriceBook) -> dict[str, float]:
    replays = Replay(history, prices)
    figures = {f"fidelity.{name}": value for name, value in bounds(history, replays).items()}
    for name, calls in halves(history).items():
        part = replays.fidelity(calls)
        figures |= {f"fidelity.{name}.total_error": part.total_error, f"fidelity.{name}.tasks": part.tasks}
    whole = replays.recorded.total_usd
    figures["fidelity.largest_person_share"] = float(replays.recorded.cost_usd[_largest_person(history)].sum()) / whole
    excused = np.bincount(history.task, np.where(replays.caching.unexplained, replays.recorded.cost_usd, 0))
    figures["fidelity.excused_tasks"] = int((excused > 0).sum())
    figures["fidelity.excused_largest_task_share"] = float(excused.max() / excused.sum()) if excused.any() else 0.0
    never = zero_effort(history, replays)
    figures |= {f"zero_effort.{name}": getattr(never, name) for name in ("total_error", "median_task_error")}
    for name, values in OTHERS:
        for value in values:
            other = with_constant(history, prices, name, value)
            key = f"with.{name}={'none' if isinstance(value, frozenset) else value}"
            figures |= {f"{key}.total_error": other.total_error, f"{key}.median_task_error": other.median_task_error}
    return figures


def bounds(history: History, replays: Replay) -> dict[str, float]:
    """95 % of 4,000 draws of as many tasks, with replacement; and how many of them would be within the promise."""
    tasks = len(history.tasks)
    record, base = (np.bincount(history.task, arm.cost_usd, tasks) for arm in (replays.recorded, replays.base))
    paid = record > 0
    record, base = record[paid], base[paid]
    drawn = np.random.default_rng(20261122).integers(0, len(record), (DRAWS, len(record)))
    total = base[drawn].sum(axis=1) / record[drawn].sum(axis=1) - 1
    middle = np.median((np.abs(base - record) / record)[drawn], axis=1)
    low, high = np.percentile(total, (2.5, 97.5))
    median_low, median_high = np.percentile(middle, (2.5, 97.5))
    return {
        "total_error_low": float(low),
        "total_error_high": float(high),
        "median_task_error_low": float(median_low),
        "median_task_error_high": float(median_high),
        "draws_within_2_and_3_percent": float(((np.abs(total) <= 0.02) & (middle <= 0.03)).mean()),
    }


def halves(history: History) -> dict[str, np.ndarray]:
    """Calls of the tasks that began earlier and later, of one person and the others, and of tasks by chance."""
    tasks = len(history.tasks)
    begun = np.full(tasks, np.inf)
    np.minimum.at(begun, history.task, history.started_s)
    earlier = (begun <= np.median(begun))[history.task]
    chance = (np.random.default_rng(3).permutation(tasks) % 2 == 0)[history.task]
    one = _largest_person(history)
    return {
        "earlier_half": earlier,
        "later_half": ~earlier,
        "largest_person": one,
        "others": ~one,
        "half_by_chance": chance,
        "other_half": ~chance,
    }


def _largest_person(history: History) -> np.ndarray:
    """The calls of whoever spent most, by the home folder that projects lie in."""
    homes = ["/".join(project.split("/")[:3]) for project in history.projects]
    names = sorted(set(homes))
    person = np.array([names.index(home) for home in homes])[history.project]
    spent = np.bincount(person, np.nan_to_num(history.cost_usd))
    return person == spent.argmax()


def zero_effort(history: History, replays: Replay) -> Fidelity:
    """A cache that never forgets: each call reads all that the call before it left; no breaks, no shared fronts."""
    known = replays.caching
    nothing = np.zeros(history.calls)
    calls = replace(known.calls, kept=np.full(history.calls, np.inf), minimum=nothing)
    for_ever = np.full(history.calls, np.inf)
    habits = replace(known.habits, ttl_left_s=for_ever, front=nothing, front_alone=nothing)
    return replays.fidelity(base=replays.price_prediction(prompt_cache.predict(calls, habits)))


def with_constant(history: History, prices: PriceBook, name: str, value: object) -> Fidelity:
    usual = getattr(caching, name)
    setattr(caching, name, value)
    try:
        return Replay(replace(history), prices).fidelity()  # a copy, which remembers nothing
    finally:
        setattr(caching, name, usual)
