"""The bill of real transcripts beside ccusage: equal figures, wall time, memory; and the time of the full anatomy."""

import argparse
import gzip
import json
import shutil
import tempfile
from pathlib import Path

from measured import MODICUM, machine, median, report, rounds, run
from peers import ccusage

ROUNDS = 9


def unpack(source: Path, target: Path) -> int:
    """Transcripts as Claude Code leaves them, under `projects/p/`. Returns their size in bytes."""
    target.mkdir(parents=True)
    size = 0
    for path in sorted(source.rglob("*.jsonl*")):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        (target / path.name.removesuffix(".gz")).write_bytes(content)
        size += len(content)
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with Claude Code transcripts (.jsonl or .jsonl.gz)"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="modicum-bench-"))
    try:
        size = unpack(options.data, folder / "claude" / "projects" / "p")
        report(measure(folder, size), as_json=options.json)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, size: int) -> dict[str, object]:
    environment = {"CLAUDE_CONFIG_DIR": str(folder / "claude"), "XDG_CACHE_HOME": str(folder / "cache")}
    environment |= {"XDG_DATA_HOME": str(folder / "data")}
    logs = folder / "claude" / "projects"
    commands = {
        "modicum": [MODICUM, "bill", logs, "--json"],
        "ccusage": [ccusage(), "daily", "--offline", "--json"],
    }
    runs = rounds(commands, ROUNDS, environment)
    first = run([MODICUM, "bill", logs, "--json"], environment | {"XDG_CACHE_HOME": str(folder / "cold")})
    ours, theirs = json.loads(runs["modicum"][0].out), json.loads(runs["ccusage"][0].out)["totals"]
    anatomy = run([MODICUM, "import", logs, "--ledger", folder / "ledger.duckdb", "--json"], environment)
    usage = ours["usage"]
    pairs = zip(runs["modicum"], runs["ccusage"], strict=True)
    return {
        "calls": ours["calls"],
        "cost_usd": ours["cost_usd"],
        "ccusage_cost_usd": theirs["totalCost"],
        "cents_apart": round(abs(ours["cost_usd"] - theirs["totalCost"]) * 100, 6),
        "tokens_equal": (
            usage["input_uncached"] == theirs["inputTokens"]
            and usage["cache_read"] == theirs["cacheReadTokens"]
            and usage["cache_write_5m"] + usage["cache_write_1h"] == theirs["cacheCreationTokens"]
            and ours["completion_tokens"] == theirs["outputTokens"]
        ),
        "megabytes": round(size / 1e6, 1),
        "wall_s": median([r.wall_s for r in runs["modicum"]]),
        "ccusage_wall_s": median([r.wall_s for r in runs["ccusage"]]),
        "wall_ratio_ccusage": median([one.wall_s / other.wall_s for one, other in pairs]),
        "first_run_wall_s": first.wall_s,
        "peak_mb": max(r.peak_mb for r in runs["modicum"]),
        "ccusage_peak_mb": max(r.peak_mb for r in runs["ccusage"]),
        "anatomy_s": anatomy.wall_s,
        "anatomy_peak_mb": anatomy.peak_mb,
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
