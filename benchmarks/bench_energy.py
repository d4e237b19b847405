"""Energy split on simulated counters, replay of logs, memory plans against transformers, hf-mem and a table."""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import energy_deviations  # noqa: E402 - beside this file
from energy.simulated_server import Truth, bursts, simulate  # noqa: E402 - the tests' simulation
from modicum.energy.attribution import ServedCall, attribute  # noqa: E402
from modicum.energy.block_fit import non_negative_least_squares  # noqa: E402
from modicum.energy.energy_split import fit_split  # noqa: E402
from modicum.energy.memory import PlanRequest, plan_memory  # noqa: E402
from modicum.energy.memory.catalogue import find_blueprint, load_catalogue, read_blueprint  # noqa: E402
from modicum.energy.sample_intervals import measure_intervals  # noqa: E402
from modicum.energy.watch_log import FORMAT, LogHeader, LogWriter, read_log  # noqa: E402
from modicum.energy.watch_totals import make_report  # noqa: E402
from modicum.energy.window_cutter import cut_windows  # noqa: E402

MEMORY_PYTHON = ROOT / ".venv-memory/bin/python"
SMALL = json.loads((ROOT / "tests/energy/memory/small_models.json").read_text())
GOLDEN = json.loads((ROOT / "tests/energy/memory/transformers_golden.json").read_text())
HALF_HOUR = 1800


def values(truth):
    return truth.idle_watts, truth.per_step, truth.per_prompt, truth.per_generated


def fitted(truth, seed, seconds=HALF_HOUR, **load):
    measured = measure_intervals(simulate(truth, seconds, seed, **load), "simulated")
    return fit_split(measured.intervals, cut_windows(measured.intervals)), measured


def errors(found, truth):
    """Relative error of each term; None where it was declared not identifiable."""
    return [
        None if term.value is None else abs(term.value / value - 1)
        for term, value in zip(found.terms, values(truth), strict=True)
    ]


def random_truths(count):
    for seed in range(count):
        rng = random.Random(1000 + seed)
        yield (
            seed,
            Truth(
                idle_watts=rng.uniform(40, 200),
                per_step=rng.uniform(0.5, 8),
                per_prompt=rng.uniform(0.005, 0.1),
                per_generated=rng.uniform(0.02, 0.3),
                tick_s=rng.choice([0.02, 0.05, 0.1]),
            ),
        )


def split_figures():
    truth = Truth()
    runs = [fitted(truth, seed, rate=bursts) for seed in range(1, 9)]
    worst = [error for found, _ in runs for error in errors(found, truth)]
    coarse = [fitted(truth, seed, rate=bursts, edges=False)[0] for seed in range(1, 9)]
    context = Truth(per_context_token=1e-5)
    found_context, _ = fitted(context, 1, rate=bursts)
    constant = [fitted(truth, 1, seconds=900, closed=streams)[0] for streams in (8, 64)]
    drawn, inside, open_terms = [], 0, 0
    for seed, other in random_truths(20):
        found, _ = fitted(other, seed, rate=bursts)
        for term, value in zip(found.terms, values(other), strict=True):
            if term.value is None:
                open_terms += 1
                continue
            drawn.append(abs(term.value / value - 1))
            inside += abs(term.value - value) <= (term.error or 0)
    return {
        "worst_term_error": None if None in worst else max(worst),
        "minutes": HALF_HOUR / 60,
        "seeds": len(runs),
        "window_error": float(np.mean([found.window_error for found, _ in runs])),
        "tokens_only_worst_term_error": tokens_only(runs[0][1], truth),
        "without_edge_reads_worst_term_error": max(error or 0 for found in coarse for error in errors(found, truth)),
        "unmodelled_context_cost_worst_term_error": max(error or 0 for error in errors(found_context, context)),
        "constant_load_idle_declared_open": all(found.idle.value is None for found in constant),
        "random_truths": {
            "terms": len(drawn),
            "declared_open": open_terms,
            "median_error": float(np.median(drawn)),
            "worst_error": max(drawn),
            "within_5_percent": sum(error <= 0.05 for error in drawn) / len(drawn),
            "inside_their_95_interval": inside / len(drawn),
        },
    }


def tokens_only(measured, truth):
    """The zero-effort baseline: no step counter, energy explained by time and tokens."""
    cut = cut_windows(measured.intervals)
    columns = np.array([(w.seconds, w.uncached_prompt_tokens, w.generated_tokens) for w in cut])
    idle, prompt, generated = non_negative_least_squares(columns, np.array([w.joules for w in cut]))
    return max(
        abs(idle / truth.idle_watts - 1), abs(prompt / truth.per_prompt - 1), abs(generated / truth.per_generated - 1)
    )


def replay_figures():
    samples = simulate(Truth(), 600, 5, rate=bursts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        with path.open("wb") as file:
            writer = LogWriter(file, LogHeader(FORMAT, (), ("http://127.0.0.1:8000",), 1.0))
            for sample in samples:
                writer.write(sample)
        same = make_report(read_log(path).samples, "x") == make_report(samples, "x")
    found = make_report(samples, "x")
    calls = [ServedCall(str(n), n * 1.0, n + 0.3, n + 4.0, 400, 100) for n in range(500)]
    shared = attribute(measure_intervals(samples, "x").intervals, calls, found.split)
    total = sum(call.joules for call in shared.calls) + shared.idle_joules + shared.unseen_joules
    return {"same_figures": same, "attribution_closure_error": abs(total / shared.measured_joules - 1)}


def in_memory_env(script, document):
    done = subprocess.run(
        [MEMORY_PYTHON, ROOT / "benchmarks/memory_check" / script, "-"],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def memory_figures(data):
    live = MEMORY_PYTHON.exists()
    truth = in_memory_env("truth.py", SMALL) if live else GOLDEN
    exact, wrong = set(), set()
    for name, held in truth["models"].items():
        plan = plan_memory(
            read_blueprint(name, SMALL[name]),
            PlanRequest(truth["tokens"], truth["sequences"], engine="transformers", weights="bf16"),
        )
        same = (plan.weights_bytes, plan.cache_bytes) == (held["weight_bytes"], held["cache_bytes"])
        (exact if same else wrong).add(SMALL[name]["model_type"])
    return {
        "architectures_exact": len(exact - wrong),
        "architectures_known": len({config["model_type"] for config in SMALL.values()}),
        "configs_checked": len(truth["models"]),
        "checked_with": truth["made_with"] + ("" if live else " (recorded; scripts/memory-check makes it live)"),
        "table": table_figures(data) if data else None,
        "hf_mem": hf_mem_figures() if live else None,
    }


NUMBER = r"\s+([\d.]+)"
TABLE_ROW = re.compile(
    r"(\S+)" + NUMBER + "B" + NUMBER + r"B\s+\d+/\s*\d+/\s*\d+" + 4 * NUMBER + r" \|" + 3 * NUMBER + r" \|"
)
"""Model, billions of weights, active, layers by kind, then the figures of `row`."""
ALIASES = {"deepseek-v3/r1": "deepseek-v3", "mistral-small-3.x-24b": "mistral-small-3-24b"}


def table_figures(data):
    """The rows of a table made by other code from the same configs: rounded figures, equal or not."""
    rows = {}
    for line in (data / "model-configs/memory_table.txt").read_text().splitlines()[1:]:
        match = TABLE_ROW.match(line)
        if match:
            rows[match[1].lower()] = [float(part) for part in match.groups()[1:]]
    differ = {}
    for name, wanted in rows.items():
        found = row(ALIASES.get(name, name))
        if any(abs(a - b) > 0.5 * 10 ** -(2 if index in {0, 1, 5, 6} else 1) + 1e-9
               for index, (a, b) in enumerate(zip(found, wanted, strict=True))):  # fmt: skip
            differ[name] = {"ours": [round(part, 3) for part in found], "table": wanted}
    return {"rows": len(rows), "equal": len(rows) - len(differ), "differ": differ}


def row(name):
    def at(context, batch):
        return plan_memory(find_blueprint(name), PlanRequest(context, batch, weights="bf16"))

    short, long, many = at(8192, 1), at(131_072, 1), at(131_072, 8)
    gib = 1024**3
    return [
        long.parameters / 1e9, long.active_parameters / 1e9, long.cache_bytes_per_token / 1024,
        long.state_bytes_per_sequence / 1024**2, long.weights_bytes / gib, short.cache_bytes / gib,
        long.cache_bytes / gib, many.cache_bytes / gib, many.exact_bytes / gib,
    ]  # fmt: skip


def hf_mem_figures():
    models = load_catalogue().models
    theirs = in_memory_env("peers.py", models)
    ours = {name: plan_memory(find_blueprint(name), PlanRequest(131_072)).cache_bytes for name in models}
    ratios = {name: theirs[name] / ours[name] for name in models if theirs[name]}
    return {
        "models": len(models),
        "no_answer": sorted(name for name in models if not theirs[name]),
        "within_2_percent": sum(abs(ratio - 1) <= 0.02 for ratio in ratios.values()),
        "largest_overstatement": max(ratios.values()),
        "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()},
    }


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--data", type=Path)
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--recordings", type=int, default=12, help="of each deviation, half an hour each, simulated")
    asked.add_argument("--part", choices=["split", "replay", "memory", "deviations"], action="append")
    options = asked.parse_args()
    parts = {
        "split": split_figures,
        "replay": replay_figures,
        "memory": lambda: memory_figures(options.data),
        "deviations": lambda: energy_deviations.figures(options.recordings),
    }
    figures = {name: measure() for name, measure in parts.items() if name in (options.part or parts)}
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    for part, found in figures.items():
        for name, value in found.items():
            shown = (
                json.dumps(value) if isinstance(value, dict) else f"{value:.4g}" if isinstance(value, float) else value
            )
            print(f"{part}.{name}: {shown}")


if __name__ == "__main__":
    main()
