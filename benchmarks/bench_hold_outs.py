"""Rules that change nothing: how often `optimize report` says all the same that they save, or do harm."""

import argparse
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from measured import machine
from modicum.cli.terminal.output import print_json
from modicum.experiments.experiment import Arm, ChangeKind, Experiment
from modicum.experiments.gate import Verdict
from modicum.experiments.grading import SpendComparison, TrialTask, grade
from modicum.statistics.proportions import wilson
from modicum.statistics.randomised import RatioInTime, ratio_of_means

STARTED = datetime(2026, 11, 1, tzinfo=UTC)
TASKS = (5, 20, 100, 500)
HOLD_OUTS = (0.1, 0.5)
LOOKS = 10
SUCCESS = 0.8
MARGIN = 0.05
SEED = 20_261_201
SPEND = {"saves", "costs"}

Costs = Callable[[np.random.Generator, int], np.ndarray]
"""Dollars of so many tasks, of which none is changed by anything."""


def alike(random: np.random.Generator, count: int) -> np.ndarray:
    return random.lognormal(0, 0.5, count)


def heavy(random: np.random.Generator, count: int) -> np.ndarray:
    """Log-normal with sigma 1.6: few tasks take most of the bill."""
    return random.lognormal(0, 1.6, count)


def endless(random: np.random.Generator, count: int) -> np.ndarray:
    """Pareto with 1.5: a mean, and no variance."""
    return 1 + random.pareto(1.5, count)


def owners(random: np.random.Generator, count: int) -> np.ndarray:
    """Ten tasks in a row are of one owner, whose tasks are all large or all small."""
    owner = np.repeat(random.lognormal(0, 1, count // 10 + 1), 10)[:count]
    return owner * random.lognormal(0, 0.5, count)


SETTINGS: dict[str, Costs] = {"alike": alike, "heavy": heavy, "endless": endless, "owners": owners}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = [
        {"dollars": name, "hold_out": hold_out, "tasks": tasks, **simulate(costs, hold_out, tasks, options.seeds)}
        for name, costs in SETTINGS.items()
        for hold_out in HOLD_OUTS
        for tasks in TASKS
    ]
    if options.json:
        print_json({"machine": machine(), "seeds": options.seeds, "looks": LOOKS, "settings": rows})
        return
    print(
        "| dollars | held out | tasks | interval given | says it saves | says it costs more | says so at any of "
        f"{LOOKS} looks | says that outcomes suffer |\n|---|---|---:|---:|---:|---:|---:|---:|"
    )
    for row in rows:
        figures = " | ".join(f"{row[key]:.1%}" for key in ("given", "saves", "costs", "ever", "harm"))
        print(f"| {row['dollars']} | {row['hold_out']:.0%} | {row['tasks']} | {figures} |")
    most = max(row["ever"] for row in rows)
    low, high = wilson(round(most * options.seeds), options.seeds)
    print(f"the most at any look: {most:.1%} ({low:.1%} to {high:.1%}) of {options.seeds} seeds")


def simulate(costs: Costs, hold_out: float, count: int, seeds: int) -> dict[str, float]:
    """Shares of the seeds."""
    found: Counter[str] = Counter()
    for seed in range(seeds):
        random = np.random.default_rng((SEED, seed, count))
        tasks = make_tasks(random, costs, hold_out, count)
        looks = sorted({max(2, count * look // LOOKS) for look in range(1, LOOKS + 1)})
        last = claims(tasks, hold_out)
        found.update(last)
        dollars, changed = [task.cost_usd or 0.0 for task in tasks], [task.arm is Arm.CHANGED for task in tasks]
        found["ever"] += bool(last & SPEND) or any(
            of_interval(ratio_of_means(dollars[:look], changed[:look])) & SPEND for look in looks[:-1]
        )
    return {key: found[key] / seeds for key in ("given", "saves", "costs", "ever", "harm")}


def make_tasks(random: np.random.Generator, costs: Costs, hold_out: float, count: int) -> list[TrialTask]:
    """Tasks with their arms drawn by lot, as the gateway does; costs and outcomes know nothing of the arm."""
    dollars, passed, lot = costs(random, count), random.random(count) < SUCCESS, random.random(count)
    return [
        TrialTask(
            task=f"t{number:05d}",
            arm=Arm.HOLD_OUT if lot[number] < hold_out else Arm.CHANGED,
            began=STARTED + timedelta(minutes=number),
            calls=1,
            calls_failed=0,
            calls_concerned=1,
            calls_applied=0,
            effective_tokens=float(dollars[number]),
            cost_usd=float(dollars[number]),
            outcome_low=float(passed[number]),
            outcome_high=float(passed[number]),
        )
        for number in range(count)
    ]


def claims(tasks: list[TrialTask], hold_out: float) -> set[str]:
    """What a reader of the report would take from it: an interval below or above 100 %, or a verdict of harm."""
    one = Experiment(
        name="rule", kind=ChangeKind.RULE, subject="rule", outcome="passed", margin=MARGIN, hold_out=hold_out,
        started_at=STARTED,
    )  # fmt: skip
    found = grade(one, tasks)
    return of_interval(found.cost) | ({"harm"} if found.verdict is Verdict.ROLL_BACK else set())


def of_interval(ratio: RatioInTime | SpendComparison) -> set[str]:
    if ratio.low is None or ratio.high is None:
        return set()
    return {"given"} | ({"saves"} if ratio.high < 1 else {"costs"} if ratio.low > 1 else set())


if __name__ == "__main__":
    main()
