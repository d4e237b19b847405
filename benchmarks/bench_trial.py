"""Trials of a saver with a known effect and of one without, run as a person would: how often the verdict is wrong."""

import argparse
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np

from measured import machine
from modicum.cli import main
from modicum.experiments.trials.saver_trial import WITH, WITHOUT, SaverTask, SaverTrial, TrialRun, plan_runs, run_id_of
from modicum.experiments.trials.verdict import judge_trial

TASKS, MARGIN, SUCCESS = 32, 20, 0.95
EFFECT = 0.8
AGENT = """
N=$(cat tokens/$1.$2)
curl -s "$MOCK/v1/chat/completions" -H 'content-type: application/json' -H "x-mock-output-tokens: $N" \\
  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "do '$1'"}]}'
exit $(cat tokens/$1.$2.status)
"""


def draw(seed: int, effect: float) -> dict:
    """Output tokens and success of each run: tasks differ tenfold, runs of one task by a quarter."""
    random = np.random.default_rng([seed, int(1000 * effect)])
    size = random.lognormal(6, 0.8, TASKS)
    runs = {}
    for arm, times in ((WITHOUT, 1.0), (WITH, effect)):
        tokens = np.maximum(5, size * times * random.lognormal(0, 0.25, TASKS)).astype(int)
        passed = random.random(TASKS) < SUCCESS
        runs |= {(f"t{task}", arm): (int(tokens[task]), bool(passed[task])) for task in range(TASKS)}
    return runs


def run_trial(seed: int, effect: float, place: Path) -> dict:
    """One trial through the command itself: processes, calls to the mock provider, logs, prices, verdict."""
    folder = place / f"{seed}-{effect:g}"
    (folder / "tokens").mkdir(parents=True)
    for (task, arm), (tokens, passed) in draw(seed, effect).items():
        (folder / "tokens" / f"{task}.{arm}").write_text(str(tokens))
        (folder / "tokens" / f"{task}.{arm}.status").write_text("0" if passed else "1")
    (folder / "agent.sh").write_text(AGENT)
    (folder / "tasks.jsonl").write_text("".join(json.dumps({"task": f"t{n}"}) + "\n" for n in range(TASKS)))
    words = ["trial", "saver", "--tasks", "tasks.jsonl", "--with", WITH, "--without", WITHOUT, "--margin", str(MARGIN)]
    words += ["--seed", str(seed), "--json", "--", "sh", "agent.sh", "{task}", "{arm}"]
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main(words)
    verdict = json.loads(printed.getvalue())
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main(["trial", "trial-saver", "--json"])
    return verdict | {"recomputed_alike": json.loads(printed.getvalue()) == verdict}


def simulate(seed: int, effect: float) -> dict:
    """The same trial without processes: its runs as they would be recorded."""
    tasks = [SaverTask(task=f"t{number}") for number in range(TASKS)]
    trial = SaverTrial(saver="saver", command=[], tasks=tasks, seed=seed, margin=MARGIN / 100)
    drawn = draw(seed, effect)
    runs = []
    for planned in plan_runs(trial):
        tokens, passed = drawn[planned.task.task, planned.arm]
        runs.append(
            TrialRun(
                run_id=run_id_of(trial, planned),
                arm=planned.arm,
                task=planned.task.task,
                outcome=float(passed),
                status="ended",
                exit_code=0,
                started_at="2026-01-01T00:00:00Z",
                seconds=1.0,
                prompt_tokens=6,
                completion_tokens=tokens,
                total_tokens=tokens + 6,
                cost_usd=(6 * 0.15 + tokens * 0.6) / 1e6,
            )
        )
    verdict = judge_trial(trial, runs)
    return {name: getattr(verdict, name) for name in ("verdict", "ratio", "low", "high", "success_low", "success_high")}


def rates(verdicts: list[dict], effect: float) -> dict:
    count = len(verdicts)
    words = Counter(one["verdict"] for one in verdicts)
    held = sum(one["low"] is not None and one["low"] <= effect <= one["high"] for one in verdicts)
    success = sum(one["success_low"] is not None and one["success_low"] <= 0 <= one["success_high"] for one in verdicts)
    return {
        "trials": count,
        **{word: words[word] / count for word in ("saves", "costs", "harms", "not_shown", "cannot_say")},
        "interval_holds_effect": held / count,
        "interval_holds_success": success / count,
    }


def start_mock() -> tuple[subprocess.Popen, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    mock = subprocess.Popen([sys.executable, "-m", "modicum", "mock", "--listen", listen], stderr=subprocess.DEVNULL)
    while mock.poll() is None:
        try:
            urllib.request.urlopen(f"http://{listen}/v1/models", timeout=5).close()
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.1)
        else:
            break
    return mock, f"http://{listen}"


def measure(seeds: int, simulated: int) -> dict:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = str(place / variable.lower())
        mock, os.environ["MOCK"] = start_mock()
        try:
            live = {effect: [run_trial(seed, effect, place) for seed in range(seeds)] for effect in (1.0, EFFECT)}
        finally:
            mock.terminate()
            mock.wait()
    found = {
        "trial.without_effect": rates(live[1.0], 1.0),
        "trial.with_effect": rates(live[EFFECT], EFFECT),
        "trial.recomputed_alike": all(one["recomputed_alike"] for each in live.values() for one in each),
    }
    if simulated:
        for effect, word in ((1.0, "without_effect"), (EFFECT, "with_effect")):
            found[f"trial.simulated.{word}"] = rates([simulate(seed, effect) for seed in range(simulated)], effect)
    return found


def show(found: dict) -> None:
    print(f"{TASKS} tasks, a run each with and without; a saver that takes {EFFECT:g} of the output tokens, and none;")
    print(f"success {SUCCESS:.0%} in both arms, margin {MARGIN} points; {machine()}\n")
    print("| trials | number | saves | costs | harms | not shown | interval holds the effect | ... of success |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, one in found.items():
        if isinstance(one, dict):
            cells = [one[word] for word in ("saves", "costs", "harms", "not_shown")]
            cells += [one["interval_holds_effect"], one["interval_holds_success"]]
            shown = " | ".join(f"{cell:.1%}" for cell in cells)
            print(f"| {name.removeprefix('trial.')} | {one['trials']} | {shown} |")
    print(f"\nverdicts worked out again from the records are the same: {found['trial.recomputed_alike']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="trials of each kind, with processes (default: 100)")
    parser.add_argument("--simulated", type=int, default=0, help="more of each kind without processes (default: none)")
    parser.add_argument("--data", help="not needed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = measure(arguments.seeds, arguments.simulated)
    print(json.dumps(result, indent=2)) if arguments.json else show(result)
