import pytest

from modicum.calls import UserError
from modicum.cli.evaluation.running import find_wanting, read_rows, read_tasks
from modicum.experiments.evaluation.eval_task import EvalTask, make_arms


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no tasks"),
        ("[1]\n", "is no task"),
        ('{"task": " ", "prompt": "a"}\n', "task is empty"),
        ('{"task": "a", "prompt": "a"}\n{"task": "a", "prompt": "b"}\n', "stands twice"),
    ],
)
def test_tasks_that_are_none_are_named_with_their_place(tmp_path, text, why):
    path = tmp_path / "tasks.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=why):
        read_tasks(path)


def test_runs_go_task_by_task_so_that_arms_have_the_same_tasks_if_the_budget_ends():
    tasks = [EvalTask(task=name, prompt=name) for name in "ab"]
    wanting = find_wanting(make_arms(["x", "y"], []), tasks, 2, [])

    assert [run for *_, run in wanting][:4] == ["x/a/0", "y/a/0", "x/b/0", "y/b/0"]
    assert len(wanting) == 8


def test_results_of_something_else_are_refused(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"a": 1}\n')
    with pytest.raises(UserError, match="is no result of 'compare run'"):
        read_rows(path)
