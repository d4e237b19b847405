"""The script for a real GPU, as far as it runs without one: tiny models on the processor, no energy."""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from gpu_table import table

ROOT = Path(__file__).resolve().parents[2]


def gpu_run(*args):
    return subprocess.run(
        [ROOT / ".venv-memory/bin/python", ROOT / "benchmarks/gpu_run.py", *args],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


SMALL = ("--device", "cpu", "--small", "--seconds", "0.3", "--context", "300", "--batches", "1,3")


def test_caches_equal_the_plan_and_energy_is_unknown_without_a_gpu(tmp_path):
    done = gpu_run(*SMALL, "--out", tmp_path / "gpu.json")

    assert done.returncode == 0, done.stderr[-2000:]
    document = json.loads((tmp_path / "gpu.json").read_text())
    points = document["points"]
    assert {point["model"] for point in points} == {"granite-4.0-hybrid-moe", "granite-4.0-dense"}
    assert all(point["steps"] > 0 and point["joules"] is None for point in points if point["kind"] == "decode")
    for held in (point for point in points if point["kind"] == "memory"):
        assert held["cache_bytes"] == held["planned_cache_bytes"]
        assert held["weight_bytes"] == held["planned_weight_bytes"]
    assert f"cpu, {points[0]['at'][:10]}, transformers" in table(document)
    assert table(document).count("| granite-4.0-dense | 300 x ") == 2


def test_a_run_that_was_cut_off_goes_on_where_it_was(tmp_path):
    out = tmp_path / "gpu.json"
    cut = gpu_run(*SMALL, "--minutes", "0.01", "--out", out)
    again = gpu_run(*SMALL, "--out", out)
    kept = json.loads(out.read_text())["points"]
    third = gpu_run(*SMALL, "--out", out)

    assert (cut.returncode, again.returncode, third.returncode) == (3, 0, 0)
    assert "run the same command again" in cut.stderr
    assert json.loads(out.read_text())["points"] == kept
    assert "of another run (seconds_a_point differ)" in gpu_run(*SMALL, "--seconds", "9", "--out", out).stderr


def test_without_a_gpu_it_says_so_and_fails():
    done = gpu_run()

    assert done.returncode == 1
    assert "no CUDA device is here" in done.stderr
