"""What rules for content save of logs, and how fast they are beside reading JSON."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from modicum.optimizers.json_minify import minify_json
from modicum.optimizers.log_folding import RARE, fold_log, template_of

ROUNDS = 5


def content_figures(logs: Path) -> dict[str, float | int]:
    """Share of the characters of `*_2k.log` (loghub) that folding leaves out, lines of rare templates lost, and
    the speed of the default rule as a multiple of that of `json.loads`.
    """
    before = after = lost = 0
    for path in sorted(logs.rglob("*_2k.log")):
        text = path.read_text(encoding="utf-8", errors="replace")
        folded = min(fold_log(text), text, key=len)
        counts = Counter(map(template_of, text.split("\n")))
        shown = set(folded.split("\n"))
        lost += sum(counts[template_of(line)] <= RARE and line not in shown for line in text.split("\n"))
        before, after = before + len(text), after + len(folded)
    rows = json.dumps([{"id": number, "name": f"n{number}", "tags": ["a", "b"]} for number in range(20_000)], indent=2)
    figures: dict[str, float | int] = {
        "rare_lines_lost": lost,
        "default_rules_speed": _seconds(json.loads, rows) / _seconds(minify_json, rows),
    }
    return figures | ({"log_fold_share": 1 - after / before} if before else {})


def _seconds(read: Callable[[str], object], text: str) -> float:
    """The least CPU time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        read(text)
        times.append(time.process_time() - started)
    return min(times)
