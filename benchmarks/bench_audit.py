"""The audit: its figures on real transcripts, its time and memory, and every finding on a million synthetic calls."""

import argparse
import resource
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

import audit_studies
import audit_truth
from audit_stability import stability
from measured import MODICUM, machine, report, run
from modicum.importers.claude_code import context
from modicum.importers.format import Reading
from modicum.insights.findings import FINDINGS, load_detector
from modicum.insights.history import load
from modicum.insights.rent import compute_rent
from modicum.insights.replay import Replay
from modicum.insights.what_if import cap_tool_results
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook

EVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
ASKED = ("cache_ttl=1h", "cache_ttl=5m", "cap_tool_results=2000")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of transcripts")
    parser.add_argument("--synthetic", action="store_true", help="a million calls of synthetic agents")
    parser.add_argument("--calls", type=int, default=1_000_000, help="how many synthetic calls")
    parser.add_argument(
        "--truth", action="store_true", help="savings beside a provider simulated from its documentation"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.truth:
        beside_truth(as_json=options.json)
        return
    if not options.data and not options.synthetic:
        parser.error("give --data DIR, --synthetic, --truth, or more of them")
    folder = Path(tempfile.mkdtemp(prefix="modicum-bench-"))
    figures: dict[str, object] = {}
    try:
        if options.data:
            figures |= on_data(options.data, folder) | fit_ratio(options.data)
        if options.synthetic:
            figures |= on_synthetic(folder, options.calls)
    finally:
        shutil.rmtree(folder)
    rows = audit_studies.beside(figures) if options.data else []
    if options.json:
        figures["studies"] = rows
    report(figures | {"machine": machine()}, as_json=options.json)
    if rows and not options.json:
        print(audit_studies.table(rows))


def beside_truth(*, as_json: bool) -> None:
    figures, rows = audit_truth.measure()
    report(figures | ({"truth.rows": rows} if as_json else {}) | {"machine": machine()}, as_json=as_json)
    if not as_json:
        print(audit_truth.table(rows))


def on_data(data: Path, folder: Path) -> dict[str, object]:
    import json

    home = {"HOME": str(folder), **{name: str(folder / name) for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME")}}
    asked = [word for change in ASKED for word in ("--what-if", change)]
    raw = run([MODICUM, "audit", data, "--json", *asked], home)
    ledger = folder / "ledger.duckdb"
    run([MODICUM, "import", data, "--ledger", ledger], home)
    kept = run([MODICUM, "audit", "--ledger", ledger, "--json", *asked], home)
    found = json.loads(kept.out)
    whole = found["cost_usd"]
    figures: dict[str, object] = {
        "cost_usd": whole,
        "calls": found["calls"],
        **{f"share_{part['name']}": part["cost_usd"] / whole for part in found["rent"]["parts"]},
        **{f"fidelity.{name}": found["fidelity"][name] for name in (
            "total_error", "median_task_error", "unexplained_share", "total_error_by_rules")},
        "joint_saving_share": found["joint_saving_share"],
    }  # fmt: skip
    for row in found["findings"]:
        if row["calls"] or row["name"] in {"prefix_break", "ttl_expiry"}:
            figures[f"{row['id']}_{row['name']}_gross_share"] = row["gross_usd"] / whole
            figures[f"{row['id']}_{row['name']}_saving_share"] = row["saving_share"]
    for point in found["cap_curve"]:
        figures[f"cap_{point['cap_tokens']}_gross_share"] = point["gross_usd"] / whole
        figures[f"cap_{point['cap_tokens']}_saving_share"] = point["saving_share"]
    figures |= {f"what_if {one['name']}": one["saving_share"] for one in found["what_if"]}
    broken = next(row["calls"] for row in found["findings"] if row["name"] == "prefix_break")
    named = sum(row["breaks"] for row in found["break_causes"])
    figures |= {"breaks": broken, "breaks_named": named, "breaks_named_share": named / broken if broken else 0.0}
    figures |= {f"first_token.{name}": found["first_token_time"][name] for name in ("computed_s", "read_s", "median_s")}
    figures["what_if cache_ttl=1h over 5m"] = figures["what_if cache_ttl=1h"] - figures["what_if cache_ttl=5m"]
    parts = {part["name"]: part for part in found["rent"]["parts"]}
    figures |= {f"share_{name}": 0.0 for name in ("tool_result", "(completions)") if name not in parts}
    figures["share_prefix_reread"] = parts["prefix"]["read_usd"] / whole if "prefix" in parts else 0.0
    store = open_store(str(ledger))
    history = load(store, *EVER)
    store.close()
    figures |= audit_studies.shares(history) | stability(history, PriceBook())
    return figures | {
        "from_logs_s": raw.wall_s,
        "from_logs_peak_mb": raw.peak_mb,
        "from_ledger_s": kept.wall_s,
        "from_ledger_peak_mb": kept.peak_mb,
    }


def fit_ratio(data: Path) -> dict[str, object]:
    """What the provider counted for the visible blocks that came between two calls, over our count of them."""
    grown: list[tuple[int, int, bool]] = []
    fitted = context.fitted

    def watched(parts, total):
        counted = sum(part.tokens for part in parts)
        results = sum(part.tokens for part in parts if part.kind == "tool_result")
        grown.append((counted, total, results > 0.8 * counted))
        return fitted(parts, total)

    context.fitted = watched
    try:
        for path in sorted(data.glob("*.jsonl*")):
            list(context.read(path, Reading(anatomy=True)))
    finally:
        context.fitted = fitted
    counted, total, mostly_results = (np.array(column) for column in zip(*grown, strict=True))
    large = (counted >= 200) & mostly_results
    ratio = total[large] / counted[large]
    figures: dict[str, object] = {
        f"fit_ratio_tool_results_p{share}": float(np.percentile(ratio, share)) for share in (5, 25, 50, 75, 95)
    }
    return figures | {
        "fit_ratio_tool_results_of_sums": float(total[large].sum() / counted[large].sum()),
        "fit_steps": int(large.sum()),
    }


def on_synthetic(folder: Path, calls: int) -> dict[str, object]:
    place = folder / "synthetic.duckdb"
    open_store(str(place)).close()
    sql = (Path(__file__).parent / "synthetic_agents.sql").read_text(encoding="utf-8").replace("$calls", str(calls))
    with duckdb.connect(str(place)) as base:
        base.execute(sql)
    store = open_store(str(place))
    figures: dict[str, object] = {}

    def timed(name, work):
        began, worked = time.perf_counter(), time.process_time()
        done = work()
        figures[f"{name}_s"], figures[f"{name}_cpu_s"] = time.perf_counter() - began, time.process_time() - worked
        return done

    history = timed("load", lambda: load(store, *EVER))
    figures |= {"synthetic_calls": history.calls, "synthetic_segments": history.segments}
    carried = history.segment_died - history.segment_call
    figures["segments_in_contexts"] = int(carried.sum())
    for name in FINDINGS:
        timed(f"finding {name}", lambda name=name: load_detector(name)(history))
    replays = timed("replay prepared", lambda: Replay(history, PriceBook()))
    figures["synthetic fidelity.total_error"] = timed("fidelity", replays.fidelity).total_error
    timed("replay of a cap", lambda: replays.run([cap_tool_results(history, 2000)]))
    timed("rent", lambda: compute_rent(store, "kind", *EVER))
    store.close()
    whole = run([MODICUM, "audit", "--ledger", place, "--json"], {"HOME": str(folder)})
    figures |= {"whole_audit_s": whole.wall_s, "whole_audit_cpu_s": whole.cpu_s, "whole_audit_peak_mb": whole.peak_mb}
    figures["slowest_finding_cpu_s"] = max(figures[f"finding {name}_cpu_s"] for name in FINDINGS)
    figures["synthetic_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures["synthetic_ledger_mb"] = place.stat().st_size / 1e6
    return figures


if __name__ == "__main__":
    main()
