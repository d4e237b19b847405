"""The gate of experiments, simulated: how often it is wrong, and after how many tasks it is right."""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from time import perf_counter

import numpy as np

from measured import machine
from modicum.experiments.gate import ERROR, HARM_ERROR, find_first_verdicts, plan_tasks
from modicum.statistics.betting import last_evidence_above
from modicum.statistics.randomised import effect_figures, ratio_of_means

MARGIN = 0.05
TASKS = 4_000
LOOKS = 30
TOKEN_RATIO = 0.7
Z = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True)
class Traffic:
    """What tasks are like without the change."""

    base: np.ndarray
    """Each task's chance of success."""
    tokens: np.ndarray


@dataclass(frozen=True)
class Setting:
    what: str
    changed_share: float
    make: Callable[[np.random.Generator, int], Traffic]


def plain(random, count):
    return Traffic(np.full(count, 0.8), random.lognormal(8, 0.5, count))


def clusters(random, count):
    """Customers come one after another with 20 to 100 tasks each; some nearly always succeed, some hardly ever."""
    sizes = random.integers(20, 101, count)
    owner = np.repeat(np.arange(count), sizes)[:count]
    base = np.clip(random.beta(2.4, 0.6, count), 0.12, 1.0)
    return Traffic(base[owner], random.lognormal(8, 0.5, count) * random.lognormal(0, 0.8, count)[owner])


def heavy_tails(random, count):
    """Few tasks take most of the tokens, and the large ones fail more often."""
    tokens = random.lognormal(8, 1.6, count)
    return Traffic(np.where(tokens > np.exp(9.5), 0.4, 0.9), tokens)


def drift(random, count):
    """Success falls from 95 to 45 % and goes up and down on the way; tokens double."""
    at = np.arange(count) / count
    base = 0.95 - 0.5 * at + 0.05 * np.sin(at * 60)
    return Traffic(np.clip(base, 0.12, 1.0), random.lognormal(8, 0.5, count) * (1 + at))


def small_hold_out(random, count):
    return Traffic(np.full(count, 0.8), random.lognormal(8, 0.5, count))


SETTINGS = {
    "plain": Setting("success 80 %, even lot", 0.5, plain),
    "clusters": Setting("customers in runs of 20 to 100 tasks, each with its own success", 0.5, clusters),
    "heavy_tails": Setting("log-normal tokens (sigma 1.6), large tasks fail more often", 0.5, heavy_tails),
    "drift": Setting("success falls from 95 to 45 % on the way", 0.5, drift),
    "small_hold_out": Setting("a tenth of the tasks is held out", 0.9, small_hold_out),
}


@dataclass(frozen=True)
class Trial:
    values: np.ndarray
    changed: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True)
class Look:
    is_safe: bool
    loss: float
    harm: float

    def is_harm(self, margin: float) -> bool:
        return self.harm >= -np.log(HARM_ERROR) and self.loss > margin


def draw(setting: Setting, seed: int, effect: float, count: int = TASKS) -> Trial:
    random = np.random.default_rng([seed, int(1000 - 1000 * effect)])
    traffic = setting.make(random, count)
    changed = random.random(count) < setting.changed_share
    values = (random.random(count) < traffic.base + effect * changed).astype(float)
    return Trial(values, changed, traffic.tokens * np.where(changed, TOKEN_RATIO, 1.0))


def verdicts(setting: Setting, effect: float, seeds: int, count: int = TASKS) -> list:
    trials = (draw(setting, seed, effect, count) for seed in range(seeds))
    return [find_first_verdicts(one.values, one.changed, setting.changed_share, MARGIN) for one in trials]


def share(flags) -> float:
    return float(np.mean(list(flags)))


def z_value(one: Trial, count: int, against: float) -> float:
    """Of the difference beyond `against`, over the first tasks, as a test of one look has it."""
    with_change, without = (one.values[:count][one.changed[:count] == flag] for flag in (True, False))
    spread = (with_change.var() / max(len(with_change), 1) + without.var() / max(len(without), 1)) ** 0.5
    return float((with_change.mean() - without.mean() - against) / max(spread, 1e-9))


def other_tests(setting: Setting, seeds: int) -> dict:
    """Wrong "safe" at a loss of the margin: a test at the planned size only, and the same test looked at 30 times."""
    fixed, peeked = [], []
    for seed in range(seeds):
        one = draw(setting, seed, -MARGIN)
        looks = np.linspace(TASKS / LOOKS, TASKS, LOOKS).astype(int)
        found = [z_value(one, int(count), -MARGIN) > Z for count in looks]
        fixed.append(found[-1])
        peeked.append(any(found))
    return {"fixed_false_safe": share(fixed), "peeking_false_safe": share(peeked)}


def tokens_missed(setting: Setting, seeds: int) -> tuple[float, float]:
    """Share of seeds whose interval of tokens ever left the truth, and share that had an interval at the end."""
    missed, given = [], []
    for seed in range(seeds):
        one = draw(setting, seed, 0.0)
        looks = np.linspace(TASKS / LOOKS, TASKS, LOOKS).astype(int)
        ratios = [ratio_of_means(one.tokens[:count], one.changed[:count]) for count in looks]
        missed.append(any(each.low is not None and not each.low <= TOKEN_RATIO <= each.high for each in ratios))
        given.append(ratios[-1].low is not None)
    return share(missed), share(given)


def late(effect: float, seeds: int, *, settle: int) -> float:
    """Wrong "safe" (or, without an effect, roll-back) where failures come late: after 400 tasks on average, successes
    after 50. The gate looks 30 times and sees what has come; `settle` tasks at the end are left out.
    """
    wrong = []
    for seed in range(seeds):
        one = draw(SETTINGS["plain"], seed, effect)
        random = np.random.default_rng([seed, 7])
        known_at = np.arange(TASKS) + random.exponential(np.where(one.values == 1, 50, 400))
        found = False
        for look in np.linspace(TASKS / LOOKS, TASKS, LOOKS).astype(int):
            graded = (known_at <= look) & (np.arange(TASKS) < look - settle)
            verdict = last_verdict(one.values[graded], one.changed[graded])
            found |= verdict.is_safe if effect else verdict.is_harm(MARGIN)
        wrong.append(found)
    return share(wrong)


def last_verdict(values: np.ndarray, changed: np.ndarray) -> Look:
    if changed.sum() in {0, len(changed)}:
        return Look(is_safe=False, loss=0.0, harm=0.0)
    parts = effect_figures(values, changed, 0.5)
    return Look(
        is_safe=last_evidence_above(parts.figures, parts.lowest, -MARGIN) >= -np.log(ERROR),
        loss=float(values[~changed].mean() - values[changed].mean()),
        harm=last_evidence_above(-parts.figures, -parts.highest, 0.0),
    )


def quantile(found: list, part: float) -> int | None:
    """Tasks within which this part of the seeds has decided; None: not within what was simulated."""
    value = np.quantile([np.inf if one is None else one for one in found], part, method="higher")
    return int(value) if np.isfinite(value) else None


def measure(name: str, setting: Setting, seeds: int, power_seeds: int) -> dict:
    at_margin, none = verdicts(setting, -MARGIN, seeds), verdicts(setting, 0.0, seeds)
    half, harm = verdicts(setting, -MARGIN / 2, power_seeds), verdicts(setting, -0.1, power_seeds, 2 * TASKS)
    harmless = verdicts(setting, 0.0, power_seeds, 3 * TASKS)
    missed, given = tokens_missed(setting, seeds)
    return {
        "setting": name,
        "what": setting.what,
        "false_safe": share(one.safe is not None for one in at_margin),
        "false_rollback": share(one.roll_back is not None for one in none),
        "rollback_at_half_the_margin": share(one.roll_back is not None for one in half),
        "harm_found_80": quantile([one.roll_back for one in harm], 0.8),
        "harm_found_50": quantile([one.roll_back for one in harm], 0.5),
        "safe_found_80": quantile([one.safe for one in harmless], 0.8),
        "safe_found_50": quantile([one.safe for one in harmless], 0.5),
        "tokens_missed": missed,
        "tokens_interval_given": given,
        **other_tests(setting, seeds),
    }


COLUMNS = (
    "setting",
    "wrong safe",
    "false roll-back",
    "rolled back at half the margin",
    "harm of 10 points found: half, 80 %",
    "harmless found safe: half, 80 %",
    "tokens: truth left, interval given",
    "fixed size: wrong safe",
    "peeking: wrong safe",
)


def markdown(figures: dict) -> str:
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [f"| {' | '.join(cells(row))} |" for row in figures["settings"]]
    lines += ["", *(f"{name}: {value}" for name, value in figures.items() if name != "settings")]
    return "\n".join(lines)


def cells(row: dict) -> list[str]:
    return [
        row["setting"],
        *(f"{row[name]:.1%}" for name in ("false_safe", "false_rollback", "rollback_at_half_the_margin")),
        f"{tasks(row['harm_found_50'])}, {tasks(row['harm_found_80'])}",
        f"{tasks(row['safe_found_50'])}, {tasks(row['safe_found_80'])}",
        f"{row['tokens_missed']:.1%}, {row['tokens_interval_given']:.0%}",
        *(f"{row[name]:.1%}" for name in ("fixed_false_safe", "peeking_false_safe")),
    ]


def tasks(count: int | None) -> str:
    return "not within the simulation" if count is None else f"{count:,}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=400, help="of each error rate")
    arguments.add_argument("--power-seeds", type=int, default=200, help="of each number of tasks")
    arguments.add_argument("--data", help="not needed")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    begun = perf_counter()
    rows = [measure(name, setting, chosen.seeds, chosen.power_seeds) for name, setting in SETTINGS.items()]
    figures = {
        "settings": rows,
        "gate.false_safe_max": max(row["false_safe"] for row in rows),
        "gate.false_rollback_max": max(row["false_rollback"] for row in rows),
        "gate.harm_tasks_80": rows[0]["harm_found_80"],
        "gate.planned_tasks_safe": plan_tasks(0.8, MARGIN, 0.5),
        "late_failures.false_safe": late(-MARGIN, chosen.power_seeds, settle=0),
        "late_failures.false_safe_settled": late(-MARGIN, chosen.power_seeds, settle=2000),
        "late_failures.false_rollback": late(0.0, chosen.power_seeds, settle=0),
        "margin": MARGIN,
        "seeds": chosen.seeds,
        "power_seeds": chosen.power_seeds,
        "tasks": TASKS,
        "seconds": round(perf_counter() - begun, 1),
        "machine": machine(),
    }
    print(json.dumps(figures, indent=2) if chosen.json else markdown(figures))


if __name__ == "__main__":
    main()
