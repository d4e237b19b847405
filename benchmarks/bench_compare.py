"""What eleven token savers save, what a success costs, and a claim of fewer tokens: `compare` on public results."""

import argparse
import csv
import gzip
import json
import math
import re
import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter

import numpy as np

import measured
import tau2
from modicum.calls import Problem
from modicum.calls.task_result import TaskResult
from modicum.cli.terminal.output import print_json
from modicum.experiments.comparison import ArmComparison, compare
from modicum.experiments.comparison_pairs import ComparisonRules
from modicum.importers.task_results.read_results import read_task_results
from modicum.importers.task_results.result_format import ResultOptions
from modicum.metering.tokens import count_tokens
from modicum.statistics.task_ratios import geometric_ratio

RULES = ComparisonRules()
CostsOfTasks = dict[str, dict[str, list[float]]]
EXPECTED = {"tokenade": (0.838, 0.718, 0.939), "rtk": (1.107, 1.036, 1.194), "headroom": (1.350, 1.149, 1.655)}
"""By an earlier count of the same file, with a bootstrap of its own."""
SAVERS = "thol/runs-2.1.183.csv.gz"
AIRLINE = ("azure-gpt-4o-2024-11-20", "claude-sonnet-4-5", "adaptive-opus46", "gpt-oss-120b")
# An older and a newer model of one house, and of one price class or the next.
NEWER = [
    ("claude-3-haiku-20240307", "claude-3-5-haiku-20241022"),
    ("claude-3-opus-20240229", "claude-3-5-sonnet-20241022"),
    ("gpt-3.5-turbo-0125", "gpt-4o-mini-2024-07-18"),
    ("gpt-4o-2024-08-06", "o1-mini-2024-09-12"),
]


def results_of(paths: list[Path], **options: str) -> list[TaskResult]:
    return [item for item in read_task_results(paths, ResultOptions(**options)) if not isinstance(item, Problem)]


def savers(data: Path) -> dict:
    begun = perf_counter()
    comparison = compare(results_of([data / SAVERS]), RULES, baseline="control")
    by_hand, bootstrap = ratios_by_hand(data / SAVERS)
    return {"comparison": comparison, "by_hand": by_hand, "bootstrap": bootstrap, "seconds": perf_counter() - begun}


def ratios_by_hand(path: Path) -> tuple[dict[str, float], dict[str, tuple[float, float, float]]]:
    """The same ratios without a line of modicum, and with the percentiles of a bootstrap over tasks."""
    costs: CostsOfTasks = defaultdict(lambda: defaultdict(list))
    with gzip.open(path, "rt", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            costs[row["competitor"]][row["task"]].append(float(row["total_cost_usd"]))
    plain = costs.pop("control")
    ratios, drawn = {}, {}
    generator = np.random.default_rng(0)
    for name, tasks in costs.items():
        logs = [
            math.log((sum(runs) / len(runs)) / (sum(plain[task]) / len(plain[task])))
            for task, runs in tasks.items()
            if task in plain
        ]
        ratios[name] = math.exp(sum(logs) / len(logs))
        means = generator.choice(logs, (100_000, len(logs))).mean(axis=1)
        low, high = np.exp(np.quantile(means, [0.025, 0.975]))
        drawn[name] = (ratios[name], float(low), float(high))
    return ratios, drawn


def tau2_files(data: Path) -> list[dict]:
    """Each file's figures beside a count by hand."""
    rows = []
    for path in sorted((data / "tau2").glob("*__*.json.gz")):
        (arm,) = compare(results_of([path]), RULES).arms
        rows.append(
            {
                "file": tau2.stem(path),
                "runs": arm.runs,
                "passed": arm.runs_passed,
                "tokens": arm.sums["total_tokens"],
                "cost_usd": arm.sums["cost_usd"],
                "tokens_per_success": arm.per_success["total_tokens"].value,
                "cost_per_success_usd": arm.per_success["cost_usd"].value,
                "by_hand": tau2_by_hand(tau2.results(path)),
            }
        )
    return rows


def tau2_by_hand(document: dict) -> dict:
    passed = tokens = 0
    cost, counted = 0.0, False
    for simulation in document["simulations"]:
        passed += ((simulation["reward_info"] or {}).get("reward") or 0) > 0.999
        cost += simulation["agent_cost"] or 0
        for message in simulation["messages"]:
            if message["role"] == "assistant" and message["usage"]:
                tokens += message["usage"]["prompt_tokens"] + message["usage"]["completion_tokens"]
                counted = True
    return {
        "passed": passed,
        "tokens_per_success": tokens / passed if counted else None,
        "cost_per_success_usd": cost / passed if cost else None,
    }


def airline(data: Path) -> ArmComparison:
    return compare(results_of([data / "tau2" / f"airline__{name}.json.gz" for name in AIRLINE]), RULES)


def newer_models(data: Path) -> list[dict]:
    """ZeroEval's GSM8K: the same 1,319 questions; completion tokens by one count of what was written."""
    rows = []
    for older, newer in NEWER:
        results = [each for name in (older, newer) for each in zeroeval(data / f"zeroeval/gsm/{name}.jsonl.gz", name)]
        pair = compare(results, RULES).pairs[0]
        rows.append({"older": older, "newer": newer, "pair": pair})
    return rows


def zeroeval(path: Path, arm: str) -> list[TaskResult]:
    results = []
    with gzip.open(path, "rt", encoding="utf-8") as text:
        for line in text:
            row = json.loads(line)
            output = row["output"][0] if isinstance(row["output"], list) else row["output"]
            results.append(
                TaskResult(
                    arm=arm,
                    task=row["id"],
                    outcome=float(gold(output) == number(row["answer"])),
                    completion_tokens=count_tokens(output or "", "gpt-4o"),
                )
            )
    return results


def gold(output: str) -> str | None:
    """The last `answer` of the reply's JSON, as a number."""
    answers = re.findall(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}]+)', output or "")
    return number(answers[-1]) if answers else None


def number(text: str) -> str | None:
    digits = re.findall(r"-?\d+(?:\.\d+)?", text.replace(",", ""))
    return f"{float(digits[-1]):g}" if digits else None


def coverage(comparison: ArmComparison, data: Path) -> list[dict]:
    """How often an interval holds the truth: tasks drawn from all savers' ratios of tasks, whose mean is made 1."""
    pool = residuals(data / SAVERS, [pair.arm for pair in comparison.pairs])
    generator = np.random.default_rng(1)
    rows = []
    for tasks in (6, 12, 24, 48):
        inside = 0
        for _ in range(1000):
            drawn = np.exp(generator.choice(pool, tasks))
            found = geometric_ratio(np.ones(tasks), drawn)
            inside += found.low <= 1 <= found.high
        rows.append({"tasks": tasks, "holds": inside / 1000})
    return rows


def residuals(path: Path, arms: list[str]) -> np.ndarray:
    from modicum.experiments.comparison_arms import gather_tasks

    by_arm = defaultdict(list)
    for result in results_of([path]):
        by_arm[result.arm].append(result)
    tasks = {arm: gather_tasks(results, 1.0) for arm, results in by_arm.items()}
    pool = []
    for arm in arms:
        common = sorted(tasks[arm].keys() & tasks["control"].keys())
        costs = [(tasks["control"][task].mean("cost_usd"), tasks[arm][task].mean("cost_usd")) for task in common]
        logs = np.log([after / before for before, after in costs])
        pool.append(logs - logs.mean())
    return np.concatenate(pool)


def markdown(found: dict) -> str:
    lines = ["| saver | tasks | cost, times plain | 95 % | alone | among all | expected |"]
    lines.append("|---|---:|---:|---|---|---|---|")
    word = {-1: "less", 0: "not shown", 1: "more"}
    for pair in found["savers"]["comparison"].pairs:
        cost = pair.ratios["cost_usd"]
        expected = EXPECTED.get(pair.arm)
        lines.append(
            f"| {pair.arm} | {cost.tasks} | {cost.value:.3f} | {cost.low:.3f} to {cost.high:.3f} | "
            f"{word[cost.direction]} | "
            f"{word[cost.direction_among_all]} | "
            + ("" if expected is None else "{:.3f}, {:.3f} to {:.3f}".format(*expected))
            + " |"
        )
    apart = [remark for remark in found["savers"]["comparison"].remarks if " ran from " in remark]
    lines += ["", "Savers that ran at other times than plain Claude Code:", "", *(f"- {remark}" for remark in apart)]
    lines += ["", "| tau2 file | runs | passed | tokens per success | by hand | cost per success | by hand |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for row in found["tau2"]:
        hand = row["by_hand"]
        lines.append(
            f"| {row['file']} | {row['runs']} | {row['passed']} | {count(row['tokens_per_success'])} | "
            f"{count(hand['tokens_per_success'])} | {usd(row['cost_per_success_usd'])} | "
            f"{usd(hand['cost_per_success_usd'])} |"
        )
    lines += ["", "tau2 airline, 50 tasks, beside gpt-4o:", ""]
    lines += [f"- {sentence}" for pair in found["airline"].pairs for sentence in pair.sentences]
    lines += ["", "| GSM8K, older | newer | success, points | 95 % | completion tokens, times | 95 % |"]
    lines.append("|---|---|---:|---|---:|---|")
    for row in found["newer"]:
        success, ratio = row["pair"].success, row["pair"].ratios["completion_tokens"]
        lines.append(
            f"| {row['older']} | {row['newer']} | {success.value * 100:+.1f} | {success.low * 100:+.1f} to "
            f"{success.high * 100:+.1f} | {ratio.value:.3f} | {ratio.low:.3f} to {ratio.high:.3f} |"
        )
    lines += ["", "| tasks | the interval holds the truth |", "|---:|---:|"]
    lines += [f"| {row['tasks']} | {row['holds'] * 100:.1f} % |" for row in found["coverage"]]
    return "\n".join(lines)


def count(number_of_tokens: float | None) -> str:
    return "unknown" if number_of_tokens is None else f"{number_of_tokens:,.1f}"


def usd(cost: float | None) -> str:
    return "unknown" if cost is None else f"${cost:.5f}"


def faults(found: dict) -> list[str]:
    """Where a figure misses what it has to reach."""
    missed = []
    pairs = {pair.arm: pair.ratios["cost_usd"] for pair in found["savers"]["comparison"].pairs}
    for name, ends in EXPECTED.items():
        reached = found["savers"]["bootstrap"][name]
        if any(abs(one - other) > 0.01 for one, other in zip(reached, ends, strict=True)):
            missed.append(f"{name}: {reached} is not within .01 of {ends}")
        if not pairs[name].low <= ends[1] + 0.01 or not pairs[name].high >= ends[2] - 0.01:
            missed.append(f"{name}: {pairs[name].low} to {pairs[name].high} is narrower than a bootstrap's {ends}")
    for name, ratio in found["savers"]["by_hand"].items():
        if abs(pairs[name].value - ratio) > 1e-9:
            missed.append(f"{name}: {pairs[name].value} is not {ratio}, the count by hand")
    for row in found["tau2"]:
        for name, value in row["by_hand"].items():
            if value is not None and abs(row[name] - value) > 1e-9 * value:
                missed.append(f"{row['file']}: {name} {row[name]} is not {value}, the count by hand")
    return missed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="folder with thol/, tau2/ and zeroeval/")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    if not (given.data / SAVERS).exists():
        sys.exit(f"there is no {SAVERS} in {given.data}")
    found = {"savers": savers(given.data), "tau2": tau2_files(given.data), "airline": airline(given.data)}
    found["newer"] = newer_models(given.data)
    found["coverage"] = coverage(found["savers"]["comparison"], given.data)
    found["faults"] = faults(found)
    if given.json:
        print_json({"machine": measured.machine(), **found})
    else:
        print(markdown(found))
    if found["faults"]:
        sys.exit("\n".join(found["faults"]))


if __name__ == "__main__":
    main()
