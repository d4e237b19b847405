import msgspec

from modicum.experiments.trials.saver_trial import WITH, SaverTask, SaverTrial, plan_runs

TRIAL = SaverTrial(saver="s", command=["c"], tasks=[SaverTask(task=f"t{n}") for n in range(200)], repeats=2, seed=3)


def test_each_task_runs_under_both_arms_in_an_order_that_the_seed_gives_again():
    runs = plan_runs(TRIAL)

    assert len(runs) == 800
    assert runs == plan_runs(TRIAL)
    pairs = [(runs[place], runs[place + 1]) for place in range(0, 800, 2)]
    assert all(one.task == other.task and {one.arm, other.arm} == {"with", "without"} for one, other in pairs)
    assert 150 < sum(one.arm == WITH for one, _ in pairs) < 250
    assert [one.task.task for one, _ in pairs] != sorted(one.task.task for one, _ in pairs)


def test_another_seed_is_another_order_and_another_digest():
    other = msgspec.structs.replace(TRIAL, seed=4)

    assert [run.task for run in plan_runs(other)] != [run.task for run in plan_runs(TRIAL)]
    assert other.digest != TRIAL.digest
    assert msgspec.structs.replace(TRIAL, margin=0.1).digest != TRIAL.digest
