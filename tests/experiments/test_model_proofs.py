from datetime import timedelta

import pytest

from experiments.samples import START, experiment
from modicum.calls.task_result import TaskResult
from modicum.experiments.experiment import ExperimentState
from modicum.experiments.model_proofs import judge_comparison, judge_experiments


def results(successes_of_small, tasks=200):
    """A large model that always succeeds, beside a small one."""
    return [
        TaskResult(arm=arm, task=f"c{task}", run_id=f"{arm}{task}", outcome=float(passes(task)), cost_usd=usd)
        for arm, usd, passes in (("large", 1.0, lambda _: True), ("small", 0.1, successes_of_small))
        for task in range(tasks)
    ]


def test_a_kept_experiment_is_proof_and_one_that_was_rolled_back_the_contrary():
    one = experiment(state=ExperimentState.KEPT, ended_at=START + timedelta(days=1))
    back = experiment(state=ExperimentState.ROLLED_BACK)

    (kept,) = judge_experiments([one], [one.subject, "another"])
    (failed,) = judge_experiments([back], [one.subject])

    assert (kept.model, kept.other, kept.is_proven) == (one.subject, one.to, True)
    assert f"experiment {one.name} was kept" in kept.why
    assert not failed.is_proven


@pytest.mark.parametrize("state", [ExperimentState.RUNNING, ExperimentState.STOPPED])
def test_what_has_not_been_decided_is_neither(state):
    one = experiment(state=state)

    assert judge_experiments([one], [one.subject]) == []


def test_the_same_outcomes_on_many_tasks_are_proof():
    verdicts = {(one.model, one.other): one for one in judge_comparison(results(lambda _: True))}

    assert verdicts["large", "small"].is_proven
    assert "on 200 tasks" in verdicts["large", "small"].why


def test_a_loss_is_the_contrary_and_few_tasks_are_nothing():
    lost = {(one.model, one.other): one.is_proven for one in judge_comparison(results(lambda task: task % 2))}

    assert not lost["large", "small"]
    assert judge_comparison(results(lambda _: True, tasks=3)) == []
