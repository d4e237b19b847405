"""Questions over 1 and 10 million entries, on both engines: seconds, CPU and memory of each, and how they grow."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import log
from pathlib import Path

from measured import machine, report
from modicum.calls import Call, Cost, Entry, Usage
from modicum.ledger.opening import open_store

HERE = Path(__file__).resolve().parent
YEAR = {"since": datetime(2025, 1, 1, tzinfo=UTC), "until": datetime(2026, 1, 1, tzinfo=UTC)}
MONTH = {"since": datetime(2025, 12, 1, tzinfo=UTC), "until": datetime(2026, 1, 1, tzinfo=UTC)}
LAST = datetime(2025, 12, 31, 12, tzinfo=UTC)
BY = {"zone": "UTC", "tag": ""}
EACH = {"team": "*", "app": "", "user": "", "key": "", "task": "", "tag": "", "tag_value": "", "slot_s": 1e9}
QUESTIONS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "bill_by_model": ("bill", {"by": "model", **BY, **YEAR}),
    "bill_by_day": ("bill", {"by": "day", **BY, **YEAR}),
    "bill_by_task": ("bill", {"by": "task", **BY, **YEAR}),
    "bill_by_tag": ("bill", {"by": "tag", "zone": "UTC", "tag": "client", **YEAR}),
    "days_by_team": ("spend_by_day", {"by": "team", **BY, **YEAR}),
    "dearest_tasks": ("dearest_tasks", {"most": 100, **YEAR}),
    "month_by_team": ("bill", {"by": "team", **BY, **MONTH}),
    "month_budgets": ("budget_spend", {**EACH, **MONTH, "counted_in": ""}),
    "month_of_charges": ("charges_by_hour", {"by": ["app", "key"], "tag": ["", ""], "zone": "UTC", **MONTH}),
    "doubts": ("doubts", {**YEAR}),
    "months": ("months", {"zone": "UTC", **YEAR}),
    "holdings": ("holdings", {}),
}
OF_SUMS = ("bill_by_model", "bill_by_day", "days_by_team", "month_by_team", "doubts", "months")
"""Questions that read sums of days. They are asked before days were summed, too: the baseline."""


def fill(folder: Path, calls: int) -> tuple[str, float]:
    """A DuckDB ledger; returns where it is, and the seconds that making it took."""
    place = str(folder / f"{calls}.duckdb")
    store = open_store(place)
    began = time.perf_counter()
    sql = (HERE / "synthetic_year.sql").read_text(encoding="utf-8").replace("$calls", str(calls))
    store.execute(sql, {})
    store.execute("CHECKPOINT", {})
    store.close()
    return place, time.perf_counter() - began


def copy_to_clickhouse(duckdb_place: str, folder: Path, calls: int) -> str:
    """The same entries on ClickHouse, through a file, since entries one by one take minutes."""
    plain = folder / f"{calls}.parquet"
    store = open_store(duckdb_place)
    store.execute(f"COPY (SELECT * FROM entries) TO '{plain}' (FORMAT parquet)", {})
    store.close()
    place = f"chdb://{folder}/{calls}.chdb"
    other = open_store(place)
    other._client.command(_insert_sql(other, plain))  # noqa: SLF001 - a benchmark fills it as no program would
    other._client.command(  # noqa: SLF001 - as above
        "INSERT INTO touched_slots_log"
        " SELECT DISTINCT toInt64(toUnixTimestamp(started) DIV 900), now64(6) FROM entries_log"
    )
    other.close()
    plain.unlink()
    return place


def _insert_sql(store: object, plain: Path) -> str:
    described = store._client.query("DESCRIBE TABLE entries_log").result_rows  # noqa: SLF001 - as above
    names = [row[0] for row in described if row[0] != "version"]
    listed = ", ".join(names)
    return f"INSERT INTO entries_log ({listed}, version) SELECT {listed}, 1 FROM file('{plain}', 'Parquet')"


def sum_all(place: str) -> dict[str, float]:
    """Sums every day but the last one, which an entry has just come to, as they come to today's."""
    store = open_store(place)
    began, used, days = time.perf_counter(), time.process_time(), 0
    now = datetime.now(UTC)
    while summed := store.sum_days("UTC", now, 10):
        days += summed
    figures = {"sum_s": time.perf_counter() - began, "sum_cpu_s": time.process_time() - used, "days": float(days)}
    call = Call(call_id="late", source="gateway", provider="anthropic", model="model-1", started=LAST, usage=Usage())
    store.append([Entry(call, Cost.unknown())])
    store.close()
    return figures


def ask_once(place: str, name: str) -> dict[str, float]:
    """In a process of its own, so that its memory is that of the question: twice, the second time is what counts."""
    question, parameters = QUESTIONS[name]
    store = open_store(place)
    seconds = cpu = rows = 0.0
    for _ in range(2):
        began, used = time.perf_counter(), time.process_time()
        rows = len(store.ask(question, **{"where": {}, **parameters} if "since" in parameters else parameters))
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
    store.close()
    status = Path("/proc/self/status").read_text(encoding="ascii")  # getrusage knows of the parent's memory too
    peak = float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024
    return {"seconds": seconds, "cpu_s": cpu, "peak_mb": peak, "rows": rows}


def measure(place: str, names: Iterable[str]) -> dict[str, dict[str, float]]:
    found = {}
    for name in names:
        ran = subprocess.run(
            [sys.executable, __file__, "--ask", place, name], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            sys.exit(f"{name} at {place}: {ran.stderr[-2000:]}")
        found[name] = json.loads(ran.stdout)
        print(f"{place} {name} {found[name]}", file=sys.stderr)
    return found


def size_mb(place: str) -> float:
    path = Path(place.removeprefix("chdb://"))
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--engines", nargs="+", default=["duckdb", "clickhouse"], choices=["duckdb", "clickhouse"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used: the entries are synthetic")
    parser.add_argument("--ask", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask_once(*options.ask)))
        return
    folder = Path(tempfile.mkdtemp(prefix="modicum-bench-"))
    try:
        report(_measure_all(folder, options.entries, options.engines), as_json=options.json)
    finally:
        shutil.rmtree(folder)


def _measure_all(folder: Path, sizes: list[int], engines: list[str]) -> dict[str, object]:
    figures: dict[str, object] = {}
    by_size: dict[str, list[dict[str, dict[str, float]]]] = {engine: [] for engine in engines}
    for calls in sizes:
        place, seconds = fill(folder, calls)
        places = {"duckdb": place}
        if "clickhouse" in engines:
            places["clickhouse"] = copy_to_clickhouse(place, folder, calls)
        figures[f"{calls}.made_s"] = seconds
        for engine in engines:
            plain = measure(places[engine], OF_SUMS)
            figures |= {f"{engine}.{calls}.{name}": value for name, value in sum_all(places[engine]).items()}
            found = measure(places[engine], QUESTIONS)
            found |= {f"{name}.entries": one for name, one in plain.items()}
            by_size[engine].append(found)
            figures[f"{engine}.{calls}.mb"] = size_mb(places[engine])
            for name, one in found.items():
                figures |= {f"{engine}.{calls}.{name}.{what}": value for what, value in one.items()}
        for gone in places.values():
            path = Path(gone.removeprefix("chdb://"))
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for engine in engines:
        if len(sizes) > 1:
            first, last = by_size[engine][0], by_size[engine][-1]
            for name in first:
                ratio = last[name]["cpu_s"] / max(first[name]["cpu_s"], 1e-3)
                figures[f"{engine}.growth.{name}"] = log(max(ratio, 1e-9)) / log(sizes[-1] / sizes[0])
    return {**figures, "machine": machine()}


if __name__ == "__main__":
    main()
