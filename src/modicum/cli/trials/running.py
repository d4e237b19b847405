"""Makes the runs of a trial one after another, each metered and on the disk before the next begins."""

import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import UserError
from modicum.cli.inputs.commands import CommandEnd, run_command
from modicum.cli.trials.budget import RUN_BUDGET_WORD, TrialBudget, TrialBudgetReached
from modicum.cli.trials.metering import RunUse, meter_logs
from modicum.cli.trials.record import append_run
from modicum.experiments.trials.saver_trial import (
    WITH,
    SaverTask,
    SaverTrial,
    TrialRun,
    TrialStep,
    plan_runs,
    run_id_of,
)

if TYPE_CHECKING:
    from modicum.metering.prices import PriceBook

ARM_WORD = "{arm}"
LedgerMeter = Callable[[str, datetime], RunUse]
"""What the calls of a run took, by its id and its begin."""


class TrialRunner:
    """Args:
    meter_gateway: where the trial is metered by the gateway.
    gateway_url: put into the environment of runs, so that common clients call it.
    budget: what all runs together may cost.
    """

    def __init__(
        self,
        trial: SaverTrial,
        folder: Path,
        prices: "PriceBook",
        *,
        meter_gateway: LedgerMeter | None = None,
        gateway_url: str = "",
        budget: TrialBudget | None = None,
    ) -> None:
        self._trial, self._folder, self._prices = trial, folder, prices
        self._meter_gateway, self._gateway_url = meter_gateway, gateway_url
        self._budget = budget

    def run_missing(self, runs: Sequence[TrialRun], progress: Callable[[int, TrialRun], None]) -> list[TrialRun]:
        """All runs, with those that the record lacks made now, as far as the budget reaches. `progress` gets how many
        are there, and the newest.

        Raises:
            UserError: a command cannot be run, or does not keep to what a run may cost.
        """
        recorded = {run.run_id for run in runs}
        complete = list(runs)
        for planned in plan_runs(self._trial):
            if run_id_of(self._trial, planned) in recorded:
                continue
            try:
                run = self._run_within_budget(planned, complete)
            except TrialBudgetReached:
                break
            complete.append(run)
            progress(len(complete), run)
            if self._budget is not None:
                self._budget.check(run)
        return complete

    def _run_within_budget(self, planned: TrialStep, runs: Sequence[TrialRun]) -> TrialRun:
        """A run that is on record. What it may cost is set aside before: where the process dies, all of it counts."""
        run_id = run_id_of(self._trial, planned)
        if self._budget is not None:
            self._budget.begin(run_id, runs)
        run = self._run(planned)
        append_run(self._folder, run)
        return run

    def _run(self, planned: TrialStep) -> TrialRun:
        trial, run_id = self._trial, run_id_of(self._trial, planned)
        outputs = self._folder / "outputs"
        outputs.mkdir(parents=True, exist_ok=True)
        stdout, stderr = outputs / f"{planned.number:05d}.out", outputs / f"{planned.number:05d}.err"
        environment = self._environment(planned, run_id)
        with self._work_folder() as work:
            try:
                self._prepare(planned, work, environment)
                started = datetime.now(UTC)
                end = run_command(
                    fill_words(trial, planned, run_id, self._budget.run_usd if self._budget else None),
                    folder=work,
                    timeout_s=trial.timeout_s,
                    environment=environment,
                    stdout=stdout,
                    stderr=stderr,
                )
            except UserError:
                if self._budget is not None:
                    self._budget.take_back(run_id)
                raise
            outcome = self._check(planned, end, work, environment)
            use = self._meter(run_id, started, stdout, work)
        prompt, completion = use.prompt_tokens, use.completion_tokens
        return TrialRun(
            run_id=run_id,
            arm=planned.arm,
            task=planned.task.task,
            group=planned.task.group,
            outcome=outcome,
            status="timed_out" if end.exit_code is None else "ended",
            exit_code=end.exit_code,
            started_at=started,
            seconds=end.seconds,
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=None if prompt is None or completion is None else prompt + completion,
            cost_usd=use.cost_usd,
            basis=use.basis,
            models=use.models,
            problems=use.problems[:5],
        )

    def _environment(self, planned: TrialStep, run_id: str) -> dict[str, str]:
        environment = {"MODICUM_TRIAL_RUN": run_id, "MODICUM_TRIAL_TASK": planned.task.task}
        if self._meter_gateway is not None:
            environment |= {
                "ANTHROPIC_BASE_URL": self._gateway_url,
                "ANTHROPIC_CUSTOM_HEADERS": f"x-modicum-task: {run_id}",
                "OPENAI_BASE_URL": f"{self._gateway_url}/v1",
            }
        return environment | (self._trial.environment if planned.arm == WITH else {})

    def _prepare(self, planned: TrialStep, work: Path, environment: dict[str, str]) -> None:
        """Switches the saver on or off.

        Raises:
            UserError: that failed, so no run would be what it says.
        """
        before = self._trial.before_with if planned.arm == WITH else self._trial.before_without
        if not before:
            return
        end = run_command(shlex.split(before), folder=work, timeout_s=self._trial.timeout_s, environment=environment)
        if end.exit_code != 0:
            how = "took too long" if end.exit_code is None else f"ended with status {end.exit_code}"
            raise UserError(
                f"'{before}', which runs before each run {planned.arm} the saver, {how}: no run was made; put it right "
                "and type the same command again"
            )

    def _check(self, planned: TrialStep, end: CommandEnd, work: Path, environment: dict[str, str]) -> float:
        check = planned.task.check or self._trial.check
        if end.exit_code is None:
            return 0.0
        if not check:
            return float(end.exit_code == 0)
        checked = run_command(shlex.split(check), folder=work, timeout_s=self._trial.timeout_s, environment=environment)
        return float(checked.exit_code == 0)

    def _meter(self, run_id: str, started: datetime, stdout: Path, work: Path) -> RunUse:
        if self._meter_gateway is not None:
            return self._meter_gateway(run_id, started)
        if self._trial.meter == "output":
            return meter_logs([stdout], self._prices) if stdout.stat().st_size else RunUse()
        place = work / Path(self._trial.meter.replace("{run}", run_id)).expanduser()
        return meter_logs([place], self._prices, since=started)

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        if not self._trial.copied_folder:
            yield Path.cwd()
            return
        with tempfile.TemporaryDirectory(prefix="modicum-trial-") as place:
            work = Path(place) / "work"
            shutil.copytree(self._trial.copied_folder, work, symlinks=True)
            yield work


def fill_words(trial: SaverTrial, planned: TrialStep, run_id: str, run_budget_usd: float | None = None) -> list[str]:
    """The command of one run. {prompt} and the like are filled within words, never read by a shell; {arm} alone is
    replaced by the words of the arm.
    """
    values = {"{prompt}": planned.task.prompt, "{task}": planned.task.task, "{run}": run_id}
    if run_budget_usd is not None:
        values[RUN_BUDGET_WORD] = f"{run_budget_usd:g}"
    words: list[str] = []
    for word in trial.command:
        if word == ARM_WORD:
            words += trial.words_with if planned.arm == WITH else trial.words_without
            continue
        for name, value in values.items():
            if name in word:
                word = value.join(word.split(name))  # noqa: PLW2901 - filled step by step
                break
        words.append(word)
    return words


def read_tasks(path: Path) -> list[SaverTask]:
    """The tasks of a file of JSON lines: `task`, and if there are any `prompt`, `check`, `group`.

    Raises:
        UserError: a line is none, or two have one name.
    """
    tasks: dict[str, SaverTask] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        example = '{"task": "a", "prompt": "Fix the failing test", "check": "pytest -q"}'
        raise UserError(
            f"the tasks {path} cannot be read: {error.strerror}; write a line for each task, as {example}"
        ) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            task = msgspec.json.decode(line, type=SaverTask)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise UserError(f'{path}:{number} is no task ({error}); write {{"task": "a", "prompt": "..."}}') from None
        if not task.task.strip():
            raise UserError(f"{path}:{number}: task is empty; give each task a name of its own")
        if task.task in tasks:
            raise UserError(f"{path}:{number}: the task '{task.task}' stands twice; use --repeats for more runs of it")
        tasks[task.task] = task
    if not tasks:
        raise UserError(f"{path} holds no tasks")
    return list(tasks.values())
