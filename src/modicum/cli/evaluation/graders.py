"""Which grader a run gets. Patterns, functions and commands run in processes of their own, bounded in time."""

import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from modicum.calls import UserError
from modicum.cli.inputs.commands import run_command
from modicum.experiments.evaluation.eval_task import EvalTask
from modicum.experiments.evaluation.text_graders import grade_exact, grade_schema

KINDS = "exact, pattern, schema, python:FILE.py:FUNCTION, command:CMD, judge:MODEL"
GRADE_S = 60.0
_SHARE_FILE = "grade.json"
_PATTERN = "import json,re,sys; t=json.load(sys.stdin); sys.exit(0 if re.search(t['pattern'], t['reply']) else 1)"
_FUNCTION = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("grader", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
given = json.load(sys.stdin)
share = float(getattr(module, sys.argv[2])(given["reply"], given["task"]))
open(sys.argv[3], "w").write(json.dumps(share))
"""


class ReplyGrade(NamedTuple):
    outcome: float | None
    """None: not graded."""
    note: str = ""


Grader = Callable[[EvalTask, str], ReplyGrade]


def choose_grader(words: str, timeout_s: float = GRADE_S) -> Grader:
    """The grader of these words; a judge is none of them, since it asks a model.

    Raises:
        UserError: there is no such grader.
    """
    kind, _, rest = words.partition(":")
    if kind == "exact" and not rest:
        return lambda task, reply: ReplyGrade(grade_exact(reply, task.expected or ""))
    if kind == "pattern" and not rest:
        return lambda task, reply: _grade_pattern(task, reply, timeout_s)
    if kind == "schema" and not rest:
        return _grade_schema
    if kind == "python":
        path, _, function = rest.rpartition(":")
        if not path or not Path(path).is_file() or not function.isidentifier():
            raise UserError(f"--grader {words}: write python:FILE.py:FUNCTION, with a file that is there")
        return lambda task, reply: _grade_function(Path(path).resolve(), function, task, reply, timeout_s)
    if kind == "command" and rest:
        return lambda task, reply: _grade_command(rest, task, reply, timeout_s)
    raise UserError(f"there is no grader '{words}'; there are {KINDS}")


def check_task(words: str, task: EvalTask, place: str) -> None:
    """Whether a task has what its grader needs.

    Raises:
        UserError: it has not.
    """
    for kind, value in (("exact", task.expected), ("pattern", task.pattern), ("schema", task.schema)):
        if words == kind and value is None:
            field = "expected" if kind == "exact" else kind
            raise UserError(f"{place}: the task '{task.task}' has no '{field}', which the grader '{kind}' needs")


def _grade_schema(task: EvalTask, reply: str) -> ReplyGrade:
    try:
        return ReplyGrade(*grade_schema(reply, task.schema or {}))
    except ValueError as error:
        return ReplyGrade(None, str(error))


def _grade_pattern(task: EvalTask, reply: str, timeout_s: float) -> ReplyGrade:
    given = msgspec.json.encode({"pattern": task.pattern, "reply": reply})
    with tempfile.TemporaryDirectory(prefix="modicum-grade-") as folder:
        errors = Path(folder) / "errors"
        end = run_command(
            [sys.executable, "-I", "-c", _PATTERN], folder=Path(folder), timeout_s=timeout_s, stdin=given, stderr=errors
        )
        if end.exit_code is None:
            return ReplyGrade(None, f"the pattern took longer than {timeout_s:g} s")
        if wrong := errors.read_text(encoding="utf-8", errors="replace").strip():
            return ReplyGrade(None, f"the pattern cannot be used: {wrong.splitlines()[-1]:.200}")
        return ReplyGrade(float(end.exit_code == 0))


def _grade_function(path: Path, function: str, task: EvalTask, reply: str, timeout_s: float) -> ReplyGrade:
    given = msgspec.json.encode({"reply": reply, "task": task})
    with tempfile.TemporaryDirectory(prefix="modicum-grade-") as folder:
        errors, share_file = Path(folder) / "errors", Path(folder) / _SHARE_FILE
        words = [sys.executable, "-c", _FUNCTION, str(path), function, str(share_file)]
        end = run_command(words, folder=path.parent, timeout_s=timeout_s, stdin=given, stderr=errors)
        if end.exit_code is None:
            return ReplyGrade(None, f"{function} took longer than {timeout_s:g} s")
        if end.exit_code != 0 or not share_file.exists():
            wrong = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return ReplyGrade(None, f"{function} failed: {wrong[-1] if wrong else 'no reason'}"[:200])
        share = float(share_file.read_text())
    if not 0 <= share <= 1:
        return ReplyGrade(None, f"{function} gave {share:g}, which is no share in 0..1")
    return ReplyGrade(share)


def _grade_command(words: str, task: EvalTask, reply: str, timeout_s: float) -> ReplyGrade:
    with tempfile.TemporaryDirectory(prefix="modicum-grade-") as folder:
        reply_file = Path(folder) / "reply.txt"
        reply_file.write_text(reply, encoding="utf-8")
        end = run_command(
            shlex.split(words),
            folder=Path.cwd(),
            timeout_s=timeout_s,
            environment={"MODICUM_TASK": task.task, "MODICUM_REPLY": str(reply_file)},
            stdin=reply.encode(),
        )
    return (
        ReplyGrade(None, f"the command took longer than {timeout_s:g} s")
        if end.exit_code is None
        else ReplyGrade(float(end.exit_code == 0))
    )
