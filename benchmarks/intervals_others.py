"""Simulated coverage of the intervals that are no ratio of sums: differences, shares, ratios over tasks, live ones."""

from collections.abc import Callable, Iterator

import numpy as np

from modicum.experiments.canary import CanaryWatch, findable_losses
from modicum.experiments.gate import measure_effect
from modicum.statistics.paired import paired_difference
from modicum.statistics.proportions import share_over_tasks
from modicum.statistics.randomised import ratio_of_means
from modicum.statistics.repeated_passes import pass_hat_k
from modicum.statistics.task_ratios import geometric_ratio, ratio_of_task_sums

Chance = np.random.Generator
Ends = tuple[float | None, float | None, str]
"""Lower end, upper end, caution."""

CLUSTERS = (10, 30, 100)
IN_TIME = (100, 400)
"""Tasks of experiments and runs of teams, which come one by one."""


def studies(rounds: int) -> Iterator[dict]:
    """A row for each interval, distribution and number of clusters."""
    for name, settings in FAMILIES.items():
        for setting, (draw, truth, effect) in settings.items():
            for clusters in IN_TIME if name in LIVE else CLUSTERS:
                chance = np.random.default_rng([3, clusters])
                ends = [draw(chance, clusters) for _ in range(rounds // 5 if name in LIVE else rounds)]
                yield row(name, setting, clusters, ends, truth, effect)


def row(name: str, setting: str, clusters: int, ends: list[Ends], truth: float, effect: float) -> dict:
    given = [(low, high, caution) for low, high, caution in ends if low is not None and high is not None]
    lows, highs = (np.array([one[place] for one in given], dtype=float) for place in (0, 1))
    return {
        "interval": name,
        "setting": setting,
        "clusters": clusters,
        "given": len(given) / len(ends),
        "coverage": float(np.mean((lows <= truth + 1e-9) & (truth - 1e-9 <= highs))) if given else None,
        "width": float(np.median(highs - lows)) if given else None,
        "effect": effect,
        "power": float(np.mean((lows > effect) | (highs < effect))) if given else None,
        "doubted": float(np.mean([bool(one[2]) for one in given])) if given else None,
    }


# Differences of the same tasks.


def _pairs(up: float, down: float, *, each: int = 1, likeness: float = 0.0) -> Callable[[Chance, int], Ends]:
    def draw(chance: Chance, clusters: int) -> Ends:
        chances = [down, 1 - up - down, up]
        own = chance.choice([-1.0, 0.0, 1.0], (clusters, each), p=chances)
        shared = chance.choice([-1.0, 0.0, 1.0], (clusters, 1), p=chances)
        change = np.where(chance.random((clusters, each)) < likeness, shared, own).reshape(-1)
        before = np.where(change == 0, 1.0, np.where(change > 0, 0.0, 1.0))
        names = np.repeat(np.arange(clusters), each) if each > 1 else None
        found = paired_difference(before, before + change, clusters=names)
        return found.low, found.high, found.caution

    return draw


def _graded(chance: Chance, clusters: int) -> Ends:
    """Scores between 0 and 1, a change that is mostly small and seldom large."""
    before = chance.beta(4, 2, clusters)
    after = np.where(chance.random(clusters) < 0.15, before * chance.random(clusters), before)
    found = paired_difference(before, after)
    return found.low, found.high, found.caution


# Shares.


def _share(share: float, *, each: int = 1, spread: float = 0.0) -> Callable[[Chance, int], Ends]:
    def draw(chance: Chance, clusters: int) -> Ends:
        own = chance.beta(share / spread, (1 - share) / spread, clusters) if spread else np.full(clusters, share)
        passed = chance.random((clusters, each)) < own[:, None]
        names = np.repeat(np.arange(clusters), each) if each > 1 else None
        low, high = share_over_tasks(passed.reshape(-1).astype(float), names)
        return low, high, ""

    return draw


def _all_of(k: int, easy: float) -> Callable[[Chance, int], Ends]:
    """Tasks that pass always, or every second time; each ran four times."""

    def draw(chance: Chance, clusters: int) -> Ends:
        own = np.where(chance.random(clusters) < easy, 1.0, 0.5)
        passed = chance.binomial(4, own)
        found = pass_hat_k(passed.tolist(), [4] * clusters, k)
        assert found is not None
        return found.low, found.high, ""

    return draw


# Ratios of what the same tasks took.


def _geometric(logs: Callable[[Chance, int], np.ndarray], *, each: int = 1) -> Callable[[Chance, int], Ends]:
    def draw(chance: Chance, clusters: int) -> Ends:
        change = np.repeat(logs(chance, clusters), each)
        if each > 1:
            change = change + chance.normal(0, 0.2, len(change))
        names = np.repeat(np.arange(clusters), each) if each > 1 else None
        before = chance.lognormal(0, 1, len(change))
        found = geometric_ratio(before, before * np.exp(change), names)
        return found.low, found.high, found.caution

    return draw


def _sums(sigma: float, noise: float) -> Callable[[Chance, int], Ends]:
    def draw(chance: Chance, clusters: int) -> Ends:
        before = chance.lognormal(0, sigma, clusters)
        after = 0.8 * before * chance.lognormal(-(noise**2) / 2, noise, clusters)
        found = ratio_of_task_sums(before, after)
        return found.low, found.high, found.caution

    return draw


def _per_success(sigma: float, base: float) -> Callable[[Chance, int], Ends]:
    """Cost of a success under two arms, tasks that pass alike in both but for a fifth of them."""

    def draw(chance: Chance, clusters: int) -> Ends:
        before = chance.lognormal(0, sigma, clusters)
        after = 0.8 * before * chance.lognormal(-0.045, 0.3, clusters)
        first = (chance.random(clusters) < base).astype(float)
        anew = chance.random(clusters) < 0.2
        second = np.where(anew, chance.random(clusters) < base, first).astype(float)
        found = ratio_of_task_sums(before, after, per_before=first, per_after=second)
        return found.low, found.high, found.caution

    return draw


# Live experiments: tasks in arms by lot, at one look (`scripts/bench experiments` has all looks).


def _gate(base: float, share: float = 0.5) -> Callable[[Chance, int], Ends]:
    def draw(chance: Chance, tasks: int) -> Ends:
        changed = chance.random(tasks) < share
        values = (chance.random(tasks) < np.where(changed, base - 0.1, base)).astype(float)
        effect = measure_effect(values, changed, share, 0.02)
        return (None, None, "") if effect is None else (effect.low, effect.high, "")

    return draw


def _spend(amounts: Callable[[Chance, int], np.ndarray]) -> Callable[[Chance, int], Ends]:
    def draw(chance: Chance, tasks: int) -> Ends:
        changed = chance.random(tasks) < 0.5
        spent = amounts(chance, tasks) * np.where(changed, 0.8, 1.0)
        found = ratio_of_means(spent, changed)
        return found.low, found.high, ""

    return draw


def _canary(base: float) -> Callable[[Chance, int], Ends]:
    def draw(chance: Chance, runs: int) -> Ends:
        watch = CanaryWatch()
        for _ in range(runs):
            share = watch.canary_share(0.05)
            full = bool(chance.random() < share)
            watch.record(float(chance.random() < (base if full else base - 0.1)), full_team=full, share=share)
        return *watch.change(), ""

    return draw


Settings = dict[str, tuple[Callable[[Chance, int], Ends], float, float]]

FAMILIES: dict[str, Settings] = {
    "difference of outcomes (team verify, compare)": {
        "pass or fail, 10 % differ": (_pairs(0.05, 0.05), 0.0, -0.2),
        "pass or fail, 40 % differ, -10 points": (_pairs(0.15, 0.25), -0.1, -0.4),
        "pass or fail, 4 % differ, all losses": (_pairs(0.0, 0.04), -0.04, -0.2),
        "scores, mostly the same": (_graded, -0.15 * 0.5 * 4 / 6, -0.3),
        "10 alike in a group, 20 % differ": (_pairs(0.07, 0.13, each=10, likeness=0.3), -0.06, -0.26),
    },
    "share of tasks (compare, attribute)": {
        "50 %": (_share(0.5), 0.5, 0.8),
        "80 %": (_share(0.8), 0.8, 0.5),
        "95 %": (_share(0.95), 0.95, 0.7),
        "4 runs a task, 80 %": (_share(0.8, each=4, spread=0.5), 0.8, 0.5),
        "10 alike in a group, 50 %": (_share(0.5, each=10, spread=0.5), 0.5, 0.8),
    },
    "pass^k (compare)": {
        "half of the tasks are sure": (_all_of(2, 0.5), 0.5 + 0.5 * 0.25, 0.9),
        "most are sure": (_all_of(2, 0.8), 0.8 + 0.2 * 0.25, 0.5),
        "few are sure, k = 4": (_all_of(4, 0.2), 0.2 + 0.8 * 0.0625, 0.6),
    },
    "typical ratio (compare)": {
        "lognormal 0.3": (_geometric(lambda c, n: c.normal(-0.2, 0.3, n)), float(np.exp(-0.2)), 1.0),
        "skewed": (_geometric(lambda c, n: 0.5 - c.exponential(0.7, n)), float(np.exp(-0.2)), 1.0),
        "heavy tails (t, 3)": (_geometric(lambda c, n: -0.2 + 0.3 * c.standard_t(3, n)), float(np.exp(-0.2)), 1.0),
        "5 alike in a group": (_geometric(lambda c, n: c.normal(-0.2, 0.3, n), each=5), float(np.exp(-0.2)), 1.0),
    },
    "ratio of sums over tasks (compare, check)": {
        "even costs": (_sums(0.4, 0.3), 0.8, 1.0),
        "lognormal costs (1)": (_sums(1.0, 0.3), 0.8, 1.0),
        "lognormal costs (1), noisy": (_sums(1.0, 0.8), 0.8, 1.0),
    },
    "cost of a success, two arms (compare)": {
        "even costs, 80 % pass": (_per_success(0.4, 0.8), 0.8, 1.0),
        "even costs, 50 % pass": (_per_success(0.4, 0.5), 0.8, 1.0),
        "lognormal costs (1), 80 % pass": (_per_success(1.0, 0.8), 0.8, 1.0),
    },
    "effect on outcomes (experiment)": {
        "95 % pass": (_gate(0.95), -0.1, 0.3),
        "80 % pass": (_gate(0.8), -0.1, 0.3),
        "50 % pass, a tenth changed": (_gate(0.5, 0.1), -0.1, 0.3),
    },
    "spend (experiment)": {
        "even": (_spend(lambda c, n: c.lognormal(0, 0.4, n)), 0.8, 1.0),
        "exponential": (_spend(lambda c, n: c.exponential(1, n)), 0.8, 1.0),
        "lognormal (1.2)": (_spend(lambda c, n: c.lognormal(0, 1.2, n)), 0.8, 1.0),
    },
    "plan against its canaries": {
        "95 %": (_canary(0.95), -0.1, 0.3),
        "80 %": (_canary(0.8), -0.1, 0.3),
        "50 %": (_canary(0.5), -0.1, 0.3),
    },
}
"""Interval -> distribution -> how its ends are drawn, the truth, and another value that it might rule out."""


LIVE = {"effect on outcomes (experiment)", "spend (experiment)", "plan against its canaries"}


def canary_series(series: int, runs: int) -> list[dict]:
    """Series of runs whose plan loses so much: how many are noticed, and when; base share 5 %."""
    found = []
    for score in (0.95, 0.8, 0.5):
        planned = {0.0: None} | {one.loss: one.runs for one in findable_losses(score)}
        for loss, promised in planned.items():
            chance = np.random.default_rng([5, int(100 * score), int(100 * loss)])
            lives = [_life(chance, score, loss, runs) for _ in range(series)]
            noticed = [after for after, _ in lives if after]
            found.append(
                {
                    "score": score,
                    "loss": loss,
                    "noticed": len(noticed) / series,
                    "median_runs": float(np.median(noticed)) if noticed else None,
                    "promised_runs": promised,
                    "by_promised": None if promised is None else sum(one <= promised for one in noticed) / series,
                    "canary_share": float(np.mean([share for _, share in lives])),
                }
            )
    return found


def _life(chance: Chance, score: float, loss: float, runs: int) -> tuple[int, float]:
    """After how many runs the plan is given up (0: never), and the share of canaries until then."""
    watch = CanaryWatch()
    for number in range(1, runs + 1):
        share = watch.canary_share(0.05)
        full = bool(chance.random() < share)
        passed = chance.random() < (score if full else score - loss)
        if watch.record(float(passed), full_team=full, share=share):
            return number, watch.full.runs_count / number
    return 0, watch.full.runs_count / runs
