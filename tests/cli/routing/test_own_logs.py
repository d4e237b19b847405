"""`modicum route train --logs`: from logs and the outcomes of their tasks to weights."""

import json

import pytest

from modicum.routing.weights import decode_router
from routing_tables import known_table


@pytest.fixture
def logs(tmp_path):
    """Tasks drawn to two models by turns, and their outcomes."""
    table = known_table(120, seed=3)
    models = "gpt-4o-mini", "gpt-4o"
    calls, outcomes = [], ["task,name,value,time"]
    for number, prompt in enumerate(table.prompts):
        column = number // 2 % 2
        calls.append(
            {
                "modicum": 1,
                "model": models[column],
                "provider": "openai",
                "started": f"2026-11-0{1 + number // 60}T10:{number % 60:02}:00Z",
                "task": f"t{number}",
                "usage": {"input_uncached": 400, "output_visible": 200},
                "messages": [{"role": "user", "content": prompt}],
            }
        )
        outcomes.append(f"t{number},resolved,{table.outcomes[number, column]:g},2026-11-03T00:00:00Z")
    (tmp_path / "calls.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    (tmp_path / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    return tmp_path


def test_own_logs_and_the_ledgers_outcomes_make_a_router(logs, modicum):
    out = logs / "router.npz"
    assert modicum("outcome", "import", logs / "outcomes.csv").status == 0

    ran = modicum("route", "train", "--logs", logs / "calls.jsonl", "--loss", "20", "--out", out, "--json").json

    assert ran["models"] == ["gpt-4o", "gpt-4o-mini"]
    assert any(remark.startswith("No task was done by all models") for remark in ran["remarks"])
    router = decode_router(out.read_bytes(), "r")
    assert router.step_scorer is not None
    assert (router.terms.provenance.source, router.terms.provenance.tasks_count) == ("calls.jsonl", 120)
    assert router.terms.costs[1] < router.terms.costs[0] < 0.01


def test_outcomes_of_a_file_do_as_well_and_several_names_are_asked_about(logs, modicum):
    train = "route", "train", "--logs", logs / "calls.jsonl", "--out", logs / "r.npz", "--outcomes"
    assert modicum(*train, logs / "outcomes.csv", "--budget", "0.002").status == 0
    with (logs / "outcomes.csv").open("a") as file:
        file.write("t1,merged,1,2026-11-03T00:00:00Z\n")

    several = modicum(*train, logs / "outcomes.csv")
    assert (several.status, "choose one with --outcome NAME" in several.err) == (2, True)
    assert modicum(*train, logs / "outcomes.csv", "--outcome", "resolved").status == 0
    nothing = modicum(*train, logs / "outcomes.csv", "--outcome", "merged")
    assert (nothing.status, "nothing can be learned from these logs" in nothing.err) == (2, True)


def test_a_table_and_logs_exclude_each_other_and_one_of_them_is_needed(logs, modicum):
    both = modicum("route", "train", logs / "outcomes.csv", "--logs", logs / "calls.jsonl")
    assert "exclude each other" in both.err
    assert "name a table" in modicum("route", "train").err
    assert "are for logs" in modicum("route", "train", logs / "outcomes.csv", "--outcomes", logs / "outcomes.csv").err
    assert "no outcome yet" in modicum("route", "train", "--logs", logs / "calls.jsonl").err
