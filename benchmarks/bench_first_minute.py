"""The first minute beside ccusage: first figure and findings on screen, the second look, and the audit, in rounds."""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bench_bill import unpack
from measured import MODICUM, machine, median, report, run
from peers import ccusage

ROUNDS = 5
FIRST_FIGURE, FINDINGS = "spent:", "to do first:"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with Claude Code transcripts (.jsonl or .jsonl.gz)"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="modicum-bench-"))
    try:
        size = unpack(options.data, folder / "claude" / "projects" / "p")
        report(measure(folder, size, options.rounds), as_json=options.json)
    finally:
        shutil.rmtree(folder)


def environment_of(folder: Path) -> dict[str, str]:
    """A home with these logs and nothing else."""
    names = {"XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "HOME": "home"}
    (folder / "home").mkdir(exist_ok=True)
    # Byte code as an installer leaves it, whatever the shell of this bench says.
    byte_code = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }
    places = {name: str(folder / one) for name, one in names.items()}
    return {"CLAUDE_CONFIG_DIR": str(folder / "claude"), **places, **byte_code}


def time_lines(command: list[object], environment: dict[str, str], starts: tuple[str, ...]) -> dict[str, float]:
    """Seconds until each line was on screen that begins so, and until the end (`end`); CPU seconds in all (`cpu`)."""
    found: dict[str, float] = {}
    started = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            for start in starts:
                if line.startswith(start):
                    found.setdefault(start, time.perf_counter() - started)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return {**found, "end": time.perf_counter() - started, "cpu": usage.ru_utime + usage.ru_stime}


def forget(folder: Path, *, rates: bool) -> None:
    """What was read of the logs; with `rates` the prices that were looked up, too."""
    cache = folder / "cache" / "modicum"
    for one in list(cache.iterdir()) if cache.exists() else []:
        if one.is_dir():
            shutil.rmtree(one)
        elif rates:
            one.unlink()


def measure(folder: Path, size: int, rounds: int) -> dict[str, object]:
    environment = environment_of(folder)
    logs = folder / "claude" / "projects"
    beside = [ccusage(), "daily", "--offline"]
    commands = {"audit": [MODICUM, "audit", logs], "ledger": [MODICUM, "audit"]}
    run([*beside, "--json"], environment)
    newcomer = time_lines([MODICUM], environment, (FIRST_FIGURE, FINDINGS))
    seconds: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        seconds.setdefault(name, []).append(value)

    for _ in range(rounds):
        forget(folder, rates=False)
        peer = run(beside, environment)
        note("ccusage", peer.wall_s)
        note("ccusage_cpu", peer.cpu_s)
        first = time_lines([MODICUM], environment, (FIRST_FIGURE, FINDINGS))
        note("first_figure", first[FIRST_FIGURE])
        note("findings", first[FINDINGS])
        note("findings_cpu", first["cpu"])
        second = time_lines([MODICUM], environment, (FINDINGS,))
        note("second_look", second[FINDINGS])
        note("second_look_cpu", second["cpu"])
    forget(folder, rates=False)
    audits = [run(commands["audit"], environment) for _ in range(2)]
    run([MODICUM, "import", logs], environment)
    first_of_ledger = run(commands["ledger"], environment)
    for _ in range(rounds):
        note("ccusage_again", run(beside, environment).wall_s)
        note("ledger", run(commands["ledger"], environment).wall_s)
    bills = [json.loads(run([MODICUM, "bill", *where, "--json"], environment).out) for where in ([logs], [])]
    ratio = {
        name: median([ours / theirs for ours, theirs in zip(seconds[name], seconds[beside_it], strict=True)])
        for name, beside_it in (
            ("first_figure", "ccusage"),
            ("findings", "ccusage"),
            ("findings_cpu", "ccusage_cpu"),
            ("second_look", "ccusage"),
            ("ledger", "ccusage_again"),
        )
    }
    return {
        "calls": bills[0]["calls"],
        "cost_usd": bills[0]["cost_usd"],
        "ledger_equals_logs": all(bills[0][key] == bills[1][key] for key in ("calls", "cost_usd", "usage")),
        "same_audit": audits[0].out == audits[1].out == first_of_ledger.out,
        "megabytes": round(size / 1e6, 1),
        "ccusage_s": median(seconds["ccusage"]),
        "ccusage_cpu_s": median(seconds["ccusage_cpu"]),
        **{f"{name}_s": median(seconds[name]) for name in ratio},
        **{f"{name}_ratio_ccusage": value for name, value in ratio.items()},
        "second_look_share_of_first": median(
            [two / one for one, two in zip(seconds["findings"], seconds["second_look"], strict=True)]
        ),
        "second_look_cpu_share_of_first": median(
            [two / one for one, two in zip(seconds["findings_cpu"], seconds["second_look_cpu"], strict=True)]
        ),
        "newcomer_first_figure_s": newcomer[FIRST_FIGURE],
        "newcomer_findings_s": newcomer[FINDINGS],
        "audit_s": audits[0].wall_s,
        "audit_cpu_s": audits[0].cpu_s,
        "audit_again_s": audits[1].wall_s,
        "audit_again_share": audits[1].wall_s / audits[0].wall_s,
        "ledger_first_s": first_of_ledger.wall_s,
        "ledger_first_cpu_s": first_of_ledger.cpu_s,
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
