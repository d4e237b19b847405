"""`--team`, `--model`, `--project` and the other conditions: one place for every verb that reads calls."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.cli.shared_options import Verb
from modicum.settings import read_settings

if TYPE_CHECKING:
    from modicum.insights.scoping.call_choice import Condition

NAMED = {
    "team": "of this team",
    "app": "of this app",
    "user": "of this user",
    "model": "to this model",
    "provider": "to this provider",
    "project": "in this project (its path, or the end of it)",
    "branch": "on this branch",
    "session": "of this session (task)",
    "agent": "of this agent within its task",
    "skill": "of this skill",
}
"""Options that are conditions, and what they choose."""
_DIMENSIONS = {"session": "task"}


@dataclass(frozen=True, kw_only=True)
class ChoiceOptions:
    """Which calls, as it was typed; all where nothing was."""

    team: tuple[str, ...] = ()
    app: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    skill: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    def conditions(self) -> "tuple[Condition, ...]":
        """What calls must fit.

        Raises:
            UserError: a `--where` is no condition, or it names a person whose figures are not shown.
        """
        from modicum.insights.scoping.call_choice import parse_conditions
        from modicum.insights.scoping.persons import check_persons
        from modicum.library.shown_figures import person_rule

        named = [(_DIMENSIONS.get(name, name), pattern) for name in NAMED for pattern in getattr(self, name)]
        for text in self.where:
            dimension, equals, pattern = text.rpartition("=") if text.startswith("tag:") else text.partition("=")
            if not equals or not dimension:
                raise UserError(f"--where {text}: write WHAT=NAME, as --where tier=batch or --where tag:feature=search")
            named.append((dimension, pattern))
        conditions = parse_conditions(named)
        if conditions:
            check_persons(conditions, person_rule(read_settings()))
        return conditions


def choice_options(command: Verb) -> Verb:
    """All options of `ChoiceOptions`."""
    command = click.option(
        "--where",
        multiple=True,
        metavar="WHAT=NAME",
        help="Only calls with this name in any dimension of --by: tier=batch, tag:feature=search, work=test.",
    )(command)
    for name, what in reversed(NAMED.items()):
        command = click.option(
            f"--{name}",
            multiple=True,
            metavar="NAME",
            help=f"Only calls {what}; may come again, and hold *.",
        )(command)
    return command
