"""The script for a real GPU, as far as it runs without one: tiny models on the processor, no energy."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def gpu_run(*args):
    return subprocess.run(
        [ROOT / ".venv-memory/bin/python", ROOT / "benchmarks/gpu_run.py", *args],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_caches_equal_the_plan_and_energy_is_unknown_without_a_gpu(tmp_path):
    out = tmp_path / "gpu.json"

    small = ["--device", "cpu", "--small", "--seconds", "0.3", "--context", "300", "--batches", "1,3"]
    done = gpu_run(*small, "--out", out)

    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(out.read_text())["results"]
    assert set(found) == {"granite-4.0-hybrid-moe", "granite-4.0-dense"}
    for model in found.values():
        assert all(point["steps"] > 0 and point["joules"] is None for point in model["decode"])
        for held in model["memory"]:
            assert held["cache_bytes"] == held["planned_cache_bytes"]
            assert held["weight_bytes"] == held["planned_weight_bytes"]


def test_without_a_gpu_it_says_so_and_fails():
    done = gpu_run()

    assert done.returncode == 1
    assert "no CUDA device is here" in done.stderr
