from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from modicum.experiments.trials.saver_trial import ModelUse, SaverTask, SaverTrial, TrialRun, plan_runs, run_id_of
from modicum.experiments.trials.verdict import judge_trial


def record(effect=1.0, loss=0.0, tasks=60, seed=1, model_with="m"):
    trial = SaverTrial(saver="s", command=["c"], tasks=[SaverTask(task=f"t{n}") for n in range(tasks)], margin=0.05)
    random = np.random.default_rng(seed)
    runs = []
    for step in plan_runs(trial):
        has = step.arm == "with"
        tokens = int(1000 * (1 + step.number // 2 % 7) * (effect if has else 1) * random.lognormal(0, 0.1))
        runs.append(
            TrialRun(
                run_id=run_id_of(trial, step),
                arm=step.arm,
                task=step.task.task,
                outcome=0.0 if has and random.random() < loss else 1.0,
                status="ended",
                exit_code=0,
                started_at=datetime(2026, 1, 1, tzinfo=UTC),
                seconds=1.0,
                prompt_tokens=0,
                completion_tokens=tokens,
                total_tokens=tokens,
                cost_usd=tokens / 1e6,
                models=[
                    ModelUse(
                        model=model_with if has else "m", calls=1, prompt_tokens=0, completion_tokens=1, cost_usd=0.1
                    )
                ],
            )
        )
    return trial, runs


@pytest.mark.parametrize(
    ("effect", "loss", "verdict"),
    [(0.8, 0.0, "saves"), (1.2, 0.0, "costs"), (1.0, 0.0, "not_shown"), (0.5, 0.5, "harms"), (0.8, 0.12, "not_shown")],
)
def test_each_verdict_where_it_is_due(effect, loss, verdict):
    found = judge_trial(*record(effect, loss))

    assert found.verdict == verdict, found.sentence
    assert found.sentence.startswith("s ")
    assert found.low < found.ratio < found.high


def test_a_record_without_runs_of_both_arms_says_nothing():
    trial, runs = record(tasks=3)
    nothing = judge_trial(trial, [])
    half = judge_trial(trial, [run for run in runs if run.arm == "with"])

    assert (nothing.verdict, half.verdict) == ("cannot_say", "cannot_say")
    assert "no run has ended" in nothing.sentence
    assert "there are runs with the saver only" in half.sentence
    assert half.ratio is None


def test_unpaired_tasks_say_nothing():
    trial, runs = record(tasks=4)
    apart = [run for run in runs if (run.arm == "with") == (run.task in {"t0", "t1"})]

    assert judge_trial(trial, apart).verdict == "cannot_say"


def test_an_early_look_and_other_models_are_named():
    trial, runs = record(0.8, model_with="n")
    remarks = judge_trial(trial, runs[:40]).remarks

    assert "40 of 120 planned runs are in it" in remarks[0]
    assert any("different models: without m; with n" in remark for remark in remarks)


def test_a_client_that_was_updated_on_the_way_is_named():
    trial, runs = record(0.8)
    late = [
        msgspec.structs.replace(run, models=[msgspec.structs.replace(run.models[0], clients=[version])])
        for number, run in enumerate(runs)
        for version in ["2.1.0" if number < 50 else "2.2.0"]
    ]

    assert any(
        "several versions of the program that calls: 2.1.0, 2.2.0" in one for one in judge_trial(trial, late).remarks
    )
    assert not any("several versions" in one for one in judge_trial(trial, late[:50]).remarks)
