"""What a trial may cost in all: a run begins only if all that it may cost still fits."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import UserError
from modicum.settings import BudgetSettings, Settings

if TYPE_CHECKING:
    from modicum.experiments.trials.saver_trial import TrialRun

BEGUN = "begun.jsonl"
RUN_BUDGET_WORD = "{budget}"


class BegunRun(msgspec.Struct, frozen=True):
    """A line, on the disk before the run begins."""

    run_id: str
    usd: float
    """What it may cost at most; negative: taken back, since no command was started."""


class TrialBudgetReached(Exception):  # noqa: N818 - an end that was planned for, not a fault
    """The next run might pass the budget."""


class TrialBudget:
    """What is spent is what the recorded runs cost, and for each run that was begun and is not on record (the process
    died), or of which nobody knows the cost, all that it may have been.

    Args:
        folder: of the record.
        limit_usd: what the trial may cost.
        run_usd: what one run may cost at most: the gateway refuses more, or the command holds it.
    """

    def __init__(self, folder: Path, limit_usd: float, run_usd: float) -> None:
        self.limit_usd, self.run_usd = limit_usd, run_usd
        self._path = folder / BEGUN
        self._begun = _read_begun(self._path)

    def count_spent(self, runs: "Iterable[TrialRun]") -> float:
        """What is spent at most, with these runs on record."""
        open_usd: dict[str, list[float]] = {}
        for line in self._begun:
            open_usd.setdefault(line.run_id, []).append(line.usd)
        spent = 0.0
        for run in runs:
            worst = open_usd[run.run_id].pop() if open_usd.get(run.run_id) else self.run_usd
            spent += worst if run.cost_usd is None else run.cost_usd
        return spent + sum(usd for parts in open_usd.values() for usd in parts)

    def begin(self, run_id: str, runs: "Iterable[TrialRun]") -> None:
        """Sets aside what a run may cost.

        Raises:
            TrialBudgetReached: it might pass the budget.
        """
        if self.count_spent(runs) + self.run_usd > self.limit_usd * (1 + 1e-12):
            raise TrialBudgetReached
        self._append(BegunRun(run_id, self.run_usd))

    def take_back(self, run_id: str) -> None:
        """Its command was never started."""
        self._append(BegunRun(run_id, -self.run_usd))

    def check(self, run: "TrialRun") -> None:
        """Raises:
        UserError: it cost more than it might: what was promised of runs does not hold, so no budget can.
        """
        if run.cost_usd is not None and run.cost_usd > self.run_usd * (1 + 1e-9):
            raise UserError(
                f"the run {run.run_id} cost ${run.cost_usd:.4f}, and ${self.run_usd:g} is what one may cost: it is on "
                "record, and the trial ends here, since no budget holds a command that does not keep to it; with "
                "--meter gateway and a [[budget]] per task the gateway refuses more"
            )

    def _append(self, line: BegunRun) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._begun.append(line)


def _read_begun(path: Path) -> list[BegunRun]:
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines()
    begun: list[BegunRun] = []
    for number, line in enumerate(lines, 1):
        try:
            begun.append(msgspec.json.decode(line, type=BegunRun))
        except msgspec.MsgspecError as error:
            if number == len(lines):
                break  # cut short before its run began
            raise UserError(
                f"{path}:{number} cannot be read ({error}); nobody knows what was spent: bring it back, or begin anew "
                "with another --record"
            ) from None
    return begun


def plan_budget(
    settings: Settings, folder: Path, command: list[str], meter: str, limit_usd: float | None, run_usd: float | None
) -> TrialBudget | None:
    """The budget of a trial; None where it has none.

    Raises:
        UserError: nothing holds one run within bounds, so nothing could hold the trial.
    """
    passes_on = any(RUN_BUDGET_WORD in word for word in command)
    if limit_usd is None:
        if run_usd is not None or passes_on:
            raise UserError(f"--run-budget and {RUN_BUDGET_WORD} belong to --budget USD, what the whole trial may cost")
        return None
    held = _find_gateway_limit(settings, run_usd) if meter == "gateway" else run_usd if passes_on else None
    if held is None:
        raise UserError(
            "a run can be held in two ways: --meter gateway with a [[budget]] per task in the settings, or --run-budget"
            f" USD with {RUN_BUDGET_WORD} in COMMAND where it takes a limit of its own (claude --max-budget-usd "
            f"{RUN_BUDGET_WORD})"
        )
    if held > limit_usd:
        raise UserError(f"one run may cost ${held:g}, so not one fits into --budget {limit_usd:g}")
    return TrialBudget(folder, limit_usd, held)


def _find_gateway_limit(settings: Settings, run_usd: float | None) -> float:
    """What the gateway lets one task cost, whoever makes its calls."""
    limits = [one.limit_usd for one in settings.budget if _holds_every_task(one) and one.limit_usd is not None]
    place = settings.file or "modicum.toml"
    if not limits:
        raise UserError(
            f'no [[budget]] in {place} holds one run: add name = "each-task", per = "task", limit_usd = '
            f"{run_usd or 0.5:g} (docs/budgets.md); the gateway then refuses what a run may cost beyond that"
        )
    if run_usd is not None and min(limits) > run_usd:
        raise UserError(
            f"--run-budget {run_usd:g}: the gateway lets a task cost ${min(limits):g}; lower limit_usd of the "
            f"[[budget]] per task in {place}, or leave the option out"
        )
    return min(limits)


def _holds_every_task(one: BudgetSettings) -> bool:
    is_hard = one.at_limit != "alert"
    return (
        is_hard and one.per == "task" and not any((one.team, one.app, one.user, one.key, one.task, one.model, one.tag))
    )
