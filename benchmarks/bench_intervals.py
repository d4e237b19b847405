"""How often printed intervals hold, how wide they are, and what they can find: by simulation."""

import argparse
import json
import math
from collections.abc import Callable

import numpy as np

from intervals_others import canary_series, studies
from modicum.statistics.paired import paired_difference, pairs_needed
from modicum.statistics.ratios import Ratio, ratio_of_sums

Chance = np.random.Generator
LEAST_CLUSTERS = 10
Drawn = tuple[np.ndarray, np.ndarray]


def passed(costs: Callable[[Chance, int], np.ndarray], share: float = 0.5) -> Callable[[Chance, int], Drawn]:
    return lambda chance, tasks: ((chance.random(tasks) < share).astype(float), costs(chance, tasks))


def lines(chance: Chance, tasks: int) -> Drawn:
    """Values that grow with what a task costs, themselves heavy-tailed: lines of code."""
    costs = chance.lognormal(0, 1.2, tasks)
    return costs * chance.lognormal(0, 1, tasks) * (chance.random(tasks) < 0.7), costs


SETTINGS: dict[str, tuple[Callable[[Chance, int], Drawn], float, str]] = {
    "even costs, 80 % pass": (passed(lambda c, n: c.lognormal(0, 0.4, n), 0.8), 0.8 / math.exp(0.08), "well-behaved"),
    "exponential costs": (passed(lambda c, n: c.exponential(1, n)), 0.5, "well-behaved"),
    "lognormal costs (1.2)": (passed(lambda c, n: c.lognormal(0, 1.2, n)), 0.5 / math.exp(0.72), "heavy"),
    "Pareto costs (2.2)": (passed(lambda c, n: c.pareto(2.2, n) + 1), 0.5 / (2.2 / 1.2), "heavy"),
    "lines, lognormal": (lines, 0.7 * math.exp(0.5), "heavy"),
    "Weibull costs (0.6), 90 % pass": (
        passed(lambda c, n: c.weibull(0.6, n), 0.9),
        0.9 / math.gamma(1 + 1 / 0.6),
        "unseen",
    ),
    "a tenth costs 20 times": (passed(lambda c, n: np.where(c.random(n) < 0.1, 20.0, 1.0)), 0.5 / 2.9, "rare"),
    "lognormal costs (2)": (passed(lambda c, n: c.lognormal(0, 2, n)), 0.5 / math.exp(2), "too heavy"),
    "Pareto costs (1.5)": (passed(lambda c, n: c.pareto(1.5, n) + 1), 0.5 / 3, "too heavy"),
}
"""How tasks are drawn, the true ratio, and how heavy the tail is. Unseen: had no part in choosing how much the interval
is widened. Rare: a third of samples of ten tasks hold none of those that cost most, and so cannot know of them. Pareto
with 1.5 has no variance at all."""


def of_ratio(name: str, tasks: int, rounds: int) -> dict:
    draw, truth, kind = SETTINGS[name]
    chance = np.random.default_rng([7, tasks])
    found = [ratio_of_sums(*draw(chance, tasks)) for _ in range(rounds)]
    given = [one for one in found if one.low is not None and one.high is not None]
    doubted = [one for one in given if one.caution]
    return {
        "setting": name,
        "kind": kind,
        "tasks": tasks,
        "given": len(given) / rounds,
        "coverage": held(given, truth),
        "doubted": len(doubted) / len(given),
        "width_factor": float(np.median([math.sqrt((one.high or 1) / (one.low or 1)) for one in given])),
        "power_for_double": float(np.mean([not _holds(one, truth / 2) for one in given])),
    }


def held(given: list[Ratio], truth: float) -> float:
    return float(np.mean([_holds(one, truth) for one in given]))


def _holds(one: Ratio, value: float) -> bool:
    return (one.low or 0) <= value <= (one.high or math.inf)


def of_pairs(rounds: int, *, clusters: int, each: int, likeness: float) -> dict:
    """Plans that lose exactly the margin: how often are they said to hold? And with no loss, at the number that is
    printed as needed, how often is it found?"""
    margin, discordant = 0.03, 0.2
    chance = np.random.default_rng([11, clusters, each])
    names = np.repeat(np.arange(clusters), each)
    wrong = np.mean(
        [
            paired_difference(
                *_pairs(chance, clusters, each, likeness, -margin, discordant), clusters=names
            ).not_worse_than(margin)
            for _ in range(rounds)
        ]
    )
    needed = pairs_needed(margin, discordant) or 0
    found = np.mean(
        [
            paired_difference(*_pairs(chance, needed, 1, 0.0, 0.0, discordant)).not_worse_than(margin)
            for _ in range(rounds)
        ]
    )
    return {
        "clusters": clusters,
        "each": each,
        "likeness": likeness,
        "false_holds": float(wrong),
        "pairs_needed": needed,
        "power_at_needed": float(found),
    }


def _pairs(
    chance: Chance, clusters: int, each: int, likeness: float, mean: float, discordant: float
) -> tuple[np.ndarray, np.ndarray]:
    """0/1 scores whose change has this mean; within a cluster a share of the pairs copies one draw."""
    up, down = (discordant + mean) / 2, (discordant - mean) / 2
    chances = [down, 1 - up - down, up]
    own = chance.choice([-1.0, 0.0, 1.0], (clusters, each), p=chances)
    shared = chance.choice([-1.0, 0.0, 1.0], (clusters, 1), p=chances)
    change = np.where(chance.random((clusters, each)) < likeness, shared, own).reshape(-1)
    before = np.where(change == 0, 1.0, np.where(change > 0, 0.0, 1.0))
    return before, before + change


WELL_BEHAVED = {"even costs", "lognormal 0.3", "50 %", "80 %", "pass or fail, 10 % differ"}
"""Settings of other intervals, by how their names begin, of which at most a tenth may be doubted."""


def measure(rounds: int, series: int) -> dict:
    ratios = [of_ratio(name, tasks, rounds) for name in SETTINGS for tasks in (6, 10, 30, 100, 400)]
    pairs = [
        of_pairs(rounds, clusters=clusters, each=each, likeness=likeness)
        for clusters, each, likeness in ((400, 1, 0.0), (40, 10, 0.2), (20, 20, 0.3), (10, 40, 0.3))
    ]
    others = list(studies(max(200, rounds // 2)))
    canaries = canary_series(series, 4_000)
    enough = [row for row in ratios if row["kind"] not in {"too heavy", "rare"} and row["tasks"] >= LEAST_CLUSTERS] + [
        row
        for row in others
        if row["coverage"] is not None and row["clusters"] >= LEAST_CLUSTERS and row["given"] > 0.2
    ]
    well_behaved = [row for row in ratios if row["kind"] == "well-behaved"] + [
        row for row in others if row["coverage"] is not None and row["setting"].startswith(tuple(WELL_BEHAVED))
    ]
    return {
        "rounds": rounds,
        "intervals.coverage_min": min(row["coverage"] for row in enough),
        "intervals.coverage_rare_min": min(row["coverage"] for row in ratios if row["kind"] == "rare"),
        "intervals.doubted_well_behaved_max": max(
            row["doubted"] for row in well_behaved if row.get("tasks", row.get("clusters")) >= LEAST_CLUSTERS
        ),
        "intervals.few_clusters_doubted_min": min(row["doubted"] for row in ratios if row["tasks"] < LEAST_CLUSTERS),
        "intervals.false_holds_max": max(row["false_holds"] for row in pairs),
        "intervals.power_at_needed_min": min(row["power_at_needed"] for row in pairs),
        "intervals.canary_false": max(row["noticed"] for row in canaries if row["loss"] == 0),
        "intervals.canary_finds_ten_points_min": min(row["noticed"] for row in canaries if row["loss"] == 0.1),
        "ratios": ratios,
        "pairs": pairs,
        "others": others,
        "canaries": canaries,
    }


def markdown(found: dict) -> str:
    text = [
        "| ratio of sums | tail | tasks | given | holds | doubted | factor to each end | finds a doubled ratio |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    text += [
        f"| {row['setting']} | {row['kind']} | {row['tasks']} | {row['given']:.0%} | {row['coverage']:.1%} | "
        f"{row['doubted']:.0%} | x{row['width_factor']:.2f} | {row['power_for_double']:.0%} |"
        for row in found["ratios"]
    ]
    text += [
        "",
        "| pairs: clusters x each | likeness within | false 'holds' | printed as needed | found at that number |",
        "|---|---:|---:|---:|---:|",
    ]
    text += [
        f"| {row['clusters']} x {row['each']} | {row['likeness']:.0%} | {row['false_holds']:.1%} | "
        f"{row['pairs_needed']:,} | {row['power_at_needed']:.0%} |"
        for row in found["pairs"]
    ]
    text += ["", "| interval | setting | tasks or groups | given | holds | doubted | width | rules out |"]
    text += ["|---|---|---:|---:|---:|---:|---:|---|"]
    for row in found["others"]:
        figures = (
            "none given | | |"
            if row["coverage"] is None
            else (f"{row['coverage']:.1%} | {row['doubted']:.0%} | {row['width']:.3f} |")
        )
        power = "" if row["power"] is None else f"{row['effect']:g} in {row['power']:.0%}"
        text.append(
            f"| {row['interval']} | {row['setting']} | {row['clusters']} | {row['given']:.0%} | {figures} {power} |"
        )
    text += [
        "",
        "| full team | plan loses | given up within 4,000 | median run | canaries | said: 4 of 5 after | by then |",
    ]
    text += ["|---:|---:|---:|---:|---:|---:|---:|"]
    for row in found["canaries"]:
        median = "" if row["median_runs"] is None else f"{row['median_runs']:,.0f}"
        said = "" if row["promised_runs"] is None else f"{row['promised_runs']:,} | {row['by_promised']:.0%}"
        text.append(
            f"| {row['score']:.0%} | {100 * row['loss']:g} points | {row['noticed']:.0%} | {median} | "
            f"{row['canary_share']:.0%} | {said or ' | '} |"
        )
    text += ["", *(f"{key} = {value:.3f}" for key, value in found.items() if key.startswith("intervals."))]
    return "\n".join(text)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=2_000)
    arguments.add_argument("--series", type=int, default=60, help="of runs under a plan, for each loss")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    found = measure(options.rounds, options.series)
    print(json.dumps(found, indent=1) if options.json else markdown(found))


if __name__ == "__main__":
    main()
