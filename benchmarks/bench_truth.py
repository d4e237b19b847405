"""Figures that are right, or that say they are not: cases with known answers, through `modicum bill PATH --json`."""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from measured import MODICUM, machine, report
from modicum.providers.anthropic_messages import usage as anthropic
from modicum.providers.gemini_generate import usage as gemini
from modicum.providers.openai import usage as openai

CENT_PARTS = 1e-9
"""Dollars by which two equal figures may differ, since the case holds a float."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder with cases.json")
    parser.add_argument(
        "--usages", type=Path, help="list of replies' usage objects with what a second reader makes of them (.json.gz)"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.cases)
    if options.usages:
        figures |= measure_usages(json.loads(gzip.decompress(options.usages.read_bytes())))
    report(figures | {"machine": machine()}, as_json=options.json)


def measure_usages(replies: list[dict[str, Any]]) -> dict[str, object]:
    """How many real usage objects are understood to the last number, and where a second reader counts otherwise."""
    counted: Counter[str] = Counter()
    for reply in replies:
        body = reply["body"]
        counts = body.get("usage") or body.get("usageMetadata") or {}
        dialect = dialect_of(body, counts)
        if dialect is None:
            counted["other"] += 1
            continue
        usage = dialect.usage_from(counts)
        counted["read"] += 1
        counted["understood"] += not dialect.charges_from(counts, model=body.get("model") or "").caveats
        others = [found["usage"] for found in reply.get("extracted", ()) if "usage" in found]
        same = (usage.prompt_tokens, usage.completion_tokens)
        counted["differ"] += bool(others) and not any(
            (other.get("input_tokens", 0), other.get("output_tokens", 0)) == same for other in others
        )
    return {
        "usages.read": counted["read"],
        "usages.of_other_dialects": counted["other"],
        "usages.understood_share": round(counted["understood"] / max(counted["read"], 1), 4),
        "usages.differ_from_second_reader": counted["differ"],
    }


def dialect_of(body: Mapping[str, Any], counts: Mapping[str, Any]) -> ModuleType | None:
    """The reader of a usage object whose request is not known, by its names."""
    if "promptTokenCount" in counts:
        return gemini
    if {"cache_creation_input_tokens", "iterations", "cache_creation"} & set(counts) or (
        "output_tokens" in counts and "claude" in (body.get("model") or "") and "cost" not in counts
    ):
        return anthropic
    return openai if {"prompt_tokens", "input_tokens"} & set(counts) else None


def measure(folder: Path) -> dict[str, object]:
    cases = json.loads((folder / "cases.json").read_text())
    with tempfile.TemporaryDirectory(prefix="modicum-bench-") as home:
        judged = [judge(case, bill(folder / case["path"], case["args"], home)) for case in cases]
    wrong = [f"{case['path']}: {why}" for case, (verdict, why) in zip(cases, judged, strict=True) if why]
    verdicts = [verdict for verdict, _ in judged]
    return {
        "cases.count": len(cases),
        "cases.right": verdicts.count("right"),
        "cases.right_share": round(verdicts.count("right") / max(len(cases), 1), 4),
        "cases.wrong_exact": verdicts.count("wrong_exact"),
        "cases.wrong": wrong,
    }


def bill(path: Path, args: list[str], home: str) -> dict[str, Any] | str:
    """What the verb prints, or what it says on stderr where it fails."""
    environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": f"{home}/cache", "XDG_DATA_HOME": f"{home}/data"}
    ended = subprocess.run(
        [MODICUM, "bill", path, *args, "--json"], env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode or not ended.stdout:
        return ended.stderr.strip().splitlines()[-1][:200] if ended.stderr else f"ended with {ended.returncode}"
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def judge(case: Mapping[str, Any], document: dict[str, Any] | str) -> tuple[str, str]:
    """`right`, `wrong`, or `wrong_exact` (a figure that is wrong and called exact), and what differs."""
    if isinstance(document, str):
        return "wrong", document
    basis = document["basis"]
    differs = [
        f"{name} is {actual}, not {case[name]}"
        for name, actual in figures(document).items()
        if name in case and not equal(name, case[name], actual)
    ]
    if case.get("not_exact") and basis == "exact":
        return "wrong_exact", "called exact"
    if case.get("or_not_exact") and basis != "exact":
        return "right", ""
    if not differs:
        return "right", ""
    is_figure = any(name in case for name in ("cost_usd", "usage", "calls"))
    return "wrong_exact" if basis == "exact" and is_figure else "wrong", "; ".join(differs) + f" ({basis})"


def figures(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cost_usd": document["cost_usd"],
        "basis": document["basis"],
        "usage": document["usage"],
        "calls": document["calls"],
        "calls_unpriced": document["calls_unpriced"],
        "rows": len(document["rows"]),
        "problems": len(document["problems"]),
    }


def equal(name: str, right: Any, actual: Any) -> bool:
    if name == "cost_usd":
        return actual is not None and abs(right - actual) < CENT_PARTS
    if name == "usage":
        return all(actual.get(bucket) == count for bucket, count in right.items())
    return bool(right == actual)


if __name__ == "__main__":
    sys.exit(main())
