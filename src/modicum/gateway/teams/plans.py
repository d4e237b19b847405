"""Plans that the settings name: read, and read again when their files change. A wrong one is logged, not applied."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from modicum.agents.plan_rules import digest_text
from modicum.agents.team_plan import TeamPlan, find_line, read_plan
from modicum.calls import UserError
from modicum.experiments.canary import CanaryWatch
from modicum.settings import Settings, TeamSettings, beside_settings

Stamp = tuple[int, int]


class Team:
    """A team with a plan in force."""

    def __init__(self, name: str, settings: TeamSettings, plan: TeamPlan, text: str, place: str) -> None:
        self.name, self.settings, self.plan, self.text, self.place = name, settings, plan, text, place
        self.digest = digest_text(text)
        self.watch = CanaryWatch()
        self._answer = re.compile(settings.answer) if settings.answer else None

    def answer_in(self, reply: str) -> str | None:
        """The short answer in a reply: the last that fits the pattern, or all of it where there is none."""
        if self._answer is None:
            return reply
        found = self._answer.findall(reply[-MOST_SEARCHED:])
        return found[-1] if found else None


MOST_SEARCHED = 4_000
"""Characters from a reply's end in which its answer is looked for."""


class TeamPlans:
    """The plans that the settings name, read and kept up to date.

    Args:
        watch_of: what the canaries said so far of a team's plan (by its digest).
    """

    def __init__(self, watch_of: Callable[[str, str], CanaryWatch]) -> None:
        self._watch_of = watch_of
        self._settings = Settings()
        self._stamps: dict[str, Stamp] = {}
        self.in_force: dict[str, Team] = {}
        self.problems: list[str] = []
        """What is wrong with the plans that are not applied."""

    def load(self, settings: Settings) -> None:
        """Reads all plans. One that stayed as it was stays the same object."""
        self._settings = settings
        self._stamps = self._read_stamps()
        self.problems = []
        before, self.in_force = self.in_force, {}
        for name, one in settings.teams.items():
            try:
                team = read_team(name, one, beside_settings(settings, one.plan))
            except UserError as error:
                self.problems.append(f"{error}; the plan is not applied")
                continue
            known = before.get(name)
            if known is not None and (known.digest, known.settings) == (team.digest, one):
                team = known
            self.in_force[name] = team
        self.look_at_watches()

    def reload_changed(self) -> bool:
        """Reads them again if a file changed."""
        if self._read_stamps() == self._stamps:
            return False
        self.load(self._settings)
        return True

    def look_at_watches(self) -> None:
        """Takes over what outcomes said, whichever worker they reached."""
        for team in self.in_force.values():
            team.watch = self._watch_of(team.name, team.digest)

    def _read_stamps(self) -> dict[str, Stamp]:
        return {name: _stamp(beside_settings(self._settings, one.plan)) for name, one in self._settings.teams.items()}


def read_team(name: str, settings: TeamSettings, path: Path, today: date | None = None) -> Team:
    """A team's plan from its file.

    Raises:
        UserError: there is none, it is wrong, made for another team, or expired; with file and line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"teams.{name}.plan: {path} cannot be read: {error.strerror}") from None
    plan = read_plan(data, str(path))
    if plan.team not in {"", name}:
        raise UserError(
            f"{path}{find_line(data, 'team')}: made for the team '{plan.team}', not for '{name}'; accepted in"
            f" [teams.{name}] is a plan whose team is '{name}'"
        )
    if plan.expires and (today or datetime.now(UTC).date()) > date.fromisoformat(plan.expires):
        raise UserError(
            f"{path}{find_line(data, 'expires')}: expired on {plan.expires}; accepted is a date from today on, or none:"
            " verify the plan anew and write one"
        )
    return Team(name, settings, plan, data.decode(), str(path))


def _stamp(path: Path) -> Stamp:
    try:
        seen = path.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size
