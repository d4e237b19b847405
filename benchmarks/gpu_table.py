"""What `gpu_run.py` measured, as tables for the documentation: machine, date, versions, joules per token, memory."""

import json
import sys
from pathlib import Path

FORMAT = "modicum-gpu-run-1"


def table(document):
    """Markdown of a run.

    Raises:
        ValueError: it is no such document.
    """
    if document.get("format") != FORMAT:
        raise ValueError(f"no {FORMAT} document; 'scripts/gpu-run --out gpu.json' writes one")
    dates = sorted(point["at"][:10] for point in document["points"]) or [document["started"]]
    days = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    limit = document.get("power_limit_watts")
    where = document["machine"] + (f" at a limit of {limit:,.0f} W" if limit else "")
    lines = [
        f"{where}, {days}, {document['made_with']}; random weights, {document['seconds_a_point']:g} s a point.",
        "",
        *_decode([point for point in document["points"] if point["kind"] == "decode"]),
        "",
        *_memory([point for point in document["points"] if point["kind"] == "memory"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _decode(points):
    if not points:
        return ["No decoding point has been measured."]
    rows = ["| model | batch | tokens/s | W | J per generated token | remark |", "|---|---|---|---|---|---|"]
    for point in points:
        figures = [
            _figure(point.get("tokens_per_second"), ",.0f"),
            _figure(point.get("mean_watts"), ",.0f"),
            _figure(point.get("joules_per_generated_token"), ".3g"),
            point.get("error") or ", ".join(point.get("slowed_by", [])),
        ]
        rows.append(f"| {point['model']} | {point['batch']} | {' | '.join(figures)} |")
    return rows


def _memory(points):
    if not points:
        return ["No memory point has been measured."]
    rows = [
        "| model | context x batch | cache, held | planned | allocated | weights, held | planned |",
        "|---|---|---|---|---|---|---|",
    ]
    names = ("cache_bytes", "planned_cache_bytes", "allocated_bytes", "weight_bytes", "planned_weight_bytes")
    for point in points:
        if "error" in point:
            rows.append(f"| {point['model']} | {point['context']:,} x {point['batch']} | {point['error']} | | | | |")
            continue
        figures = [_figure(point[name], ",d") for name in names]
        rows.append(f"| {point['model']} | {point['context']:,} x {point['batch']} | {' | '.join(figures)} |")
    return [*rows, "", "Bytes."]


def _figure(value, form):
    return "unknown" if value is None else format(value, form)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: scripts/gpu-table gpu.json > benchmarks/results/gpu.md")
    try:
        print(table(json.loads(Path(sys.argv[1]).read_text())), end="")
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
