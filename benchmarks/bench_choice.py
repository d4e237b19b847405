"""Which model for which prompt: routers on MMLU and MT-Bench, cascades on ZeroEval, and a decision's time."""

import argparse
import csv
import gzip
import io
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

import measured
from modicum.routing.cascade import (
    StrategyResult,
    agreement_strategies,
    apply_strategy,
    choose_strategy,
    same_answers,
    verified_cascade,
    verifier_errors,
)
from modicum.routing.curve import curve_figures, oracle_scores
from modicum.routing.evaluation import draw_folds, evaluate, fold_difference, out_of_fold_scores
from modicum.routing.learners.by_name import make_learner
from modicum.routing.learners.linear import LinearLearner
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.training import train_router
from modicum.routing.weights import decode_router, encode_router
from zeroeval_table import read_zeroeval

WEAK, STRONG = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"
SPLITS = 20
VERIFIERS = (0.7, 0.8, 0.9)
RIDGE = "linear on words"


def read_lines(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return [json.loads(line) for line in text]


def read_mmlu(data: Path, embeddings: Path | None) -> OutcomeTable:
    prompts, outcomes, families = [], [], []
    for path in sorted((data / "routellm/mmlu_responses").glob("*.csv.gz")):
        with gzip.open(path, "rb") as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
            for row in csv.DictReader(text):
                prompts.append(row["prompt"])
                outcomes.append([row[WEAK] == "True", row[STRONG] == "True"])
                families.append(path.name.split(".")[0])
    vectors = np.load(embeddings / "mmlu.npy").astype(float) if embeddings else None
    table = OutcomeTable((WEAK, STRONG), tuple(prompts), np.array(outcomes, float), tuple(families), embeddings=vectors)
    contaminated = {row["eval_prompt"] for row in read_lines(data / "routellm/mmlu_contaminated_prompts.jsonl.gz")}
    return table.take(np.array([row for row, prompt in enumerate(prompts) if prompt not in contaminated]))


def mmlu(data: Path, embeddings: Path | None) -> dict[str, object]:
    table = read_mmlu(data, embeddings)
    _ = table.inputs
    names = ["linear", "neighbours", "blended", *(["blended-embedding"] if embeddings else [])]
    learners = [make_learner(name) for name in names]
    best = learners[-1].name
    figures: dict[str, object] = {"mmlu.tasks": len(table)}
    result = evaluate(table, learners, draw_folds(table, 5), weak=WEAK, strong=STRONG, unit="calls")
    routers = {each.name: each for each in result.routers}
    for name, each in routers.items():
        figures[f"mmlu.apgr.{name}"], figures[f"mmlu.cpt80.{name}"] = each.apgr, each.cpt80
        figures[f"mmlu.cpt50.{name}"], figures[f"mmlu.cpt80_at_once.{name}"] = each.cpt50, each.cpt80_at_once
    figures["mmlu.apgr"], figures["mmlu.cpt80"] = routers[best].apgr, routers[best].cpt80
    figures["mmlu.apgr_without_embeddings"] = routers["blended"].apgr
    figures["mmlu.cpt80_without_embeddings"] = routers["blended"].cpt80
    pairs = zip(routers[best].apgr_by_fold, routers[RIDGE].apgr_by_fold, strict=True)
    add_difference(figures, "mmlu.apgr_to_ridge", [one - other for one, other in pairs])
    for floor in result.floors:
        if floor.name in {best, "length", "blended"}:
            key = f"mmlu.floor_{floor.loss * 100:g}.{floor.name}"
            figures[f"{key}.saving"], figures[f"{key}.change_points"] = (
                floor.saving.mean,
                floor.outcome_change.mean * 100,
            )
    of_subjects: dict[str, list[float]] = {}
    for seed in range(3):
        folds = draw_folds(table, 5, by_family=True, seed=seed)
        left_out = evaluate(table, learners, folds, weak=WEAK, strong=STRONG, unit="calls", losses=())
        for each in left_out.routers:
            of_subjects.setdefault(each.name, []).extend(each.apgr_by_fold)
    for name, each in of_subjects.items():
        figures[f"mmlu.apgr_by_subject.{name}"] = float(np.mean(each))
    figures["mmlu.apgr_by_subject"] = float(np.mean(of_subjects[best]))
    figures["mmlu.apgr_by_subject_without_embeddings"] = float(np.mean(of_subjects["blended"]))
    return figures | decision(table)


def add_difference(figures: dict[str, object], key: str, differences: Sequence[float]) -> None:
    difference = fold_difference(differences)
    figures[key], figures[f"{key}_low"], figures[f"{key}_high"] = difference.mean, difference.low, difference.high


def decision(table: OutcomeTable) -> dict[str, object]:
    """Time of one decision by the router that a gateway has, in CPU time: the machine is shared."""
    table = replace(table, embeddings=None)
    table.__dict__.pop("inputs", None)
    trained = train_router(
        table, make_learner("blended"), "calls", source="MMLU", today=date(2026, 1, 1), holds_days=90, loss=0.01
    )
    data = encode_router(trained.router)
    router = decode_router(data, "router")
    times = []
    for prompt in table.prompts[:: len(table) // 4000]:
        begun = time.thread_time_ns()
        router.decide(prompt, today=date(2026, 1, 1))
        times.append((time.thread_time_ns() - begun) / 1e6)
    return {
        "decision.p50_ms": float(np.quantile(times, 0.5)),
        "decision.p99_ms": float(np.quantile(times, 0.99)),
        "weights.mb": len(data) / 1e6,
    }


def mt_bench(data: Path) -> dict[str, object]:
    """80 questions; judged scores of 1 to 10, first turns. Each is left out in turn."""
    questions = {row["question_id"]: row["turns"][0] for row in read_lines(data / "routellm/question.jsonl.gz")}
    scores: dict[tuple[int, str], list[float]] = {}
    for row in read_lines(data / "routellm/judgements.jsonl.gz"):
        if row.get("score", -1) >= 0:
            scores.setdefault((row["question_id"], row["model"]), []).append(row["score"])
    contaminated = {
        row["eval_prompt"].strip() for row in read_lines(data / "routellm/mt_bench_contaminated_prompts.jsonl.gz")
    }
    models = sorted({model for _, model in scores})
    weak = next(model for model in models if "ixtral" in model)
    strong = next(model for model in models if "gpt-4" in model)
    rows = [
        number
        for number, text in questions.items()
        if text.strip() not in contaminated and (number, weak) in scores and (number, strong) in scores
    ]
    outcomes = np.array([[np.mean(scores[number, model]) / 10 for model in (weak, strong)] for number in rows])
    table = OutcomeTable((weak, strong), tuple(questions[number] for number in rows), outcomes, ())
    folds = np.arange(len(table))
    figures: dict[str, object] = {"mt_bench.questions": len(table)}
    for name in ("length", "linear", "neighbours"):
        expected = out_of_fold_scores(table, make_learner(name), folds)
        add_curve(figures, f"mt_bench.{name}", expected[:, 1] - expected[:, 0], table)
    add_curve(figures, "mt_bench.oracle", oracle_scores(*outcomes.T), table)
    return figures


def add_curve(figures: dict[str, object], key: str, gains: np.ndarray, table: OutcomeTable) -> None:
    curve = curve_figures(gains, *table.outcomes.T)
    if curve is not None:
        figures[f"{key}.apgr"], figures[f"{key}.cpt80"] = curve.apgr, curve.cpt80


def zeroeval(data: Path, kind: str, prefix: str) -> dict[str, object]:
    """Chosen on one half, measured on the other, twenty times."""
    table = read_zeroeval(data / "zeroeval", kind)
    costs, outcomes = table.costs["usd"], table.outcomes
    priced = np.flatnonzero(np.isfinite(costs).all(axis=0))
    means = table.mean_costs("usd")
    dearest_best = priced[np.argmax(outcomes[:, priced].mean(axis=0))]
    same = same_answers(table.answers)
    strategies = list(agreement_strategies(means, most_cost=float(means[dearest_best])))
    results = [apply_strategy(each, outcomes, costs, same) for each in strategies]
    figures: dict[str, object] = {f"{prefix}tasks": len(table), f"{prefix}strategies": len(strategies)}
    for name, loss in (("half_point", 0.005), ("no_loss", 0.0)):
        savings, changes = [], []
        for seed in range(SPLITS):
            order = np.random.default_rng(seed).permutation(len(table))
            choosing, measuring = order[: len(table) // 2], order[len(table) // 2 :]
            best = priced[np.argmax(outcomes[np.ix_(choosing, priced)].mean(axis=0))]
            baseline = StrategyResult(outcomes[:, best], costs[:, best])
            chosen = choose_strategy(
                strategies, [part(each, choosing) for each in results], part(baseline, choosing), loss=loss
            )
            applied = (
                part(results[strategies.index(chosen.strategy)], measuring) if chosen else part(baseline, measuring)
            )
            savings.append(1 - applied.costs.mean() / costs[measuring, best].mean())
            changes.append((applied.outcomes - outcomes[measuring, best]).mean() * 100)
        add_splits(figures, f"{prefix}saving_{name}", savings)
        add_splits(figures, f"{prefix}change_points_{name}", changes)
    best_outcome = float(outcomes[:, dearest_best].mean())
    oracle = np.where(outcomes[:, priced] == 1, costs[:, priced], np.inf).min(axis=1)
    oracle = np.where(np.isfinite(oracle), oracle, costs[:, priced].min(axis=1))
    spent = float(costs[:, dearest_best].mean())
    figures[f"{prefix}best_single"] = table.models[dearest_best]
    figures[f"{prefix}best_single_outcome"] = best_outcome
    figures[f"{prefix}best_single_usd_per_1000"] = spent * 1000
    figures[f"{prefix}oracle_outcome"] = float(outcomes[:, priced].max(axis=1).mean())
    figures[f"{prefix}oracle_saving"] = 1 - float(oracle.mean()) / spent
    return figures | simulated_verifiers(table, priced, int(dearest_best), prefix)


def part(result: StrategyResult, rows: np.ndarray) -> StrategyResult:
    return StrategyResult(result.outcomes[rows], result.costs[rows])


def add_splits(figures: dict[str, object], key: str, values: Sequence[float]) -> None:
    """Mean over splits. Halves of one table overlap, so the spread of splits (2.5 to 97.5 %) is beside."""
    figures[key] = float(np.mean(values))
    figures[f"{key}_low"], figures[f"{key}_high"] = map(float, np.quantile(values, [0.025, 0.975]))


def simulated_verifiers(table: OutcomeTable, priced: np.ndarray, best: int, prefix: str) -> dict[str, object]:
    """A verifier that is right in so many cases, at no cost of its own; the cheap model that serves best with it."""
    costs, outcomes = table.costs["usd"], table.outcomes
    dear = StrategyResult(outcomes[:, best], costs[:, best])
    figures: dict[str, object] = {}
    for share in VERIFIERS:
        options = []
        for model in priced:
            right = outcomes[:, model] == 1
            is_true = np.random.default_rng(int(model)).random(len(table)) < share
            accepted = np.where(is_true, right, ~right)
            cascade = verified_cascade(StrategyResult(outcomes[:, model], costs[:, model]), dear, accepted)
            errors = verifier_errors(accepted, right)
            options.append((1 - cascade.costs.mean() / dear.costs.mean(), cascade.outcomes.mean(), model, errors))
        key = f"{prefix}verifier_{share * 100:.0f}"
        within = [each for each in options if each[1] >= outcomes[:, best].mean() - 0.01 and each[2] != best]
        figures[f"{key}.saving_one_point"] = float(max(within)[0]) if within else 0.0
        figures[f"{key}.model"] = table.models[max(within)[2]] if within else "none"
    return figures


def learned_difficulty(data: Path, kind: str, prefix: str) -> dict[str, object]:
    """A router on the prompts alone, on the same tasks: what learned difficulty is worth beside agreement."""
    table = read_zeroeval(data / "zeroeval", kind)
    priced = [model for model, cost in zip(table.models, table.mean_costs("usd"), strict=True) if np.isfinite(cost)]
    table = table.select(priced)
    costs = table.mean_costs("usd")
    strong = table.models[int(np.argmax(table.outcomes.mean(axis=0)))]
    weak = "gpt-4o-mini-2024-07-18"
    pair = table.select([weak, strong])
    result = evaluate(
        pair, [LinearLearner()], draw_folds(pair, 5), weak=weak, strong=strong, unit="usd", losses=(0.005,)
    )
    figures: dict[str, object] = {f"{prefix}learned.{each.name}.apgr": each.apgr for each in result.routers}
    for floor in result.floors:
        figures[f"{prefix}learned.{floor.name}.saving_half_point"] = floor.saving.mean
        figures[f"{prefix}learned.{floor.name}.change_points"] = floor.outcome_change.mean * 100
    ratio = float(costs[table.column(weak)] / costs[table.column(strong)])
    figures[f"{prefix}random.saving_at_half_the_gain"] = 0.5 * (1 - ratio)
    return figures


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="folder with routellm/ and zeroeval/")
    options.add_argument(
        "--embeddings", type=Path, help="folder with mmlu.npy, a row per MMLU prompt in the files' order"
    )
    options.add_argument("--only", choices=["mmlu", "zeroeval"], help="one part of it")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    if not chosen.data.is_dir():
        sys.exit(f"{chosen.data}: no such folder")
    figures: dict[str, object] = {"machine": measured.machine()}
    if chosen.only != "mmlu":
        for kind, prefix in (("gsm", "zeroeval."), ("crux", "zeroeval.crux.")):
            figures |= zeroeval(chosen.data, kind, prefix) | learned_difficulty(chosen.data, kind, prefix)
    if chosen.only != "zeroeval":
        figures |= mt_bench(chosen.data) | mmlu(chosen.data, chosen.embeddings)
    measured.report(figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
