"""Month-end forecasts at day 10, and alarms, over synthetic series whose future is known; loops also in logs."""

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from measured import machine, report
from modicum.insights.trends.fallen_yields import BEFORE_DAYS, RECENT_DAYS, judge_fall
from modicum.insights.trends.running_loops import find_running_loops
from modicum.insights.yields import YieldLine, build
from modicum.ledger.opening import open_store
from modicum.reports.forecast.anomalies import find_anomaly
from modicum.reports.forecast.month_end import forecast_month

HISTORY, MONTH, AT_DAY = 120, 30, 10
KINDS = ("steady", "working_week", "growing", "shrinking", "step_before", "bursty")
FLOOR_USD = 20.0
SPIKE = 4.0
TASK_KINDS = ("steady", "weekend", "wandering", "bursty")
FALL = 0.25
"""The default of `alerts.yield_fall`."""
REST_DAYS = 7
YIELD_SEEDS = 30
LOOP_REPEATS = 10
"""The default of `alerts.loop_repeats`."""


def series(kind: str, seed: int) -> np.ndarray:
    """Dollars of a team by day: `HISTORY` days before the month, and the month."""
    chance = np.random.default_rng([KINDS.index(kind), seed])
    days = np.arange(HISTORY + MONTH)
    week = chance.uniform(0.8, 1.2, 7)
    if kind != "steady":
        week[5:] = chance.uniform(0.05, 0.4, 2)
    level = np.full(len(days), chance.lognormal(5, 1))
    if kind == "growing":
        level *= np.exp(days * chance.uniform(0.002, 0.006))
    if kind == "shrinking":
        level *= np.exp(-days * chance.uniform(0.002, 0.006))
    if kind == "step_before":
        level[chance.integers(40, 110) :] *= chance.uniform(0.5, 2)
    spread = 0.45 if kind == "bursty" else chance.uniform(0.1, 0.3)
    wander = np.cumsum(chance.normal(0, 0.01, len(days)))
    return level * week[days % 7] * np.exp(chance.normal(0, spread, len(days)) + wander)


def forecasts(seeds: range) -> list[Mapping[str, float]]:
    found = []
    for kind in KINDS:
        for seed in seeds:
            days = series(kind, seed)
            true = days[HISTORY:].sum()
            made = forecast_month(days[: HISTORY + AT_DAY], AT_DAY, MONTH - AT_DAY)
            found.append(
                {
                    "kind": KINDS.index(kind),
                    "error": abs(made.expected_usd - true) / true,
                    "naive_error": abs(made.naive_usd - true) / true,
                    "is_within": made.low_usd <= true <= made.high_usd,
                    "width": (made.high_usd - made.low_usd) / true,
                }
            )
    return found


def alarms(seeds: range) -> tuple[float, float]:
    """False alarms an owner and month, and the share of planted days at four times their spend that are found."""
    false = judged = hits = planted = 0
    for kind in KINDS:
        for seed in seeds:
            days = series(kind, seed)
            for day in range(HISTORY, HISTORY + MONTH):
                judged += 1
                false += find_anomaly(days[: day + 1], FLOOR_USD) is not None
            spiked = days[: HISTORY + 1 + seed % MONTH].copy()
            spiked[-1] *= SPIKE
            planted += 1
            hits += find_anomaly(spiked, FLOOR_USD) is not None
    return false / judged * MONTH, hits / planted


def tasks(kind: str, seed: int, days: int, fall: float = 1.0) -> list[list[dict[str, Any]]]:
    """Cells of the tasks of each day, as the question `yield` gives them. From day `BEFORE_DAYS` on the share that
    passes is `fall` times what it was.
    """
    chance = np.random.default_rng([100 + TASK_KINDS.index(kind), seed])
    per_day, passing = chance.uniform(4, 14), chance.uniform(0.3, 0.95)
    level, spread = chance.lognormal(0, 0.7), chance.uniform(0.4, 1.1)
    hardness = np.cumsum(chance.normal(0, 0.02, days)) if kind == "wandering" else np.zeros(days)
    found = []
    for day in range(days):
        busy = chance.lognormal(0, 0.8) if kind == "bursty" else 1.0
        weekend = kind == "weekend" and day % 7 >= 5
        share = passing * (0.8 if weekend else 1.0) * np.exp(-max(hardness[day], 0.0))
        share *= fall if day >= BEFORE_DAYS else 1.0
        count = chance.poisson(per_day * busy * (0.3 if weekend else 1.0))
        costs = level * np.exp(chance.normal(0, spread, count) + hardness[day])
        passed = chance.random(count) < share
        found.append([_cell(f"{day}-{n}", costs[n], passed=bool(passed[n])) for n in range(count)])
    return found


def _cell(task: str, usd: float, *, passed: bool) -> dict[str, Any]:
    counts = {"calls": 1, "calls_uncounted": 0, "calls_unpriced": 0, "calls_unweighted": 0, "tokens": 1}
    bases = {"usage_basis": "exact", "output_basis": "exact", "cost_basis": "exact", "effective_tokens": 1.0}
    return {"name": "a", "task": task, "cost_usd": Decimal(f"{usd:.6f}"), "value_sum": float(passed), **counts, **bases}


def _is_fallen(days: Sequence[Sequence[dict[str, Any]]], today: int) -> tuple[bool, bool]:
    """By the rule; and by the baseline: an outcome costs that much more, whether by chance or not."""
    middle = today - RECENT_DAYS
    recent, before = _line(days[middle:today]), _line(days[middle - BEFORE_DAYS : middle])
    now, usual = recent.cost_per_outcome_usd.value, before.cost_per_outcome_usd.value
    is_dearer = now is None or usual is None or usual <= (1 - FALL) * now
    return judge_fall("passed", recent, before, FALL, FLOOR_USD) is not None, is_dearer


def _line(days: Sequence[Sequence[dict[str, Any]]]) -> YieldLine:
    return build([cell for day in days for cell in day], "passed", "team").total


def yield_alarms(seeds: range) -> dict[str, float]:
    """False alarms an owner and month where nothing fell, told as alerts are; and the share of halved yields that are
    found within a week. Each by the rule and by the baseline.
    """
    first, months = BEFORE_DAYS + RECENT_DAYS, len(TASK_KINDS) * len(seeds)
    false, hits = np.zeros(2), np.zeros(2)
    for kind in TASK_KINDS:
        for seed in seeds:
            days = tasks(kind, seed, first + MONTH)
            held = np.array([_is_fallen(days, today) for today in range(first, first + MONTH)])
            false += [_count_told(held[:, column]) for column in (0, 1)]
            hits += _is_fallen(tasks(kind, seed, first, fall=0.5), first)
    return {
        "yields.series": months,
        "yields.false_alarms_per_owner_month": false[0] / months,
        "yields.naive_false_alarms_per_owner_month": false[1] / months,
        "yields.found_at_half": hits[0] / months,
        "yields.naive_found_at_half": hits[1] / months,
    }


def _count_told(holds: Sequence[bool]) -> int:
    """Each time that it begins to hold, a week after the last time at the earliest."""
    told: list[int] = []
    for day, is_held in enumerate(holds):
        begins = is_held and not (day and holds[day - 1])
        if begins and (not told or day - told[-1] >= REST_DAYS):
            told.append(day)
    return len(told)


def loops_in(ledger: Path) -> tuple[int, int, float]:
    """Loops in a ledger that would be told at most (an hour's window can only have less of one), the conversations, and
    the months from its first call to its last.
    """
    store = open_store(str(ledger))
    found = find_running_loops(store, [("team", "")], datetime(1990, 1, 1, tzinfo=UTC), LOOP_REPEATS)
    span = {"since": datetime(1990, 1, 1, tzinfo=UTC), "until": datetime(2200, 1, 1, tzinfo=UTC)}
    calls = store.ask_columns("history_calls", **span)
    store.close()
    months = float(calls["started_s"].max() - calls["started_s"].min()) / 86_400 / MONTH
    return len(found), len(set(calls["conversation_name"])), months


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tuning", action="store_true", help="the half that thresholds were chosen on")
    parser.add_argument("--data", type=Path, help="a ledger with imported logs (DuckDB): how many loops it has")
    options = parser.parse_args()
    seeds = range(60) if options.tuning else range(1_000, 1_060)
    found = forecasts(seeds)
    errors = np.array([one["error"] for one in found])
    false, hits = alarms(seeds)
    figures: dict[str, object] = {
        "half": "tuning" if options.tuning else "evaluation",
        "series": len(found),
        "forecast.median_error": float(np.median(errors)),
        "forecast.within_10_percent": float(np.mean(errors <= 0.1)),
        "forecast.mean_error": float(errors.mean()),
        "forecast.naive_mean_error": float(np.mean([one["naive_error"] for one in found])),
        "forecast.coverage": float(np.mean([one["is_within"] for one in found])),
        "forecast.interval_width": float(np.median([one["width"] for one in found])),
        "anomalies.false_alarms_per_owner_month": false,
        "anomalies.found_at_four_times": hits,
        **yield_alarms(seeds[:YIELD_SEEDS]),
    }
    if options.data:
        loops, conversations, months = loops_in(options.data)
        figures |= {"loops.told_at_most": loops, "loops.conversations": conversations, "loops.months": months}
    for number, kind in enumerate(KINDS):
        own = [one for one in found if one["kind"] == number]
        figures[f"{kind}.mean_error"] = float(np.mean([one["error"] for one in own]))
        figures[f"{kind}.naive_mean_error"] = float(np.mean([one["naive_error"] for one in own]))
        figures[f"{kind}.coverage"] = float(np.mean([one["is_within"] for one in own]))
    report({**figures, "machine": machine()}, as_json=options.json)


if __name__ == "__main__":
    main()
