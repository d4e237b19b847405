import pytest

from modicum.calls import UserError
from modicum.cli.trials.running import fill_words, read_tasks
from modicum.experiments.trials.saver_trial import SaverTask, SaverTrial, TrialStep


def test_words_are_filled_and_never_read_by_a_shell():
    task = SaverTask(task="t", prompt="$(touch x) {run}")
    trial = SaverTrial(saver="s", command=["c", "{prompt}", "{arm}", "h: {run}"], words_with=["-a", "b"], tasks=[task])

    assert fill_words(trial, TrialStep(0, task, 0, "with"), "r-0") == ["c", "$(touch x) {run}", "-a", "b", "h: r-0"]
    assert fill_words(trial, TrialStep(1, task, 0, "without"), "r-1") == ["c", "$(touch x) {run}", "h: r-1"]


@pytest.mark.parametrize(
    ("text", "why"), [("", "holds no tasks"), ("x\n", "is no task"), ('{"task": "a"}\n{"task": "a"}\n', "stands twice")]
)
def test_tasks_that_are_none_are_named(tmp_path, text, why):
    path = tmp_path / "tasks.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=why):
        read_tasks(path)
