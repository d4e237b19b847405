"""Month-end forecasts at day 10, and alarms, over synthetic series whose future is known."""

import argparse
from collections.abc import Mapping

import numpy as np

from measured import machine, report
from modicum.reports.forecast.anomalies import find_anomaly
from modicum.reports.forecast.month_end import forecast_month

HISTORY, MONTH, AT_DAY = 120, 30, 10
KINDS = ("steady", "working_week", "growing", "shrinking", "step_before", "bursty")
FLOOR_USD = 20.0
SPIKE = 4.0


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tuning", action="store_true", help="the half that thresholds were chosen on")
    parser.add_argument("--data", help="not used: the series are synthetic")
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
    }
    for number, kind in enumerate(KINDS):
        own = [one for one in found if one["kind"] == number]
        figures[f"{kind}.mean_error"] = float(np.mean([one["error"] for one in own]))
        figures[f"{kind}.naive_mean_error"] = float(np.mean([one["naive_error"] for one in own]))
        figures[f"{kind}.coverage"] = float(np.mean([one["is_within"] for one in own]))
    report({**figures, "machine": machine()}, as_json=options.json)


if __name__ == "__main__":
    main()
