"""How far `modicum estimate` is from later bills: numbers of one half of real transcripts, the bill of the other."""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from bench_bill import unpack
from modicum.calls import Entry, Problem
from modicum.experiments.builds.design import bill_tasks, estimate_design, measure_design
from modicum.importers.format import Reading
from modicum.importers.read_logs import read_calls
from modicum.ledger.booking import book_all, newest
from modicum.metering.prices import PriceBook

SPLITS = 100
FEWEST_CONVERSATIONS = 10


def read(data: Path) -> list[Entry]:
    with tempfile.TemporaryDirectory() as folder:
        unpack(data, Path(folder) / "projects" / "p")
        calls = (one for one in read_calls([Path(folder)], Reading(anatomy=True)) if not isinstance(one, Problem))
        return newest(book_all(calls, PriceBook()))


def by_task(entries: Sequence[Entry]) -> list[list[Entry]]:
    tasks: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        tasks[entry.call.task].append(entry)
    return sorted(tasks.values(), key=lambda task: min(one.call.started for one in task))


def error(
    first: Sequence[list[Entry]], second: Sequence[list[Entry]], prices: PriceBook, *, spread: bool = True
) -> float:
    """Of the estimate for the second half, from the numbers of the first: by model, each with the share of tasks' calls
    that it had there; prices are known, behaviour is not.
    """
    estimated = billed = 0.0
    for model in {entry.call.model for task in second for entry in task}:
        known, later = ([one for task in half for one in task if one.call.model == model] for half in (first, second))
        if len({one.call.conversation or one.call.task for one in known}) < FEWEST_CONVERSATIONS:
            continue
        design = measure_design(known)
        assert design is not None
        design = design if spread else msgspec.structs.replace(design, calls_spread=0.0)
        rates = prices.rates(known[0].call.provider, model, later[0].call.started)
        bill = bill_tasks(later, estimate := estimate_design(design, rates))
        assert bill is not None
        assert bill.cost_usd is not None
        assert estimate.cost_usd is not None
        estimated += estimate.cost_usd * bill.tasks
        billed += bill.cost_usd * bill.tasks
    return estimated / billed - 1


def describe(errors: Sequence[float]) -> dict[str, float]:
    sizes = np.abs(errors)
    return {
        "median": float(np.median(sizes)),
        "p90": float(np.quantile(sizes, 0.9)),
        "bias": float(np.mean(errors)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with Claude Code transcripts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prices, tasks = PriceBook(), by_task(read(options.data))
    half = len(tasks) // 2
    figures: dict[str, object] = {
        "estimate.tasks": len(tasks),
        "estimate.same": error(tasks, tasks, prices),
        "estimate.later_half": error(tasks[:half], tasks[half:], prices),
        "estimate.earlier_half": error(tasks[half:], tasks[:half], prices),
    }
    for name, spread in (("estimate.random_halves", True), ("estimate.random_halves_without_spread", False)):
        errors = []
        for seed in range(SPLITS):
            order = np.random.default_rng(seed).permutation(len(tasks))
            first, second = ([tasks[place] for place in part] for part in (order[:half], order[half:]))
            errors.append(error(first, second, prices, spread=spread))
        figures |= {f"{name}.{key}": value for key, value in describe(errors).items()}
    if options.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:48} {value if isinstance(value, int) else f'{value:+.1%}'}")


if __name__ == "__main__":
    main()
