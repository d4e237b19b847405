"""`modicum trial`, as a person types it."""

import json

import pytest

from cli.trials.trial_agents import agent, task_file
from modicum.cli.trials.events import read_trial_events


@pytest.fixture
def trial(modicum, folder):
    """Runs a trial of this many tasks, with more words before the command."""

    def run(*words, tasks=("t1", "t2", "t3", "t4"), arm=("--with", "short")):
        path = task_file(folder, tasks)
        return modicum(
            *("trial", "terse", "--tasks", str(path), "--seed", "7", *arm, *words, "--json", "--"),
            *(*agent(folder), "{task}", "{arm}"),
        )

    return run


def test_a_saver_is_found_to_save_and_the_record_says_the_same_again(modicum, trial, folder):
    first = trial("--margin", "80").json

    assert first["verdict"] == "saves"
    assert first["ratio"] == pytest.approx(0.5, abs=0.03)
    assert (first["tasks"], first["runs"], first["runs_planned"]) == (4, 8, 8)
    again = modicum("trial", first["record"], "--json").json
    assert again == first
    assert "terse saves: cost" in modicum("trial", first["record"]).out
    plan = json.loads((folder / first["record"] / "plan.json").read_text())
    assert plan["trial"]["seed"] == 7
    assert plan["versions"].keys() == {"modicum", "python", "system", "prices"}
    assert plan["versions"]["prices"].startswith("genai-prices ")
    compared = modicum("compare", f"{first['record']}/runs.jsonl", "--baseline", "without", "--json").json
    assert compared["pairs"][0]["ratios"]["cost_usd"]["value"] == pytest.approx(first["ratio"])


def test_margin_and_measure_are_in_the_log_before_the_first_task(modicum, trial):
    digest = trial("--margin", "3", "--measure", "tokens")
    planned, judged = read_trial_events()

    assert digest.json["measure"] == "total_tokens"
    assert (planned.what, planned.details["margin"], planned.details["measure"]) == ("planned", "0.03", "total_tokens")
    assert judged.what == "judged"
    logged = modicum("experiment", "log", "--json").json
    assert [(one["about"], one["name"], one["what"]) for one in logged] == [
        ("trial", "terse", "planned"),
        ("trial", "terse", "judged"),
    ]
    runs = modicum("trial", "trial-terse", "--json").json["comparison"]
    assert planned.at.isoformat() < min(run.started_at.isoformat() for run in recorded_runs(modicum))
    assert runs["baseline"] == "without"


def recorded_runs(_modicum):
    from pathlib import Path

    from modicum.cli.trials.record import read_runs

    return read_runs(Path("trial-terse"))


def test_without_evidence_of_outcomes_less_is_not_called_saved(trial):
    found = trial().json

    assert found["verdict"] == "not_shown"
    assert "outcomes are not shown to hold" in found["sentence"]
    assert found["tasks_needed"] >= 54


def test_a_saver_that_breaks_tasks_harms(trial):
    names = [f"t{number}" for number in range(1, 11)]
    found = trial(tasks=names, arm=("--with", "short wrong")).json

    assert found["verdict"] == "harms"
    assert found["success_high"] < 0


def test_a_command_that_hangs_is_ended_and_has_failed(trial):
    found = trial("--timeout", "1", "--margin", "80", tasks=("t1", "t2", "hangs")).json

    assert found["runs_timed_out"] == 2
    assert any("took longer than 1 s, and failed" in remark for remark in found["remarks"])
    assert any("nobody knows what they took" in remark for remark in found["remarks"])


def test_it_goes_on_where_it_was_broken_off(trial, folder):
    whole = trial().json
    path = folder / "trial-terse" / "runs.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:40])
    resumed = trial().json

    assert len(path.read_bytes().splitlines()) == 8
    assert path.read_bytes().startswith(b"".join(lines[:3]))
    assert resumed["ratio"] == pytest.approx(whole["ratio"])


def test_one_task_many_times_gets_no_confident_number(trial):
    found = trial("--repeats", "3", tasks=("t1",)).json

    assert found["verdict"] == "cannot_say"
    assert "one task (or group) alone has no spread" in found["sentence"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("terse", "--", "true"), "nothing says how the saver is switched on"),
        (("terse", "--with", "x", "--", "true"), "need the word {arm}"),
        (("terse", "--set", "x", "--", "true"), "write NAME=VALUE"),
        (("terse",), "is no record of a trial"),
        (("terse", "--set", "A=1", "--", "no-such-program-anywhere"), "cannot be started"),
        (("terse", "--before-with", "false", "--", "true"), "which runs before each run with the saver"),
        (("terse", "--set", "A=1", "--tasks", "none.jsonl", "--", "true"), "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_type(modicum, folder, words, why):
    assert why in modicum("trial", *words).err


def test_a_record_is_of_one_plan_and_cannot_be_changed_unseen(modicum, trial, folder):
    trial()
    path = task_file(folder, ("t1", "t2"))
    words = ("--tasks", str(path), "--seed", "7", "--with", "short", "--", *agent(folder), "{task}", "{arm}")
    assert "of another plan" in modicum("trial", "terse", *words).err
    plan = folder / "trial-terse" / "plan.json"
    plan.write_text(plan.read_text().replace('"margin": 0.05', '"margin": 0.5'))
    assert "was changed after it was made" in modicum("trial", "trial-terse").err


def spending(modicum, folder, *words):
    """A trial of four tasks whose runs cost $0.000061 at most, with what one may cost passed on."""
    path = task_file(folder, ("t1", "t2", "t3", "t4"))
    return modicum(
        *("trial", "terse", "--tasks", str(path), "--seed", "7", "--with", "short", "--json", *words, "--"),
        *(*agent(folder), "{task}", "{arm}", "{budget}"),
    )


def test_a_budget_ends_the_trial_before_it_is_passed_and_a_larger_one_goes_on(modicum, folder):
    first = spending(modicum, folder, "--budget", "0.001", "--run-budget", "0.0005")
    spent = sum(run.cost_usd for run in recorded_runs(modicum))

    assert first.json["runs"] < 8
    assert first.json["runs"] == len(recorded_runs(modicum))
    assert spent <= 0.001
    assert "has no room for another run, which may cost $0.0005" in first.err
    assert any("planned runs are in it" in remark for remark in first.json["remarks"])
    whole = spending(modicum, folder, "--budget", "1", "--run-budget", "0.0005")
    assert (whole.json["runs"], whole.err.count("no room")) == (8, 0)


def test_a_command_that_does_not_keep_to_its_budget_ends_the_trial(modicum, folder):
    ran = spending(modicum, folder, "--budget", "0.001", "--run-budget", "0.00001")

    assert ran.status == 2
    assert "no budget holds a command that does not keep to it" in ran.err


def test_without_a_gateway_nobody_meters(modicum, folder):
    assert "start it with 'modicum up'" in modicum("trial", "x", "--set", "A=1", "--meter", "gateway", "--", "true").err
