"""Plans of teams in the gateway: read, applied, graded by outcomes, given up when they prove worse.

Nothing here is made unless the settings name a team; a gateway without any asks no rule.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from modicum.calls import Outcome
from modicum.gateway.log import log
from modicum.gateway.pipeline import Pipeline
from modicum.gateway.team_outcomes import Grading, TeamOutcomes
from modicum.gateway.team_plans import TeamPlans
from modicum.gateway.team_rule import TeamRule
from modicum.gateway.upstreams import Route
from modicum.settings import Settings


class Teams:
    """Used from the event loop. The file of outcomes is written in a thread of its own.

    Raises:
        UserError: that file cannot be used.
    """

    def __init__(self, folder: Path, pipeline: Pipeline, key: bytes) -> None:
        self._outcomes = TeamOutcomes(folder / "teams.sqlite")
        self._plans = TeamPlans(self._outcomes.watch)
        self._pipeline = pipeline
        self._thread = ThreadPoolExecutor(1, "teams")
        self._rule = TeamRule(self._plans, self._route, self._began, key)

    def load(self, settings: Settings) -> None:
        """Takes over what the settings say of teams."""
        self._grading = {name: Grading(one.outcome, one.margin) for name, one in settings.teams.items()}
        try:
            self._plans.load(settings)
        except sqlite3.Error:
            self._pipeline.metrics.failed("team_outcomes")
        self._told()

    def look(self) -> None:
        """Plans that changed, and what outcomes said meanwhile."""
        try:
            if self._plans.reload_changed():
                self._told()
            else:
                self._plans.look_at_watches()
        except sqlite3.Error:
            self._pipeline.metrics.failed("team_outcomes")

    async def graded(self, outcomes: Sequence[Outcome]) -> None:
        """Hands outcomes to the runs that they are of. A failure is counted; the outcomes are in the journal."""
        loop = asyncio.get_running_loop()
        try:
            for outcome in outcomes:
                said = (outcome.task, outcome.name, outcome.value, self._grading)
                for given_up in await loop.run_in_executor(self._thread, self._outcomes.told, *said):
                    log("team_plan_reverted", why=given_up)
            self._plans.look_at_watches()
        except sqlite3.Error:
            self._pipeline.metrics.failed("team_outcomes")

    def close(self) -> None:
        self._thread.shutdown()
        self._outcomes.close()

    def _began(self, team: str, run: str, task: str, plan: str, arm: str) -> None:
        self._thread.submit(self._outcomes.began, team, run, task, plan, arm).add_done_callback(self._noted)

    def _noted(self, done: "Future[None]") -> None:
        if done.exception() is not None:
            self._pipeline.metrics.failed("team_outcomes")

    def _route(self, model: str, dialect: str) -> Route:
        return self._pipeline.upstreams.route(model, dialect)

    def _told(self) -> None:
        self._pipeline.rules = (self._rule,) if self._plans.in_force or self._rule.has_led else ()
        for problem in self._plans.problems:
            log("team_plan_not_applied", problem=problem)
        if self._plans.in_force:
            log("team_plans", teams=sorted(self._plans.in_force))
