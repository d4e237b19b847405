"""Runs tasks under arms, several at once, each result on the disk as it comes; what is there is not run again."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from modicum.calls import UserError
from modicum.cli.evaluation.graders import Grader, ReplyGrade
from modicum.cli.evaluation.model_calls import CallFailed, ModelCaller, ModelReply
from modicum.cli.evaluation.spending import BudgetReached, EvalBudget
from modicum.experiments.evaluation.eval_task import EvalArm, EvalRow, EvalTask
from modicum.experiments.evaluation.text_graders import judge_prompt, parse_judgement


@dataclass(frozen=True)
class Judge:
    """A model that grades, and what it is to look at."""

    model: str
    rubric: str = ""


@dataclass
class EvalProgress:
    """What came of the runs that were wanting."""

    made: int = 0
    not_made: int = 0
    """For want of budget."""
    failures: dict[str, int] = field(default_factory=dict)
    """Runs without a reply, by arm and reason: they are made when the command is run again."""


class EvalRunner:
    """Used once."""

    def __init__(
        self, caller: ModelCaller, budget: EvalBudget, out: Path, *, grader: Grader | None, judge: Judge | None
    ) -> None:
        self._caller, self._budget, self._out = caller, budget, out
        self._grader, self._judge = grader, judge
        self._lock = threading.Lock()
        self._is_spent = threading.Event()
        self._gone: dict[str, str] = {}

    def run(
        self, wanting: Sequence[tuple[EvalArm, EvalTask, str]], parallel: int, progress: Callable[[int], None]
    ) -> EvalProgress:
        result = EvalProgress()
        with ThreadPoolExecutor(parallel) as pool:
            for number, failure in enumerate(pool.map(lambda one: self._run(*one), wanting), 1):
                if failure is None:
                    result.made += 1
                elif failure == "":
                    result.not_made += 1
                else:
                    result.failures[failure] = result.failures.get(failure, 0) + 1
                progress(number)
        return result

    def _run(self, arm: EvalArm, task: EvalTask, run_id: str) -> str | None:
        """None: it is made; empty: the budget would not have it; else why there is no reply."""
        if self._is_spent.is_set():
            return ""
        if gone := self._gone.get(arm.model):
            return gone
        try:
            row = self._make(arm, task, run_id)
        except BudgetReached:
            self._is_spent.set()
            return ""
        except CallFailed as error:
            reason = f"{arm.model} {error}"
            if error.is_final:
                self._gone[arm.model] = reason
            return reason
        with self._lock, self._out.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return None

    def _make(self, arm: EvalArm, task: EvalTask, run_id: str) -> EvalRow:
        started_at = datetime.now(UTC)
        reply = self._ask(arm.model, arm.prompt_of(task), run_id)
        judged = None
        if self._judge is not None:
            grade, judged = self._ask_judge(self._judge, task, reply.text, run_id)
        elif self._grader is not None:
            grade = self._grader(task, reply.text)
        else:
            grade = ReplyGrade(None, "no grader")
        usage = reply.usage
        return EvalRow(
            arm=arm.name,
            task=task.task,
            run_id=run_id,
            group=task.group,
            outcome=grade.outcome,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            total_tokens=usage.total_tokens if usage else None,
            cost_usd=reply.cost_usd,
            basis=reply.basis,
            seconds=reply.seconds,
            started_at=started_at,
            judge_cost_usd=judged.cost_usd if judged else None,
            judge_tokens=judged.usage.total_tokens if judged and judged.usage else None,
            answered_by=reply.model,
            price=reply.price,
            note=grade.note,
        )

    def _ask_judge(self, judge: Judge, task: EvalTask, reply: str, run_id: str) -> tuple[ReplyGrade, ModelReply | None]:
        """A judge that fails leaves the run ungraded: the reply was paid, and is on record."""
        prompt = judge_prompt(task.prompt, task.expected, reply, judge.rubric)
        try:
            judged = self._ask(judge.model, prompt, f"{run_id}/judge")
        except BudgetReached:
            self._is_spent.set()
            return ReplyGrade(None, "the budget had no room for its judge"), None
        except CallFailed as error:
            return ReplyGrade(None, f"the judge {error}"), None
        share = parse_judgement(judged.text)
        return ReplyGrade(share, "" if share is not None else "the judge gave no verdict"), judged

    def _ask(self, model: str, prompt: str, run_id: str) -> ModelReply:
        number = self._budget.reserve(self._caller.worst_usd(model, prompt))
        try:
            reply = self._caller.send(model, prompt, run_id)
        except CallFailed as error:
            if not error.is_billed:
                self._budget.settle(number, 0.0)
            raise
        self._budget.settle(number, reply.cost_usd)
        return reply


def read_tasks(path: Path) -> list[EvalTask]:
    """Raises:
    UserError: a line is no task, or two have one name.
    """
    example = '{"task": "a", "prompt": "2 + 2?", "expected": "4"}'
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UserError(
            f"the tasks {path} cannot be read: {error.strerror}; write a line for each task, as {example}"
        ) from None
    tasks: dict[str, EvalTask] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            task = msgspec.json.decode(line, type=EvalTask)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise UserError(f"{path}:{number} is no task ({error}); write {example}") from None
        if not task.task.strip() or task.task in tasks:
            what = f"the task '{task.task}' stands twice" if task.task.strip() else "task is empty"
            raise UserError(f"{path}:{number}: {what}; give each task a name of its own (--runs for more runs of it)")
        tasks[task.task] = task
    if not tasks:
        raise UserError(f"{path} holds no tasks")
    return list(tasks.values())


def read_rows(path: Path) -> list[EvalRow]:
    """The results so far. A last line that a crash cut short is taken off the file.

    Raises:
        UserError: another line cannot be read.
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
        path.write_bytes(content)
    rows = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            rows.append(msgspec.json.decode(line, type=EvalRow))
        except msgspec.MsgspecError as error:
            raise UserError(f"{path}:{number} is no result of 'compare run' ({error}); name another --out") from None
    return rows


def find_wanting(
    arms: Iterable[EvalArm], tasks: Sequence[EvalTask], runs: int, rows: Iterable[EvalRow]
) -> list[tuple[EvalArm, EvalTask, str]]:
    """The runs that are not there yet: task by task, so that a budget that ends leaves arms with the same tasks."""
    present = {row.run_id for row in rows}
    return [
        (arm, task, run_id)
        for repeat in range(runs)
        for task in tasks
        for arm in arms
        if (run_id := f"{arm.name}/{task.task}/{repeat}") not in present
    ]
