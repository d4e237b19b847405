"""Which model for which prompt: routers on MMLU and MT-Bench, cascades on ZeroEval, and a decision's time."""

import argparse
import contextlib
import csv
import gzip
import io
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

import measured
import prompt_vectors
import switchyard_peer
from cascade_strategies import (
    StrategyResult,
    agreement_strategies,
    apply_strategy,
    choose_strategy,
    same_answers,
    stack_results,
    verified_cascade,
    verifier_errors,
)
from modicum.routing.calibration import calibrate, choose
from modicum.routing.curve import curve_figures, oracle_scores
from modicum.routing.evaluation import draw_folds, evaluate, fold_difference, out_of_fold_scores
from modicum.routing.inputs import Inputs, read_prompts
from modicum.routing.learners.by_name import make_learner
from modicum.routing.learners.learner import OutcomeLearner
from modicum.routing.learners.linear import LinearLearner
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.router import Router
from modicum.routing.training import train_router
from modicum.routing.weights import decode_router, encode_router
from zeroeval_table import read_zeroeval

WEAK, STRONG = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"
SPLITS = 20
DRAWS = 3
"""Of folds: one draw moves APGR by a point either way."""
LOSSES = 0.0, 0.005, 0.01, 0.02
VECTORS_S = 900.0
"""How long vectors may take the first time."""
VERIFIERS = (0.7, 0.8, 0.9)
RIDGE = "linear on words"


def read_lines(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return [json.loads(line) for line in text]


def read_mmlu(data: Path) -> OutcomeTable:
    prompts, outcomes, families = [], [], []
    for path in sorted((data / "routellm/mmlu_responses").glob("*.csv.gz")):
        with gzip.open(path, "rb") as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
            for row in csv.DictReader(text):
                prompts.append(row["prompt"])
                outcomes.append([row[WEAK] == "True", row[STRONG] == "True"])
                families.append(path.name.split(".")[0])
    table = OutcomeTable((WEAK, STRONG), tuple(prompts), np.array(outcomes, float), tuple(families))
    contaminated = {row["eval_prompt"] for row in read_lines(data / "routellm/mmlu_contaminated_prompts.jsonl.gz")}
    return table.take(np.array([row for row, prompt in enumerate(prompts) if prompt not in contaminated]))


def mmlu(table: OutcomeTable, draws_count: int = DRAWS) -> dict[str, object]:
    with progress("reading prompts"):
        _ = table.inputs
    names = ["linear", "blended", "taught", *(["blended-embedding"] if table.embeddings is not None else [])]
    learners = [make_learner(name) for name in names]
    best = learners[-1].name
    figures: dict[str, object] = {"mmlu.tasks": len(table), "mmlu.best": best}
    draws, results = [], []
    for seed in range(draws_count):
        losses = LOSSES if seed == 0 else ()
        with progress(f"MMLU, five folds, draw {seed + 1} of {draws_count}"):
            folds = draw_folds(table, 5, seed=seed)
            result = evaluate(table, learners, folds, weak=WEAK, strong=STRONG, unit="calls", losses=losses)
        results.append(result)
        draws.append({each.name: each for each in result.routers})
    for name in draws[0]:
        for what in ("apgr", "cpt50", "cpt80", "cpt80_at_once"):
            figures[f"mmlu.{what}.{name}"] = float(np.mean([getattr(each[name], what) for each in draws]))
    figures["mmlu.apgr"], figures["mmlu.cpt80"] = figures[f"mmlu.apgr.{best}"], figures[f"mmlu.cpt80.{best}"]
    figures["mmlu.apgr_by_draw"] = [round(each[best].apgr, 4) for each in draws]
    figures["mmlu.cpt80_by_draw"] = [round(each[best].cpt80, 1) for each in draws]
    figures["mmlu.apgr_without_embeddings"] = figures["mmlu.apgr.blended"]
    figures["mmlu.cpt80_without_embeddings"] = figures["mmlu.cpt80.blended"]
    for key, name in (
        ("mmlu.apgr_to_ridge", best),
        ("mmlu.apgr_to_ridge_without_embeddings", "blended"),
        ("mmlu.apgr_to_ridge_taught", "taught"),
    ):
        differences = [
            one - other
            for each in draws
            for one, other in zip(each[name].apgr_by_fold, each[RIDGE].apgr_by_fold, strict=True)
        ]
        add_difference(figures, key, differences)
    for floor in results[0].floors:
        if floor.name in {best, "length", "blended", "taught"}:
            key = f"mmlu.floor_{floor.loss * 100:g}.{floor.name}"
            figures[f"{key}.saving"], figures[f"{key}.change_points"] = (
                floor.saving.mean,
                floor.outcome_change.mean * 100,
            )
    by_subject = mmlu_by_subject(table, learners, best, draws_count)
    return figures | by_subject | switchyard(table) | decision(table)


def mmlu_by_subject(
    table: OutcomeTable, learners: Sequence[OutcomeLearner], best: str, draws_count: int
) -> dict[str, object]:
    """Whole subjects left out: the mean over several draws, since one draw of 57 subjects moves it by two points."""
    of_subjects: dict[str, list[float]] = {}
    figures: dict[str, object] = {"mmlu.draws": draws_count}
    for seed in range(draws_count):
        folds = draw_folds(table, 5, by_family=True, seed=seed)
        with progress(f"MMLU, whole subjects left out, draw {seed + 1} of {draws_count}"):
            left_out = evaluate(table, learners, folds, weak=WEAK, strong=STRONG, unit="calls", losses=())
        for each in left_out.routers:
            of_subjects.setdefault(each.name, []).append(each.apgr)
    for name, each in of_subjects.items():
        figures[f"mmlu.apgr_by_subject.{name}"] = float(np.mean(each))
    figures["mmlu.apgr_by_subject"] = float(np.mean(of_subjects[best]))
    figures["mmlu.apgr_by_subject_by_draw"] = [round(each, 4) for each in of_subjects[best]]
    figures["mmlu.apgr_by_subject_without_embeddings"] = float(np.mean(of_subjects["blended"]))
    return figures


def switchyard(table: OutcomeTable) -> dict[str, object]:
    """NeMo Switchyard's stage router on the same prompts: the share that it sends to the better model, and the share
    of the gain that it keeps so.
    """
    with progress("NeMo Switchyard"):
        picked = switchyard_peer.picks(table.prompts)
    if isinstance(picked, str):
        return {"switchyard": picked}
    weak, strong = table.outcomes.T
    figures: dict[str, object] = {"switchyard": switchyard_peer.PACKAGE}
    for picker, places in picked.items():
        gain = float((strong - weak)[places].sum() / (strong - weak).sum())
        figures[f"switchyard.{picker}.to_better"] = len(places) / len(table)
        figures[f"switchyard.{picker}.gain_kept"] = gain
    return figures


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Says on stderr what goes on, and how long it took."""
    print(f"{what} ...", file=sys.stderr, flush=True)
    begun = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def add_difference(figures: dict[str, object], key: str, differences: Sequence[float]) -> None:
    difference = fold_difference(differences, 5)
    figures[key], figures[f"{key}_low"], figures[f"{key}_high"] = difference.mean, difference.low, difference.high


def decision(table: OutcomeTable) -> dict[str, object]:
    """Time of one decision by the routers that a gateway can have.

    The machine is shared, so it is CPU time, and of each prompt the median of three rounds: a neighbour that empties
    the processor's cache is no property of the decision.
    """
    terms = train_router(
        replace(table, embeddings=None),
        make_learner("length"),
        "calls",
        source="MMLU",
        today=date(2026, 1, 1),
        holds_days=90,
        loss=0.01,
    ).router.terms
    figures: dict[str, object] = {}
    for prefix, name in (("", "taught"), ("blended_", "blended")):  # the first with vectors, if there are any
        scorer = make_learner(name).fit(table.inputs, table.outcomes)
        data = encode_router(Router(scorer, terms))
        figures |= decision_times(decode_router(data, "router"), table.prompts[:: len(table) // 2000], prefix)
        figures[f"weights.{prefix}mb"] = len(data) / 1e6
    return figures


def decision_times(router: Router, prompts: Sequence[str], prefix: str) -> dict[str, object]:
    rounds = []
    for _ in range(3):
        times = []
        for prompt in prompts:
            begun = time.thread_time_ns()
            router.decide(prompt, today=date(2026, 1, 1))
            times.append((time.thread_time_ns() - begun) / 1e6)
        rounds.append(times)
    medians = np.median(rounds, axis=0)
    return {
        f"decision.{prefix}p99_ms_single_round": float(np.median([np.quantile(each, 0.99) for each in rounds])),
        f"decision.{prefix}p50_ms": float(np.quantile(medians, 0.5)),
        f"decision.{prefix}p99_ms": float(np.quantile(medians, 0.99)),
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
    stacked = stack_results(results)
    figures: dict[str, object] = {f"{prefix}tasks": len(table), f"{prefix}strategies": len(strategies)}
    inputs = read_prompts(table.prompts)
    for name, loss in (("half_point", 0.005), ("no_loss", 0.0)):
        alone, together = [], []
        for choosing, measuring in halves(len(table)):
            best = priced[np.argmax(outcomes[np.ix_(choosing, priced)].mean(axis=0))]
            baseline = StrategyResult(outcomes[:, best], costs[:, best])
            of_half = StrategyResult(stacked.outcomes[:, choosing], stacked.costs[:, choosing])
            chosen = choose_strategy(strategies, of_half, part(baseline, choosing), loss=loss)
            applied = results[strategies.index(chosen.strategy)] if chosen else baseline
            alone.append(compared(applied, baseline, measuring))
            first = chosen.strategy.first[0] if chosen else int(best)
            cheap = StrategyResult(outcomes[:, first], costs[:, first])
            routed = by_difficulty(table, inputs, (baseline, applied, cheap), choosing, loss)
            together.append(compared(routed, baseline, measuring))
        for kind_of, pairs in (("", alone), ("together_", together)):
            add_splits(figures, f"{prefix}{kind_of}saving_{name}", [saving for saving, _ in pairs])
            add_splits(figures, f"{prefix}{kind_of}change_points_{name}", [change for _, change in pairs])
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


def halves(count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to choose on, rows to measure on."""
    for seed in range(SPLITS):
        order = np.random.default_rng(seed).permutation(count)
        yield order[: count // 2], order[count // 2 :]


def compared(applied: StrategyResult, baseline: StrategyResult, rows: np.ndarray) -> tuple[float, float]:
    """Saving as a share, change of outcome in points."""
    one, other = part(applied, rows), part(baseline, rows)
    return 1 - one.costs.mean() / other.costs.mean(), float((one.outcomes - other.outcomes).mean()) * 100


def by_difficulty(
    table: OutcomeTable, inputs: Inputs, options: Sequence[StrategyResult], choosing: np.ndarray, loss: float
) -> StrategyResult:
    """Learned difficulty and agreement together: for each prompt the best model, the cascade or its first model alone,
    by what was learned on the one half of what each of the three comes to.
    """
    outcomes = np.stack([each.outcomes for each in options], axis=1)
    costs = np.stack([each.costs for each in options], axis=1)
    prompts = tuple(table.prompts[row] for row in choosing)
    learned_on = OutcomeTable(("best", "cascade", "first"), prompts, outcomes[choosing], (), {"usd": costs[choosing]})
    learned_on.__dict__["inputs"] = inputs.take(choosing)
    learner = LinearLearner()
    expected = out_of_fold_scores(learned_on, learner, draw_folds(learned_on, 5))
    calibration = calibrate(learned_on, expected, "usd", loss=loss)
    scores = learner.fit(learned_on.inputs, learned_on.outcomes).score(inputs)
    models = choose(scores, learned_on.mean_costs("usd"), calibration.rate)
    rows = np.arange(len(models))
    return StrategyResult(outcomes[rows, models], costs[rows, models])


def part(result: StrategyResult, rows: np.ndarray) -> StrategyResult:
    return StrategyResult(result.outcomes[rows], result.costs[rows])


def add_splits(figures: dict[str, object], key: str, values: Sequence[float]) -> None:
    """Mean over splits. Halves of one table overlap, so the spread of splits (2.5 to 97.5 %) is beside."""
    figures[key] = float(np.mean(values))
    figures[f"{key}_low"], figures[f"{key}_high"] = map(float, np.quantile(values, [0.025, 0.975]))


def simulated_verifiers(table: OutcomeTable, priced: np.ndarray, best: int, prefix: str) -> dict[str, object]:
    """A verifier that is right in so many cases, at no cost of its own. The cheap model that saves most within a point
    is chosen on one half and measured on the other; where none passes, the best model is asked.
    """
    costs, outcomes = table.costs["usd"], table.outcomes
    dear = StrategyResult(outcomes[:, best], costs[:, best])
    figures: dict[str, object] = {}
    for share in VERIFIERS:
        cascades, errors = {}, {}
        for model in (each for each in priced if each != best):
            right = outcomes[:, model] == 1
            is_true = np.random.default_rng(int(model)).random(len(table)) < share
            accepted = np.where(is_true, right, ~right)
            errors[model] = verifier_errors(accepted, right)
            cascades[model] = verified_cascade(StrategyResult(outcomes[:, model], costs[:, model]), dear, accepted)
        results = []
        for choosing, measuring in halves(len(table)):
            within = [
                (saving, model)
                for model, each in cascades.items()
                for saving, change in [compared(each, dear, choosing)]
                if change >= -1 and saving > 0
            ]
            results.append(compared(cascades[max(within)[1]] if within else dear, dear, measuring))
        key = f"{prefix}verifier_{share * 100:.0f}"
        add_splits(figures, f"{key}.saving_one_point", [saving for saving, _ in results])
        add_splits(figures, f"{key}.change_points", [change for _, change in results])
        figures[f"{key}.accepts_wrong"] = float(np.mean([each.accepts_wrong for each in errors.values()]))
        figures[f"{key}.refuses_right"] = float(np.mean([each.refuses_right for each in errors.values()]))
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
        "--without-embeddings", action="store_true", help="no vectors of prompts: they take minutes the first time"
    )
    options.add_argument("--only", choices=["mmlu", "zeroeval"], help="one part of it")
    options.add_argument("--draws", type=int, default=DRAWS, help="of MMLU's folds, and of its subjects")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    if not chosen.data.is_dir():
        sys.exit(f"{chosen.data}: no such folder")
    figures: dict[str, object] = {"machine": measured.machine()}
    if chosen.only != "mmlu":
        for kind, prefix in (("gsm", "zeroeval."), ("crux", "zeroeval.crux.")):
            with progress(f"ZeroEval, {kind}"):
                figures |= zeroeval(chosen.data, kind, prefix) | learned_difficulty(chosen.data, kind, prefix)
    if chosen.only != "zeroeval":
        table = read_mmlu(chosen.data)
        if not chosen.without_embeddings:
            with progress("vectors of MMLU's prompts"):
                table = replace(table, embeddings=prompt_vectors.vectors_of(table.prompts, VECTORS_S))
        figures |= mt_bench(chosen.data) | mmlu(table, chosen.draws)
    measured.report(figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
