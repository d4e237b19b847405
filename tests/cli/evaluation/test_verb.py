"""`modicum compare run`, against the package's mock provider."""

import json

import pytest

from cli.evaluation.mock_server import mock_server

TASKS = [
    {"task": f"sum{n}", "prompt": f"{n} + 1 =", "expected": str(n + 1), "pattern": rf"^{n + 1}$"} for n in range(12)
]


def right(model, prompt):
    """gpt-4o is always right, gpt-4o-mini says too much and is wrong for numbers above 7."""
    number = int(prompt.split()[0]) if prompt.split()[0].isdigit() else 0
    if model == "gpt-4o":
        return str(number + 1)
    return str(number + 1) if number <= 7 else "no idea at all of that"


@pytest.fixture
def tasks(folder):
    path = folder / "tasks.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in TASKS))
    return path


def run(modicum, tasks, url, *words, grader="exact", models="gpt-4o,gpt-4o-mini"):
    return modicum("compare", "run", tasks, "--models", models, "--grader", grader, "--url", url, *words, "--json")


@pytest.mark.parametrize("grader", ["exact", "pattern"])
def test_models_are_run_graded_priced_and_compared(modicum, folder, tasks, grader):
    with mock_server(right) as (url, asked):
        found = run(modicum, tasks, url, "--budget", "1", grader=grader).json

    assert len(asked) == 24
    assert [arm["success"]["value"] for arm in found["arms"]] == pytest.approx([1.0, 8 / 12])
    assert all(arm["sums"]["cost_usd"] > 0 for arm in found["arms"])
    assert found["pairs"][0]["success"]["value"] == pytest.approx(-4 / 12)
    assert found["judge_cost_usd"] is None
    assert found["spent_usd"] == pytest.approx(sum(arm["sums"]["cost_usd"] for arm in found["arms"]))
    again = modicum("compare", found["results"], "--baseline", "gpt-4o", "--json").json
    assert again["pairs"] == found["pairs"]
    rows = [json.loads(line) for line in (folder / "tasks.results.jsonl").read_text().splitlines()]
    assert all(row["started_at"].endswith("Z") for row in rows)
    assert "idea" not in (folder / "tasks.results.jsonl").read_text()


def test_the_same_command_makes_only_what_is_missing(modicum, folder, tasks):
    with mock_server(right) as (url, asked):
        whole = run(modicum, tasks, url).json
        path = folder / "tasks.results.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:20]) + lines[20][:30])
        asked.clear()
        again = run(modicum, tasks, url).json

    assert len(asked) == 4
    assert again["runs_made"] == 4
    assert [arm["success"]["value"] for arm in again["arms"]] == [arm["success"]["value"] for arm in whole["arms"]]


def test_a_budget_is_never_passed_over_all_times_that_it_is_run(modicum, tasks):
    with mock_server(right) as (url, asked):
        first = run(modicum, tasks, url, "--budget", "0.04", "--parallel", "8", models="gpt-4o").json
        second = run(modicum, tasks, url, "--budget", "0.04", models="gpt-4o").json

    assert first["spent_usd"] <= 0.04
    assert second["spent_usd"] <= 0.04
    assert first["runs_not_made"] > 0
    assert 0 < len(asked) < 12
    assert "might have passed the budget of $0.04" in first["remarks"][0]


def test_a_call_that_never_ended_counts_at_its_worst(modicum, folder, tasks):
    spending = folder / "tasks.results.jsonl.spending"
    spending.write_text('{"number":0,"usd":0.9999}\n')
    with mock_server(right) as (url, asked):
        ran = run(modicum, tasks, url, "--budget", "1")

    assert ran.status == 2
    assert asked == []
    assert "no run was made" in ran.err


def test_what_a_judge_costs_stands_apart(modicum, tasks):
    def judged(model, prompt):
        return ("PASS" if "<reply>\n1\n" in prompt else "FAIL") if model == "gpt-5" else right(model, prompt)

    with mock_server(judged) as (url, asked):
        found = run(modicum, tasks, url, "--budget", "5", grader="judge:gpt-5", models="gpt-4o").json

    assert sum(model == "gpt-5" for model, _ in asked) == 12
    assert found["judge_cost_usd"] > 0
    assert found["arms"][0]["sums"]["cost_usd"] + found["judge_cost_usd"] == pytest.approx(found["spent_usd"])
    assert found["arms"][0]["success"]["value"] == pytest.approx(1 / 12)


def test_a_judge_without_a_verdict_leaves_runs_ungraded(modicum, tasks):
    with mock_server(lambda *_: "perhaps") as (url, _):
        found = run(modicum, tasks, url, grader="judge:gpt-5", models="gpt-4o").json

    assert found["arms"][0]["success"]["value"] is None
    assert "12 runs could not be graded: the judge gave no verdict." in found["remarks"]


def test_prompts_are_arms(modicum, folder, tasks):
    (folder / "plain.txt").write_text("{input}")
    (folder / "long.txt").write_text("Think hard.\n{input}")
    with mock_server(right) as (url, asked):
        words = ("--prompts", "plain.txt", "--prompts", "long.txt")
        found = run(modicum, tasks, url, *words, models="gpt-4o").json

    assert [arm["name"] for arm in found["arms"]] == ["plain", "long"]
    assert ("gpt-4o", "Think hard.\n3 + 1 =") in asked


def test_a_model_that_vanished_is_named_and_asked_once(modicum, tasks):
    with mock_server(lambda model, prompt: 404 if model == "gone" else right(model, prompt)) as (url, asked):
        found = run(modicum, tasks, url, "--parallel", "1", models="gpt-4o,gone").json

    assert sum(model == "gone" for model, _ in asked) == 1
    assert [arm["name"] for arm in found["arms"]] == ["gpt-4o"]
    assert any("12 runs have no reply: gone answered with status 404" in remark for remark in found["remarks"])


def test_anthropics_dialect_is_spoken_too(modicum, tasks):
    with mock_server(right) as (url, _):
        found = run(modicum, tasks, url, "--speaks", "anthropic", "--budget", "2", models="claude-haiku-4-5").json

    assert found["arms"][0]["sums"]["cost_usd"] > 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--models", "gpt-4o", "--grader", "nice"), "there is no grader 'nice'"),
        (("--models", "gpt-4o", "--grader", "schema"), "has no 'schema'"),
        (("--models", ",", "--grader", "exact"), "--models names no model"),
        (("--models", "nobodys", "--grader", "exact", "--budget", "1"), "the price of 'nobodys' is not known"),
        (("--models", "gpt-4o", "--grader", "python:no.py:f"), "write python:FILE.py:FUNCTION"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(modicum, tasks, words, why):
    ran = modicum("compare", "run", tasks, *words, "--url", "http://127.0.0.1:9/v1")

    assert (ran.status, why in ran.err) == (2, True), ran.err


def test_results_of_other_tasks_are_not_mixed_in(modicum, folder, tasks):
    with mock_server(right) as (url, _):
        run(modicum, tasks, url, models="gpt-4o")
        tasks.write_text(json.dumps(TASKS[0] | {"prompt": "another"}) + "\n")
        mixed = run(modicum, tasks, url, models="gpt-4o")
        tasks.write_text(json.dumps(TASKS[0]) + "\n" + json.dumps(TASKS[0]) + "\n")
        twice = run(modicum, tasks, url, models="gpt-4o")

    assert "holds results of other tasks" in mixed.err
    assert "stands twice" in twice.err
