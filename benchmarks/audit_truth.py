"""Savings that the audit says, beside the truth of a provider simulated from the documentation alone."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from cache_histories import History, histories
from measured import MODICUM

WITHIN = 0.02
"""Of the recorded cost: so far may a replayed saving be off, and a bound beside the truth."""
NOTHING = 0.005
"""A saving smaller than this has no sign."""

Row = dict[str, object]


def measure() -> tuple[dict[str, object], list[Row]]:
    """The figures of all histories, and a row each."""
    with tempfile.TemporaryDirectory(prefix="modicum-bench-") as home:
        rows = [_judge(history, _ask(history, Path(home))) for history in histories()]
    verdicts = [str(row["verdict"]) for row in rows]
    return {
        "truth.histories": len(rows),
        "truth.wrong_sign": sum(bool(row["wrong_sign"]) for row in rows),
        "truth.replayed": verdicts.count("replayed"),
        "truth.replayed_but_off": verdicts.count("off"),
        "truth.bounds": verdicts.count("bound"),
        "truth.bounds_without_it": verdicts.count("outside"),
        "truth.refused": verdicts.count("refused"),
    }, rows


def table(rows: list[Row]) -> str:
    heads = " ".join(f"{name:>8}" for name in ("truth", "says", "low", "high", "fidelity"))
    lines = [f"{'history':26} {'what if':28} {heads}  verdict"]
    for row in rows:
        figures = [_percent(row[name]) for name in ("truth", "says", "low", "high", "fidelity")]
        sign = ", WRONG SIGN" if row["wrong_sign"] else ""
        shown = " ".join(f"{figure:>8}" for figure in figures)
        lines.append(f"{row['history']!s:26} {row['what_if']!s:28} {shown}  {row['verdict']}{sign}")
    return "\n".join(lines)


def _percent(value: object) -> str:
    return f"{value:+.1%}" if isinstance(value, float) else "-"


def _ask(history: History, home: Path) -> dict[str, object] | str:
    command = [MODICUM, "audit", history.write(home), "--json", "--what-if", history.what_if]
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": f"{home}/c", "XDG_DATA_HOME": f"{home}/d"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        return ended.stderr.strip().splitlines()[-1][:200] if ended.stderr else f"ended with {ended.returncode}"
    document = json.loads(ended.stdout)
    return {**document["what_if"][0], "fidelity": document["fidelity"]["total_error"], "is_bound": document["is_bound"]}


def _judge(history: History, answer: dict[str, object] | str) -> Row:
    truth = history.truth()
    row: Row = {"history": history.name, "what_if": history.what_if, "truth": truth, "wrong_sign": False}
    if isinstance(answer, str) or answer["saving_share"] is None:
        return row | {"says": None, "low": None, "high": None, "fidelity": None, "verdict": "refused", "why": answer}
    says = float(answer["saving_share"])
    low, high = answer.get("saving_share_low"), answer.get("saving_share_high")
    row |= {"says": says, "low": low, "high": high, "fidelity": answer["fidelity"]}
    row["wrong_sign"] = abs(truth) > NOTHING and says * truth <= 0
    if low is not None and high is not None:
        holds = float(low) - WITHIN <= truth <= float(high) + WITHIN
        return row | {"verdict": "bound" if holds else "outside"}
    if answer["is_bound"]:
        return row | {"verdict": "outside"}
    return row | {"verdict": "replayed" if abs(says - truth) <= WITHIN else "off"}
