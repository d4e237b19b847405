import numpy as np

from insights.early_signs.lives import START, life, read
from modicum.insights.early_signs.signs import SIGNS, task_signs


def running(signs, task, name):
    number = signs.tasks.index(task)
    first = signs.first[number]
    return signs.running[name][first : first + signs.calls[number]].tolist()


def test_counts_grow_from_call_to_call_and_begin_anew_with_each_task(tmp_path):
    signs = task_signs(
        read(tmp_path, [*life("a", ["one", "two", "one", "one"], errors={2}), *life("b", ["one", "one"], at=5)])
    )

    assert sorted(signs.tasks) == ["a", "b"]
    assert running(signs, "a", "calls") == [1, 2, 3, 4]
    assert running(signs, "a", "failed_tools") == [0, 0, 1, 1]
    assert running(signs, "a", "repeated_results") == [0, 0, 1, 2]
    assert running(signs, "b", "repeated_results") == [0, 1]
    assert running(signs, "a", "prompt_tokens") == [100, 200, 300, 400]
    assert (signs.began_s[signs.tasks.index("b")] - START.timestamp()) == 5 * 60
    assert set(signs.running) == set(SIGNS)


def test_a_sign_is_reached_after_a_call_or_never(tmp_path):
    signs = task_signs(read(tmp_path, life("a", ["x", "x", "x"])))

    assert signs.calls_until("repeated_results", 2).tolist() == [3]
    assert signs.calls_until("repeated_results", 9).tolist() == [4]
    assert signs.tokens_in_all.tolist() == [330]


def test_nothing_looks_ahead(tmp_path):
    """The counts of a task's first calls are the same, whatever comes after them."""
    whole = task_signs(read(tmp_path / "whole", life("a", ["x", "x", "y", "x", "z"], errors={1, 4})))
    begun = task_signs(read(tmp_path / "begun", life("a", ["x", "x", "y"], errors={1})))

    for name in SIGNS:
        assert running(begun, "a", name) == running(whole, "a", name)[:3], name


def test_calls_without_a_task_have_no_signs(tmp_path):
    assert task_signs(read(tmp_path, life("", ["x"]))).tasks == []
    empty = task_signs(read(tmp_path / "none", []))
    assert (empty.tasks, empty.calls_until("calls", 1).tolist()) == ([], [])
    assert isinstance(empty.running["calls"], np.ndarray)
