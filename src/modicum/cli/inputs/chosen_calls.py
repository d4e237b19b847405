"""`--team`, `--model`, `--project` and the other conditions: one place for every verb that reads calls."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from modicum.calls import UserError
from modicum.cli.shared_options import Verb
from modicum.settings import read_settings

if TYPE_CHECKING:
    from modicum.insights.scoping.call_choice import Condition
    from modicum.ledger.asking.choosing import NamedCalls
    from modicum.ledger.store import Store

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
        from modicum.cli.inputs.shown_figures import person_rule
        from modicum.insights.scoping.call_choice import parse_conditions
        from modicum.insights.scoping.persons import check_persons

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


@contextmanager
def choose_for_questions(
    store: "Store", conditions: "Sequence[Condition]", zone: ZoneInfo
) -> "Iterator[tuple[Store, dict[str, str]]]":
    """A ledger to ask about calls one by one, and the `where` to ask with. One name in each dimension is left to the
    ledger's own SQL; patterns that fit several are chosen before, in memory.

    Raises:
        UserError: no call fits one of them.
    """
    from modicum.ledger.asking.conditions import COLUMNS

    chosen = _find_chosen(store, conditions, zone)
    if all(len(one.names) == 1 and (one.tag or one.by in COLUMNS) for one in chosen):
        yield store, {f"tag:{one.tag}" if one.tag else one.by: one.names[0] for one in chosen}
        return
    with choose_from(store, conditions, zone, whole_conversations=False) as part:
        yield part, {}


@contextmanager
def choose_from(
    store: "Store", conditions: "Sequence[Condition]", zone: ZoneInfo, *, whole_conversations: bool = True
) -> "Iterator[Store]":
    """The part of a ledger that fits; the ledger itself where there is no condition.

    Args:
        store: the ledger.
        conditions: of the options.
        zone: in which days begin.
        whole_conversations: for verbs that look at contexts: a conversation is in or out by its first call.

    Raises:
        UserError: no call fits one of them.
    """
    if not conditions:
        yield store
        return
    from modicum.ledger.asking.choosing import choose_calls

    part = choose_calls(store, _find_chosen(store, conditions, zone), whole_conversations=whole_conversations)
    try:
        if not part.ask("holdings"):
            raise UserError("no call fits all of these conditions; leave one out")
        yield part
    finally:
        part.close()


def _find_chosen(store: "Store", conditions: "Sequence[Condition]", zone: ZoneInfo) -> "list[NamedCalls]":
    """The names that there are, of each condition."""
    from modicum.insights.scoping.call_choice import find_names
    from modicum.ledger.asking.choosing import NamedCalls

    chosen = []
    for one in conditions:
        names = [row["name"] for row in store.ask("names", by=one.by, tag=one.tag, zone=zone.key)]
        chosen.append(NamedCalls(one.by, one.tag, zone.key, tuple(find_names(one, names))))
    return chosen
