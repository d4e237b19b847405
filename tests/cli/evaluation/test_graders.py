"""Graders that run something, and their bounds."""

import sys

import pytest

from modicum.cli.evaluation.graders import choose_grader
from modicum.experiments.evaluation.eval_task import EvalTask

TASK = EvalTask(task="t", prompt="p", expected="4", pattern=r"^\d+$")


@pytest.fixture
def function(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "import time\n"
        "def half(reply, task): return 0.5 if task['expected'] in reply else 0\n"
        "def much(reply, task): return 7\n"
        "def breaks(reply, task): raise KeyError('x')\n"
        "def hangs(reply, task): time.sleep(600)\n"
    )
    return lambda name, timeout_s=60.0: choose_grader(f"python:{path}:{name}", timeout_s)


def test_a_python_function_gives_a_share(function):
    assert function("half")(TASK, "it is 4").outcome == 0.5
    assert function("half")(TASK, "it is 5").outcome == 0.0


def test_a_function_that_breaks_hangs_or_gives_no_share_grades_nothing(function):
    assert function("much")(TASK, "") == (None, "much gave 7, which is no share in 0..1")
    assert "KeyError" in function("breaks")(TASK, "").note
    assert function("hangs", 0.5)(TASK, "") == (None, "hangs took longer than 0.5 s")


def test_a_pattern_is_bounded_in_time():
    assert choose_grader("pattern")(TASK, "42").outcome == 1.0
    assert choose_grader("pattern")(TASK, "x42").outcome == 0.0
    evil = EvalTask(task="t", prompt="p", pattern=r"^(a+)+$")
    assert choose_grader("pattern", 1.0)(evil, "a" * 40 + "!").note == "the pattern took longer than 1 s"
    broken = EvalTask(task="t", prompt="p", pattern="(")
    assert "cannot be used" in choose_grader("pattern")(broken, "x").note


def test_a_command_reads_the_reply_and_its_status_counts():
    program = "import sys; sys.exit(0 if sys.stdin.read() == 'yes' else 3)"
    grader = choose_grader(f'command:{sys.executable} -c "{program}"')

    assert grader(TASK, "yes").outcome == 1.0
    assert grader(TASK, "no").outcome == 0.0


def test_a_schema_that_is_none_grades_nothing():
    grader = choose_grader("schema")

    assert grader(EvalTask(task="t", prompt="p", schema={"type": 7}), "{}").outcome is None
    assert grader(EvalTask(task="t", prompt="p", schema={"type": "object"}), "{}").outcome == 1.0
