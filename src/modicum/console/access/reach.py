"""Which figures somebody may see: of which teams, and of which persons by name. Checked where questions are asked, so
that neither a page nor an address that nobody linked gets round it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from modicum.calls import Owner
from modicum.console.access.viewer import ForbiddenError, Viewer
from modicum.governance.budgets import EACH, Budget
from modicum.insights.scoping.persons import PERSONAL, PersonRule, group_persons
from modicum.insights.scoping.scope import Scope
from modicum.ledger.asking.conditions import WHERE
from modicum.ledger.asking.question_files import question_text
from modicum.ledger.rows import Row

MOST_OUTCOMES = 20
"""Names of outcomes that are looked through for those of a team."""
OPENING = "an owner writes show = 'everyone' under [people] of the settings"
OF_ALL_TEAMS = "these figures are of all teams together, and you have a role for {} only"

Ask = Callable[..., list[Row]]


class FigureReach(NamedTuple):
    """What one viewer may see."""

    viewer: Viewer
    persons: PersonRule

    def ask(self, ask: Ask, question: str, parameters: Mapping[str, Any]) -> list[Row]:
        """The rows of a question, as far as this viewer may see them.

        Args:
            ask: asks the ledger, unchecked.
            question: its name.
            parameters: what it is asked with.

        Raises:
            ForbiddenError: it is about teams that are not the viewer's, or looks up another person.
        """
        where: Mapping[str, str] = parameters.get("where") or {}
        if any(one in PERSONAL and self.persons.hides(name) for one, name in where.items()):
            raise ForbiddenError(
                f"figures of other persons are shown only as sums over five and more, unless {OPENING}"
            )
        if not self.viewer.sees_everything:
            if question == "outcomes":
                return self._own_outcomes(ask)
            self._check_team(ask, question, parameters, where)
        rows = ask(question, **parameters)
        by = _dimensions_of(parameters)
        return rows if PERSONAL.isdisjoint(by) else [dict(row) for row in group_persons(rows, by, self.persons)]

    def others_in(self, parameters: Mapping[str, Any]) -> str:
        """What of a question names other persons, as the access log has it; empty: nothing does."""
        if not self.persons.shows_everyone:
            return ""
        where: Mapping[str, str] = parameters.get("where") or {}
        named = [f"{one} {name}" for one, name in where.items() if one in PERSONAL and name not in self.persons.me]
        cuts = [f"by {one}" for one in _dimensions_of(parameters) if one in PERSONAL]
        return ", ".join([*cuts, *named])

    def insist_on_everything(self) -> None:
        """Raises:
        ForbiddenError: the viewer sees some teams only.
        """
        if not self.viewer.sees_everything:
            raise ForbiddenError(OF_ALL_TEAMS.format(self._shown_teams()))

    def narrow(self, scope: Scope) -> Scope:
        """The scope with the viewer's team in it, where there is only some of them to be seen.

        Raises:
            ForbiddenError: it is about another team.
        """
        teams = self.viewer.teams
        if teams is None:
            return scope
        team = scope.where.get("team", teams[0])
        if team not in teams:
            raise ForbiddenError(f"the team '{team:.80}' is none of yours: you have a role for {self._shown_teams()}")
        return Scope(since=scope.since, until=scope.until, zone=scope.zone, where={**scope.where, "team": team})

    def shows_owner(self, owner: Owner) -> bool:
        """Whether what concerns that owner is shown: a key, a line of the log."""
        return self.viewer.teams is None or owner.team in self.viewer.teams

    def shows_budget(self, budget: Budget, instance: Sequence[str]) -> bool:
        """Whether a sum of a budget is shown: that of an own team, and of no other person alone.

        Args:
            budget: as it is declared.
            instance: the names of this sum, one for each part of the owner of which the budget has one for each.
        """
        names = iter(instance)
        team = next(names, "") if budget.team == EACH else budget.team
        if budget.app == EACH:
            next(names, "")
        person = next(names, "") if budget.user == EACH else budget.user
        return (self.viewer.teams is None or team in self.viewer.teams) and not self.persons.hides(person)

    def _check_team(self, ask: Ask, question: str, parameters: Mapping[str, Any], where: Mapping[str, str]) -> None:
        teams = self.viewer.teams or ()
        if WHERE in question_text(question):
            if where.get("team") in teams:
                return
        elif task := parameters.get("task"):
            of_task = ask("bill", **Scope(where={"task": task}).parameters, by="team", tag="")
            if all(row["name"] in teams for row in of_task):
                return
        raise ForbiddenError(OF_ALL_TEAMS.format(self._shown_teams()))

    def _own_outcomes(self, ask: Ask) -> list[Row]:
        """The outcomes that tasks of the viewer's teams have, with how many tasks."""
        own = []
        for outcome in sorted(ask("outcomes"), key=lambda row: -row["tasks"])[:MOST_OUTCOMES]:
            tasks: set[str] = set()
            for team in self.viewer.teams or ():
                rows = ask(
                    "yield", **Scope(where={"team": team}).parameters, by="model", tag="", outcome=outcome["name"]
                )
                tasks |= {row["task"] for row in rows if row["value_sum"] is not None}
            if tasks:
                own.append({**outcome, "tasks": len(tasks)})
        return own

    def _shown_teams(self) -> str:
        return ", ".join(self.viewer.teams or ())


def _dimensions_of(parameters: Mapping[str, Any]) -> Sequence[str]:
    """By what a question cuts: nothing, one dimension, or several together."""
    by = parameters.get("by", ())
    return [by] if isinstance(by, str) else list(by)
