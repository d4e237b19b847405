"""A trial that a real gateway meters and holds, with its parts as processes of their own."""

import json
import signal
import subprocess
import sys

import pytest

from cli.process_rig import WORDS, free_port, ready, run_modicum
from cli.trials.trial_agents import task_file

AGENT = """
import json, os, sys, urllib.error, urllib.request
task, arm = sys.argv[1], sys.argv[2:]
tokens = 1000 * (1 + int(task[1:])) // (2 if "short" in arm else 1)
for turn in range(40 if task == "t9" else 1):
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps({"model": "gpt-4o-mini", "max_tokens": 10000,
                    "messages": [{"role": "user", "content": "do it"}]}).encode(),
        {"content-type": "application/json", "authorization": "Bearer " + os.environ["TRIAL_KEY"],
         "x-modicum-task": os.environ["MODICUM_TRIAL_RUN"], "x-mock-output-tokens": str(tokens)})
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError as error:
        print(error.code)
        sys.exit(1)
"""
SETTINGS = """
[[budget]]
name = "each-task"
per = "task"
limit_usd = 0.02
"""


@pytest.fixture
def gateway(folder, monkeypatch):
    """`modicum up` before a provider, with a budget per task."""
    mock, port, console = free_port(), free_port(), free_port()
    settings = run_modicum("mock", "--settings", "--listen", f"127.0.0.1:{mock}")
    (folder / "modicum.toml").write_text(
        f'{settings}\n[gateway]\nlisten = "127.0.0.1:{port}"\n'
        f'[console]\npages_listen = ""\nlisten = "127.0.0.1:{console}"\n{SETTINGS}'
    )
    monkeypatch.setenv("TRIAL_KEY", json.loads(run_modicum("key", "create", "ci", "--json"))["key"])
    with (
        subprocess.Popen([*WORDS, "mock", "--listen", f"127.0.0.1:{mock}"], stderr=subprocess.DEVNULL) as provider,
        subprocess.Popen([*WORDS, "up"], stderr=subprocess.DEVNULL) as up,
    ):
        try:
            ready(f"http://127.0.0.1:{port}/readyz")
            ready(f"http://127.0.0.1:{console}/readyz")
            yield
        finally:
            up.send_signal(signal.SIGTERM)
            provider.send_signal(signal.SIGTERM)


def test_the_gateway_meters_a_trial_and_holds_its_budget(gateway, modicum, folder):
    (folder / "agent.py").write_text(AGENT)
    path = task_file(folder, ("t1", "t2", "t9"))
    words = ("trial", "terse", "--tasks", str(path), "--seed", "7", "--with", "short", "--margin", "80", "--json")
    command = ("--meter", "gateway", "--budget", "1", "--", sys.executable, "agent.py", "{task}", "{arm}")
    found = modicum(*words, *command).json
    runs = [json.loads(line) for line in (folder / "trial-terse" / "runs.jsonl").read_text().splitlines()]

    assert [run["basis"] for run in runs] == ["exact"] * 6
    assert {use["price"].split()[0] for run in runs for use in run["models"]} == {"genai-prices"}
    by_task = {(run["task"], run["arm"]): run for run in runs}
    assert by_task["t1", "without"]["completion_tokens"] == 2_000
    assert by_task["t1", "with"]["completion_tokens"] == 1_000
    assert by_task["t2", "with"]["cost_usd"] == pytest.approx(by_task["t2", "without"]["cost_usd"] / 2, rel=0.01)
    for arm in ("with", "without"):  # forty calls do not fit: the gateway refuses, and the run has failed
        assert by_task["t9", arm]["outcome"] == 0
        assert 0.002 < by_task["t9", arm]["cost_usd"] <= 0.02
    assert found["runs"] == 6
    booked = json.loads(run_modicum("bill", "--by", "task", "--json"))["rows"]
    costs = {row["name"]: row["cost_usd"] for row in booked}
    assert costs == {run["run_id"]: pytest.approx(run["cost_usd"]) for run in runs}
    assert json.loads(run_modicum("trial", "trial-terse", "--json")) == found
