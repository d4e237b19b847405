"""Coverage of the split's intervals on simulated servers that leave the fitted law, one way each."""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from energy.simulated_server import Truth, bursts, simulate  # noqa: E402 - the tests' simulation
from modicum.energy.energy_split import fit_split  # noqa: E402
from modicum.energy.sample_intervals import measure_intervals  # noqa: E402
from modicum.energy.window_cutter import cut_windows  # noqa: E402

DRAFTS = {"drafted": 3, "per_draft": 0.03, "acceptance": (0.6, 0.25)}
EXPERTS = {"expert_share": 8 / 128, "per_expert_step": 6.0}
SCENARIOS = {
    "as the law": (Truth(), {}),
    "drafts, counted": (Truth(**DRAFTS), {}),
    "drafts, counted, constant acceptance": (Truth(**(DRAFTS | {"acceptance": (0.6, 0.0)})), {}),
    "drafts, not counted": (Truth(**DRAFTS), {"counts_drafts": False}),
    "experts, share given": (Truth(**EXPERTS), {"expert_share": 8 / 128}),
    "experts, share not given": (Truth(**EXPERTS), {}),
    "clocks fall by 15 % under load": (Truth(clock_fall=0.15), {}),
    "clocks fall by 40 % under load": (Truth(clock_fall=0.40), {}),
    "drift of 5 %": (Truth(drift=0.05), {}),
    "drift of 20 %": (Truth(drift=0.20), {}),
    "noise of 3 % that stays 30 s": (Truth(slow_noise=0.03), {}),
    "noise of 3 % that stays 180 s": (Truth(slow_noise=0.03, slow_noise_s=180.0), {}),
    "noise of 10 % that stays 60 s": (Truth(slow_noise=0.10, slow_noise_s=60.0), {}),
    "context of 10 uJ a token and step": (Truth(per_context_token=1e-5), {}),
}
PLACES = {
    "idle": "idle",
    "per_step": "per_step",
    "per_prompt_token": "per_prompt",
    "per_generated_token": "per_generated",
    "per_drafted_token": "per_draft",
    "experts_per_step": "per_expert_step",
}


def run(task):
    """Of one recording: each term's average truth, value, half interval."""
    name, seed, seconds = task
    truth, options = SCENARIOS[name]
    averages = {}
    samples = simulate(
        truth,
        seconds,
        seed,
        rate=bursts,
        counts_drafts=options.get("counts_drafts", True),
        averages=averages,
    )
    measured = measure_intervals(samples, "simulated")
    found = fit_split(measured.intervals, cut_windows(measured.intervals), options.get("expert_share"))
    terms = [(term.name, averages.get(PLACES[term.name]), term.value, term.error) for term in found.terms]
    return name, terms, [one.name for one in found.deviations], found.noise_memory_s


def figures(seeds, seconds=1800, names=tuple(SCENARIOS)):
    tasks = [(name, 5000 + seed, seconds) for name in names for seed in range(seeds)]
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(run, tasks, chunksize=4))
    return {name: summarise([one for one in runs if one[0] == name]) for name in names}


def summarise(runs):
    stated = [
        (abs(value - truth) <= error, error / truth, abs(value - truth) / truth)
        for _, terms, _, _ in runs
        for _, truth, value, error in terms
        if value is not None and truth
    ]
    every = sum(1 for _, terms, _, _ in runs for _, truth, _, _ in terms if truth)
    by_term = {}
    for _, terms, _, _ in runs:
        for name, truth, value, error in terms:
            if truth:
                by_term.setdefault(name, []).append(None if value is None else abs(value - truth) <= error)
    return {
        "recordings": len(runs),
        "terms": every,
        "withheld": 1 - len(stated) / every,
        "coverage_of_stated": float(np.mean([inside for inside, _, _ in stated])) if stated else None,
        "median_half_width": float(np.median([half for _, half, _ in stated])) if stated else None,
        "worst_error_of_stated": max((error for _, _, error in stated), default=None),
        "recordings_with_a_warning": float(np.mean([bool(ways) for _, _, ways, _ in runs])),
        "by_term": {
            name: {
                "stated": sum(one is not None for one in all_) / len(all_),
                "coverage": float(np.mean([one for one in all_ if one is not None]))
                if any(one is not None for one in all_)
                else None,
            }
            for name, all_ in by_term.items()
        },
    }
