"""What hooks did or would have done, a line each: sizes and names, never a text."""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

MOST_BYTES = 4_000_000
"""Of the file; then it is put aside, and the one that was put aside before goes."""
FAILED, TIMED_OUT = "failed", "timed_out"


class HookSums(NamedTuple):
    """What was recorded of one rule in one arm."""

    rule: str
    arm: str
    results: int
    characters: int
    removed: int


def record(folder: Path, agent: str, fields: Mapping[str, Any]) -> None:
    """Appends a line. Hooks that run at once do not mix theirs: each is one write."""
    path = _place(folder, agent)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **fields}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
        is_full = os.fstat(descriptor).st_size > MOST_BYTES
    finally:
        os.close(descriptor)
    if is_full:
        path.replace(path.with_suffix(".1.jsonl"))


def sums(folder: Path, agent: str) -> list[HookSums]:
    """What was recorded, by rule and arm. Lines that cannot be read count for nothing."""
    totals: dict[tuple[str, str], list[int]] = {}
    for line in _lines(folder, agent):
        removed = line.get("removed")
        if not isinstance(removed, dict):
            continue
        for rule, characters in removed.items():
            if isinstance(characters, int):
                total = totals.setdefault((str(rule), str(line.get("arm"))), [0, 0, 0])
                total[0] += 1
                total[1] += int(line.get("characters") or 0)
                total[2] += characters
    return [HookSums(*key, *total) for key, total in sorted(totals.items())]


def faults(folder: Path, agent: str) -> dict[str, int]:
    """How often hooks failed or took too long, by what it was."""
    counts: dict[str, int] = {}
    for line in _lines(folder, agent):
        for kind in (FAILED, TIMED_OUT):
            if kind in line:
                name = f"{kind}: {line[kind]}" if kind == FAILED else kind
                counts[name] = counts.get(name, 0) + 1
    return counts


def sessions(folder: Path, agent: str) -> int:
    return len({str(line["session"]) for line in _lines(folder, agent) if "session" in line})


def _lines(folder: Path, agent: str) -> Iterator[dict[str, Any]]:
    current = _place(folder, agent)
    for path in (current.with_suffix(".1.jsonl"), current):
        if not path.is_file():
            continue
        for raw in path.read_text("utf-8", "replace").splitlines():
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def _place(folder: Path, agent: str) -> Path:
    return folder / f"{agent}.records.jsonl"
