"""The part of a ledger that fits conditions such as a team or a model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from modicum.calls import UserError
from modicum.insights.scoping.call_choice import find_names
from modicum.ledger.asking.conditions import COLUMNS

if TYPE_CHECKING:
    from modicum.insights.scoping.call_choice import Condition
    from modicum.ledger.asking.choosing import NamedCalls  # it loads duckdb
    from modicum.ledger.store import Store


@contextmanager
def choose_for_questions(
    store: "Store", conditions: "Sequence[Condition]", zone: ZoneInfo
) -> "Iterator[tuple[Store, dict[str, str]]]":
    """A ledger to ask about calls one by one, and the `where` to ask with. One name in each dimension is left to the
    ledger's own SQL; patterns that fit several are chosen before, in memory.

    Raises:
        UserError: no call fits one of them.
    """
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
    from modicum.ledger.asking.choosing import choose_calls  # it loads duckdb: only where something is chosen

    part = choose_calls(store, _find_chosen(store, conditions, zone), whole_conversations=whole_conversations)
    try:
        if not part.ask("holdings"):
            raise UserError("no call fits all of these conditions; leave one out")
        yield part
    finally:
        part.close()


def _find_chosen(store: "Store", conditions: "Sequence[Condition]", zone: ZoneInfo) -> "list[NamedCalls]":
    """The names that there are, of each condition."""
    from modicum.ledger.asking.choosing import NamedCalls  # it loads duckdb

    chosen = []
    for one in conditions:
        names = [row["name"] for row in store.ask("names", by=one.by, tag=one.tag, zone=zone.key)]
        chosen.append(NamedCalls(one.by, one.tag, zone.key, tuple(find_names(one, names))))
    return chosen
