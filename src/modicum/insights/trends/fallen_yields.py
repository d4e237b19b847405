"""Yields that fell: what one outcome cost in the last week beside the four weeks before, and not by chance."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import copysign, hypot, inf, log
from typing import Any

import msgspec

from modicum.insights.yields import Estimate, YieldLine, build
from modicum.ledger.asking.several_dimensions import BETWEEN
from modicum.ledger.store import Store
from modicum.statistics.ratios import ALL_ALIKE

RECENT_DAYS, BEFORE_DAYS = 7, 28
LEAST_TASKS = 20
"""With the outcome, on either side."""
LEAST_KNOWN = 0.8
"""Of the share of tasks that have the outcome: where fewer have it than before, the others are still to come, and
failures often come first."""
LEAST_RISE = 2.3
"""Standard errors; committed before the evaluation half of `scripts/bench forecast` was read."""
Z_95 = 1.96
CHANCE_OF_NONE = 0.002
"""That none of the last week's tasks has passed by chance."""
MOST_OUTCOMES = 20

Cell = Mapping[str, Any]


class FallenYield(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome of an owner that costs more than it did."""

    name: str
    """Whose, in the dimensions that were asked for."""
    outcome: str
    usd_each: float | None
    """What one cost in the last week; None: there was none."""
    usual_usd_each: float
    tasks: int
    """Of the last week, with the outcome."""
    tasks_failed: int


def find_fallen_yields(
    store: Store,
    dimensions: Sequence[tuple[str, str]],
    today: date,
    zone: str,
    outcomes: Iterable[str],
    least_fall: float,
    floor_usd: float,
) -> list[FallenYield]:
    """What fell, of the outcomes that are known.

    Args:
        store: the ledger.
        dimensions: by what owners are named, each with its tag.
        today: the first day that is not over.
        zone: in which days are cut.
        outcomes: names that are looked at whatever their values; others are where each task passes or fails.
        least_fall: by what share outcomes per dollar fell, at least.
        floor_usd: what the last week's tasks cost, at least.
    """
    since = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=RECENT_DAYS + BEFORE_DAYS + 1)
    by, tag = [*(one for one, _ in dimensions), "day"], [*(one for _, one in dimensions), ""]
    named, found = frozenset(outcomes), []
    for row in [row for row in store.ask("outcomes") if row["last_at"] >= since][:MOST_OUTCOMES]:
        outcome = row["name"]
        until = since + timedelta(days=RECENT_DAYS + BEFORE_DAYS + 3)
        cells = store.ask("yield", by=by, tag=tag, zone=zone, since=since, until=until, outcome=outcome)
        if outcome in named or _is_pass_or_fail(cells):
            recent, before = _cut(cells, today)
            for name, line in recent.items():
                if name in before and (fall := judge_fall(outcome, line, before[name], least_fall, floor_usd)):
                    found.append(fall)
    return sorted(found, key=lambda one: (one.name, one.outcome))


def judge_fall(
    outcome: str, recent: YieldLine, before: YieldLine, least_fall: float, floor_usd: float
) -> FallenYield | None:
    """Whether the yield fell; None: it did not, it may be chance, or there is too little to say."""
    now, usual = recent.cost_per_outcome_usd, before.cost_per_outcome_usd
    if min(now.tasks, usual.tasks) < LEAST_TASKS or float(recent.cost_usd or 0) < floor_usd:
        return None
    if not usual.value or _share_with_outcome(recent) < LEAST_KNOWN * _share_with_outcome(before):
        return None
    if now.value is None:
        if (before.tasks_failed / before.tasks) ** recent.tasks > CHANCE_OF_NONE:
            return None
    elif usual.value > (1 - least_fall) * now.value or (rise := _rise(now, usual)) is None or rise < LEAST_RISE:
        return None
    return FallenYield(
        name=recent.name,
        outcome=outcome,
        usd_each=now.value,
        usual_usd_each=usual.value,
        tasks=recent.tasks,
        tasks_failed=recent.tasks_failed,
    )


def _rise(now: Estimate, usual: Estimate) -> float | None:
    """How much dearer one is, in standard errors of the logarithm of that; None: one of the two has no interval."""
    widths = _width(now), _width(usual)
    if not (now.value and usual.value) or None in widths:
        return None
    width, rise = hypot(*filter(None, widths)), log(now.value / usual.value)
    return 2 * Z_95 * rise / width if width else copysign(inf, rise)


def _width(one: Estimate) -> float | None:
    """Of the interval, on the scale of logarithms; 0: all tasks are alike, so nothing of it is chance."""
    if one.low and one.high:
        return log(one.high / one.low)
    return 0.0 if one.no_interval == ALL_ALIKE else None


def _share_with_outcome(line: YieldLine) -> float:
    return line.tasks / (line.tasks + line.tasks_without_outcome)


def _is_pass_or_fail(cells: Iterable[Cell]) -> bool:
    return all(0 <= float(cell["value_sum"]) <= 1 for cell in cells if cell["value_sum"] is not None)


def _cut(cells: Iterable[Cell], today: date) -> tuple[dict[str, YieldLine], dict[str, YieldLine]]:
    """The last week and the four before it, by name. A task belongs to the day of its first call."""
    split = [(cell, *str(cell["name"]).rpartition(BETWEEN)[::2]) for cell in cells if cell["task"]]
    began: dict[str, str] = {}
    for cell, _, day in split:
        began[cell["task"]] = min(began.get(cell["task"], day), day)
    first = (today - timedelta(days=RECENT_DAYS + BEFORE_DAYS)).isoformat()
    middle, last = (today - timedelta(days=RECENT_DAYS)).isoformat(), today.isoformat()
    sides: tuple[list[Cell], list[Cell]] = [], []
    for cell, name, _ in split:
        day = began[cell["task"]]
        if first <= day < last:
            sides[day < middle].append({**cell, "name": name})
    recent, before = ({line.name: line for line in build(side, "", "team").rows} for side in sides)
    return recent, before
