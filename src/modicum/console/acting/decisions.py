"""Decisions on record: first in the file of events, which gateways follow, then in the ledger's log."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from modicum.calls import AuditEvent, UserError
from modicum.console.asking import Asking
from modicum.ledger.events import EventFile
from modicum.ledger.file_lock import FileLock
from modicum.ledger.records import AUDIT_EVENTS

T = TypeVar("T")
EVENTS, LOCK = "events.sqlite", "access.lock"
LOCKED_WITHIN_S = 5.0


def decide(
    asking: Asking,
    kind: str,
    type_: type[T],
    decision: Callable[[list[T]], T],
    audit: Callable[[list[T]], list[AuditEvent]],
) -> T:
    """Puts on record what `decision` makes of all events of that kind so far; nobody else decides meanwhile.

    Args:
        asking: of the one who decides; the ledger is told at once, or later by the process that ships to it.
        kind: of events.
        type_: of events.
        decision: the new event; it may refuse.
        audit: events as the log has them.

    Raises:
        UserError: from `decision`, or the event cannot be written.
    """
    state = asking.sources.state
    held = FileLock(state / LOCK)
    try:
        if not held.acquire(LOCKED_WITHIN_S):
            raise UserError("somebody else is deciding something just now: do it again in a moment")
        events = EventFile(state / EVENTS)
        try:
            former = events.read(kind, type_)
            event = decision(former)
            events.append(kind, event)
        finally:
            events.close()
    finally:
        held.release()
    lines = audit([*former, event])[-1:]
    with suppress(UserError):  # a ledger that is away takes over the file of events when it is back
        asking.unchecked(lambda store: store.append_records(AUDIT_EVENTS, lines))
    asking.forget()
    return event


def read_events(state: Path, kind: str, type_: Any) -> list[Any]:
    """All events of a kind, in order; none where nothing was decided yet."""
    if not (state / EVENTS).exists():
        return []
    events = EventFile(state / EVENTS)
    try:
        return events.read(kind, type_)
    finally:
        events.close()
