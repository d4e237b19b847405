"""How often `modicum check` finds a change of +10 %, and fails one that changes nothing: on a synthetic project."""

import argparse
import json
import math

import numpy as np

from modicum.calls.task_result import TaskResult
from modicum.experiments.builds.build_check import CheckRules, check_build

RISE = 0.1
SEEDS = 200
TASKS, RUNS = 60, 3
BETWEEN, WITHIN = 0.8, 0.25
"""Spread of the logarithm of a task's tokens: between tasks, and between runs of one."""
SURE = 0.7
"""Share of tasks that are always resolved; the others in half of their runs."""


def project(
    chance: np.random.Generator, tasks: int, runs: int, rise: float
) -> tuple[list[TaskResult], list[TaskResult]]:
    """The runs of a project before and after a change that takes so many times more."""
    sizes = np.exp(chance.normal(math.log(40_000), BETWEEN, tasks))
    resolved = np.where(chance.random(tasks) < SURE, 1.0, 0.5)
    sides: tuple[list[TaskResult], list[TaskResult]] = ([], [])
    for side, factor in zip(sides, (1.0, 1.0 + rise), strict=True):
        for task in range(tasks):
            for run in range(runs):
                tokens = sizes[task] * factor * math.exp(chance.normal(0, WITHIN))
                cost = tokens * 1.1e-6 * math.exp(chance.normal(0, 0.1))  # replies and the cache differ, too
                side.append(
                    TaskResult(
                        arm="",
                        task=f"t{task}",
                        run_id=f"{task}/{run}",
                        outcome=float(chance.random() < resolved[task]),
                        total_tokens=round(tokens),
                        cost_usd=cost,
                    )
                )
    return sides


def share_raised(tasks: int, runs: int, rise: float, seeds: int) -> float:
    raised = 0
    for seed in range(seeds):
        before, after = project(np.random.default_rng([20, tasks, runs, seed]), tasks, runs, rise)
        raised += check_build(before, after, CheckRules()).is_raised
    return raised / seeds


def measure(seeds: int, *, alone: bool) -> dict[str, object]:
    figures: dict[str, object] = {
        "check.seeds": seeds,
        "check.tasks": TASKS,
        "check.runs": RUNS,
        "check.detected": share_raised(TASKS, RUNS, RISE, seeds),
        "check.false_alarms": share_raised(TASKS, RUNS, 0.0, seeds),
        "check.false_alarms_cheaper": share_raised(TASKS, RUNS, -RISE, seeds),
    }
    if not alone:
        figures["check.sizes"] = [
            {
                "tasks": tasks,
                "runs": runs,
                "detected": share_raised(tasks, runs, RISE, seeds),
                "false_alarms": share_raised(tasks, runs, 0.0, seeds),
            }
            for tasks, runs in ((20, 1), (20, 3), (40, 3), (60, 1), (100, 1), (100, 3))
        ]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--alone", action="store_true", help="the one project only, without other sizes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.seeds, alone=options.alone)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if not isinstance(value, list):
            print(f"{name:28} {value}")
            continue
        print("\n| tasks | runs of each | +10 % found | false alarms |\n|---:|---:|---:|---:|")
        for row in value:
            print(f"| {row['tasks']} | {row['runs']} | {row['detected']:.1%} | {row['false_alarms']:.1%} |")


if __name__ == "__main__":
    main()
