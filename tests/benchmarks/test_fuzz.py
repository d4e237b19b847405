"""The same few mutations at every run, through every decoder and reader; `scripts/bench fuzz` does it for minutes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import bench_fuzz
from bench_fuzz import Case, HangError, cases, fault_of, mutated

SEEDS = range(3)


def test_mutated_shapes_raise_nothing(tmp_path):
    faults = [
        f"{case.name} {seed}: {fault}"
        for case in cases(tmp_path)
        for seed in SEEDS
        if (fault := fault_of(case, mutated(case.body, seed)))
    ]
    assert faults == []


def test_there_are_cases_of_every_dialect_and_of_every_format_with_fixtures(tmp_path):
    names = {case.name.split("/")[0] for case in cases(tmp_path)}
    assert {"openai-chat", "openai-responses", "anthropic-messages", "gemini-generate", "claude-code"} <= names
    assert any(case.name.endswith(" for anthropic-messages") for case in cases(tmp_path))


def test_mutations_are_the_same_for_the_same_seed():
    body = b'data: {"a": [1, 2, {"b": "c"}]}\n\n' * 3
    bodies = [mutated(body, seed) for seed in range(50)]
    assert bodies == [mutated(body, seed) for seed in range(50)]
    assert len(set(bodies)) > 40


@pytest.mark.parametrize(("error", "fault"), [(KeyError("x"), "KeyError test_fuzz.py:"), (HangError(), "hung")])
def test_what_is_raised_is_reported_with_its_place(error, fault):
    def fail(body):
        raise error

    assert fault_of(Case("one", b"", fail), b"").startswith(fault)


def test_a_short_run_reports_its_figures():
    figures = bench_fuzz.measure(0.1, 1)
    assert figures["fuzz.runs"] >= 1
    assert (figures["fuzz.raised"], figures["fuzz.hung"], figures["fuzz.faults"]) == (0, 0, [])
