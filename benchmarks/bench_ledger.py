"""Ten million synthetic entries into the ledger: appended a second, and the bill by model with the ledger open."""

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from measured import machine, median, report
from modicum.calls import Basis, BucketCosts, Call, Cost, Entry, Owner, Usage
from modicum.ledger.opening import open_store
from modicum.ledger.store import Appended

BATCH = 100_000
MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "gpt-5", "gpt-5-mini", "gemini-2.5-pro", "llama-3.3-70b")
START = datetime(2026, 1, 1, tzinfo=UTC)


def batches(count: int) -> Iterator[list[Entry]]:
    chance = random.Random(1)
    for first in range(0, count, BATCH):
        yield [entry(number, chance) for number in range(first, min(first + BATCH, count))]


def entry(number: int, chance: random.Random) -> Entry:
    read, written, output = chance.randrange(200_000), chance.randrange(8_000), chance.randrange(2_000)
    costs = BucketCosts(
        input_uncached=Decimal(15) / 1_000_000,
        cache_read=Decimal(read) / 2_000_000,
        cache_write_5m=written * Decimal("0.00000625"),
        output_visible=output * Decimal("0.000025"),
    )
    call = Call(
        call_id=f"msg_{number * 2654435761 % 2**48:012x}{number:x}",
        source="synthetic",
        provider="anthropic",
        model=MODELS[number % len(MODELS)],
        started=START + timedelta(seconds=3 * number),
        finished=START + timedelta(seconds=3 * number + 2),
        usage=Usage(3, read, written, 0, output),
        task=f"task-{number // 60}",
        conversation=f"task-{number // 60}",
        turn=number % 60,
        project=f"project-{number // 60 % 300}",
        owner=Owner(team=f"team-{number // 60 % 12}", user=f"user-{number // 60 % 90}"),
    )
    return Entry(call, Cost(costs.total, Basis.EXACT, costs, "genai-prices", "0"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used: the entries are synthetic")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="modicum-bench-"))
    try:
        report(measure(folder, options.entries), as_json=options.json)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, count: int) -> dict[str, object]:
    store = open_store(str(folder / "ledger.duckdb"))
    booked, seconds, slowest = Appended(), 0.0, 0.0
    for batch in batches(count):
        began = time.perf_counter()
        booked += store.append(batch)
        took = time.perf_counter() - began
        seconds, slowest = seconds + took, max(slowest, took)
    again = next(batches(BATCH))
    began = time.perf_counter()
    repeated = store.append(again)
    again_s = time.perf_counter() - began
    span = {"since": START, "until": START + timedelta(days=10_000), "tag": "", "zone": "UTC"}
    bills = {}
    for by in ("model", "day", "task"):
        times = []
        for _ in range(3):
            began = time.perf_counter()
            store.ask("bill", by=by, **span)
            times.append(time.perf_counter() - began)
        bills[f"bill_by_{by}_s"] = median(times)
    store.close()
    return {
        "entries": booked.new,
        "appended_per_s": booked.new / seconds,
        "slowest_batch_s": slowest,
        "again_unchanged": repeated.unchanged,
        "again_s": again_s,
        **bills,
        "file_mb": (folder / "ledger.duckdb").stat().st_size / 1e6,
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
