"""Runs commands as a user would and measures them from outside: wall time, CPU time, peak memory."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MODICUM = Path(sys.executable).with_name("modicum")


@dataclass(frozen=True)
class Run:
    wall_s: float
    cpu_s: float
    peak_mb: float
    """Of the largest single process."""
    out: str


def run(command: Sequence[object], environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command to its end.

    Raises:
        SystemExit: it failed; what it said on stderr is shown.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}: {err.decode()[-2000:]}")
    wall = time.perf_counter() - started
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.decode())


def rounds(
    commands: Mapping[str, Sequence[object]], count: int, environment: Mapping[str, str]
) -> dict[str, list[Run]]:
    """Every command in turn, `count` times after one round that is not counted, so that all see the same machine."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(count + 1):
        for name, command in commands.items():
            measured = run(command, environment)
            if number:
                runs[name].append(measured)
    return runs


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}"


def report(figures: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:{width}}  {value:.3f}" if isinstance(value, float) else f"{name:{width}}  {value}")
