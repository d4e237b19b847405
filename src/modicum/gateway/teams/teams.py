"""Plans of teams in the gateway: read, applied, graded by outcomes, given up when they prove worse.

Nothing here is made unless the settings name a team; a gateway without any asks no rule.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from modicum.calls import Outcome
from modicum.experiments.team_runs import GivenAnswer, Grading, TeamOutcomes
from modicum.gateway.answering import Answerer
from modicum.gateway.failures import Failed
from modicum.gateway.optimizing import FactSource
from modicum.gateway.process.log import log
from modicum.gateway.teams.plans import TeamPlans
from modicum.gateway.teams.turns import TeamTurns
from modicum.settings import Settings


class TeamParts(NamedTuple):
    """What of a gateway's calls teams take part in."""

    sources: tuple[FactSource, ...] = ()
    answerers: tuple[Answerer, ...] = ()


class Teams:
    """Used from the event loop. The file of outcomes is written in a thread of its own.

    Raises:
        UserError: that file cannot be used.
    """

    def __init__(self, folder: Path, key: bytes, failed: Failed) -> None:
        self._outcomes = TeamOutcomes(folder / "teams.sqlite")
        self._plans = TeamPlans(self._outcomes.watch)
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, "teams")
        self._turns = TeamTurns(self._plans, self._record_run, self, key)

    @property
    def parts(self) -> TeamParts:
        """What takes part in calls: nothing, unless a plan is in force, or was when a run began."""
        if not self._plans.in_force and not self._turns.has_led:
            return TeamParts()
        return TeamParts((self._turns,), (self._turns,))

    def load(self, settings: Settings) -> None:
        """Reads what the settings say of teams; `parts` may be others then."""
        self._grading = {name: Grading(one.outcome, one.margin) for name, one in settings.teams.items()}
        try:
            self._plans.load(settings)
        except sqlite3.Error:
            self._failed("team_outcomes")
        self._log_plans()

    def refresh(self) -> bool:
        """Plans that changed, and what outcomes said meanwhile. Whether `parts` may be others now."""
        try:
            if self._plans.reload_changed():
                self._log_plans()
                return True
            self._plans.look_at_watches()
        except sqlite3.Error:
            self._failed("team_outcomes")
        return False

    async def graded(self, outcomes: Sequence[Outcome]) -> None:
        """Hands outcomes to the runs that they are of. A failure is counted; the outcomes are in the journal."""
        loop = asyncio.get_running_loop()
        try:
            for outcome in outcomes:
                grade = (outcome.task, outcome.name, outcome.value, self._grading)
                for given_up in await loop.run_in_executor(self._thread, self._outcomes.apply_outcome, *grade):
                    log("team_plan_reverted", why=given_up)
            self._plans.look_at_watches()
        except sqlite3.Error:
            self._failed("team_outcomes")

    def share(self, scope: str, team: str, run: str, given: GivenAnswer) -> None:
        """An agent's answer, for other workers (`turns.AnswerExchange`)."""
        self._thread.submit(self._outcomes.record_answer, scope, team, run, given).add_done_callback(
            self._check_recorded
        )

    def look_up(self, scope: str, team: str, run: str) -> Sequence[GivenAnswer]:
        """The run's answers as far as all workers know them; none where the file fails."""
        try:
            return self._outcomes.answers(scope, team, run)
        except sqlite3.Error:
            self._failed("team_outcomes")
            return []

    def close(self) -> None:
        self._thread.shutdown()
        self._outcomes.close()

    def _record_run(self, team: str, run: str, task: str, plan: str, arm: str, share: float) -> None:
        self._thread.submit(self._outcomes.record_run, team, run, task, plan, arm, share).add_done_callback(
            self._check_recorded
        )

    def _check_recorded(self, done: "Future[None]") -> None:
        if done.exception() is not None:
            self._failed("team_outcomes")

    def _log_plans(self) -> None:
        for problem in self._plans.problems:
            log("team_plan_not_applied", problem=problem)
        if self._plans.in_force:
            log("team_plans", teams=sorted(self._plans.in_force))
