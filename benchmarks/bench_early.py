"""Can tasks that will fail be named early? `modicum outcome early-signs` on agent runs and on tasks of known truth."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import bench_loops
import measured
import tau2
from modicum.cli.terminal.output import print_json
from modicum.insights.early_signs.learning import MOST_FALSE, EarlyAdvice, learn
from modicum.insights.early_signs.signs import SIGNS, TaskSigns, task_signs

Source = tuple[str, TaskSigns, dict[str, bool]]


def read_sources(data: Path) -> list[tuple[str, list[bench_loops.Run]]]:
    paths = [(path, bench_loops.tau2_runs) for path in sorted((data / "tau2").glob("*__*.json.gz"))]
    paths += [(path, bench_loops.tau_runs) for path in sorted((data / "tau-bench").glob("*.json.gz"))]
    return [(tau2.stem(path), list(reader(path))) for path, reader in paths]


def advice_on(name: str, runs: list[bench_loops.Run], seed: int) -> EarlyAdvice:
    """The runs in a drawn order, since published runs have none of their own."""
    signs = task_signs(bench_loops.history_of(runs))
    failed = {task: not is_passed for task, is_passed, _ in runs}
    signs = replace(signs, began_s=np.random.default_rng(seed).permutation(len(signs.tasks)).astype(float))
    places = np.array([place for place, task in enumerate(signs.tasks) if task in failed])
    return learn(signs, places, np.array([failed[signs.tasks[place]] for place in places]), name)


def made_up(tasks: int, seed: int, *, telling: float, misleading: float) -> EarlyAdvice:
    """A third of the tasks fail; of these a share repeats itself from the third call on, and so does a share of the
    others. Lengths and errors say nothing.
    """
    draw = np.random.default_rng(seed)
    failed = draw.random(tasks) < 1 / 3
    bad = np.where(failed, draw.random(tasks) < telling, draw.random(tasks) < misleading)
    counts = draw.integers(4, 40, tasks)
    first = np.concatenate(([0], np.cumsum(counts)[:-1]))
    index = np.concatenate([np.arange(1, count + 1) for count in counts]).astype(float)
    running = {sign: np.zeros(len(index)) for sign in SIGNS}
    running |= {"calls": index, "prompt_tokens": index * 100, "completion_tokens": index * 10}
    running["repeated_results"] = np.repeat(bad, counts) * np.clip(index - 2, 0, None)
    running["failed_tools"] = np.concatenate([np.cumsum(draw.random(count) < 0.1) for count in counts]).astype(float)
    began = np.arange(tasks, dtype=float)
    signs = TaskSigns([f"t{n}" for n in range(tasks)], first, counts, began, began, index * 110, running)
    return learn(signs, np.arange(tasks), failed)


def simulate(tasks: int, seeds: int, *, telling: float, misleading: float) -> dict[str, object]:
    """How often a rule is on, and how often it is on although its true share of false alarms is above the limit."""
    truth = misleading * 2 / 3 / (misleading * 2 / 3 + telling / 3) if telling or misleading else 1.0
    found = [made_up(tasks, seed, telling=telling, misleading=misleading) for seed in range(seeds)]
    on = sum(one.is_on for one in found)
    return {
        "tasks": tasks,
        "failures_that_show": telling,
        "true_share_false": truth,
        "seeds": seeds,
        "on": on / seeds,
        "wrongly_on": on / seeds if truth >= MOST_FALSE else 0.0,
    }


CASES = (
    (300, 0.8, 0.0),
    (600, 0.8, 0.0),
    (1_200, 0.8, 0.0),
    (3_000, 0.8, 0.0),
    (3_000, 0.8, 0.004),
    (3_000, 0.8, 0.0082),
    (3_000, 0.8, 0.05),
    (3_000, 0.0, 0.0),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="folder with tau2/ and tau-bench/")
    options.add_argument("--seeds", type=int, default=200)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    sources = read_sources(given.data)
    if not sources:
        sys.exit(f"no result files in {given.data}/tau2 and {given.data}/tau-bench")
    every = [run for _, runs in sources for run in runs]
    advice = [advice_on(name, runs, 1) for name, runs in [*sources, ("all", every)]]
    cases = [
        simulate(tasks, given.seeds, telling=telling, misleading=misleading) for tasks, telling, misleading in CASES
    ]
    wrong = max(case["wrongly_on"] for case in cases)
    if given.json:
        print_json({"machine": measured.machine(), "early.wrongly_on_max": wrong, "advice": advice, "simulated": cases})
        return
    show(advice, cases)
    if wrong > 0.05:
        sys.exit(f"a rule is on in {wrong:.1%} of histories where it must not be")


def show(advice: list[EarlyAdvice], cases: list[dict]) -> None:
    print("| runs | learned on | rule | measured on | failed | alarms | false | at most | on |")
    print("|---|---:|---|---:|---:|---:|---:|---:|---|")
    for one in advice:
        figures = one.held_out
        rule = one.rule.text if one.rule else "none: " + one.why
        cells = ["", "", "", "", ""]
        if figures is not None:
            upper = figures.false_share_upper
            cells = [
                f"{figures.tasks}",
                f"{figures.failed}",
                f"{figures.alarms}",
                f"{figures.false_alarms}",
                "-" if upper is None else f"{upper * 100:.0f} %",
            ]
        print(f"| {one.owner} | {one.tasks_learned} | {rule} | {' | '.join(cells)} | {'yes' if one.is_on else 'no'} |")
    print()
    print("| tasks | failures that show | alarms that are false, in truth | histories | on | on and should not be |")
    print("|---:|---:|---:|---:|---:|---:|")
    for case in cases:
        print(
            f"| {case['tasks']:,} | {case['failures_that_show'] * 100:.0f} % | {case['true_share_false'] * 100:.1f} % "
            f"| {case['seeds']} | {case['on'] * 100:.1f} % | {case['wrongly_on'] * 100:.1f} % |"
        )


if __name__ == "__main__":
    main()
