from modicum.experiments.evaluation.eval_task import EvalArm, EvalTask, make_arms


def test_arms_are_named_by_what_differs():
    assert [arm.name for arm in make_arms(["a", "b"], [])] == ["a", "b"]
    assert [arm.name for arm in make_arms(["a"], [("p", "{input}"), ("q", "{input}")])] == ["p", "q"]
    assert [arm.name for arm in make_arms(["a", "b"], [("p", "1"), ("q", "2")])] == ["a/p", "a/q", "b/p", "b/q"]


def test_the_tasks_own_words_are_put_in_as_they_are():
    task = EvalTask(task="t", prompt="{input} \\1")

    assert EvalArm("n", "m", "say: {input}!").prompt_of(task) == "say: {input} \\1!"
