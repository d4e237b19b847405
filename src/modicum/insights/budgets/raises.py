"""What people have decided about budgets, from the file of events."""

from pathlib import Path

from modicum.governance.budget_raises import EVENT_KIND, RaiseEvent
from modicum.ledger.events import EventFile

EVENTS = "events.sqlite"


def read_raises(folder: Path) -> list[RaiseEvent]:
    """All, in order. `folder`: of the gateway's state.

    Raises:
        UserError: they cannot be read.
    """
    events = EventFile(folder / EVENTS)
    try:
        found: list[RaiseEvent] = events.read(EVENT_KIND, RaiseEvent)
        return found
    finally:
        events.close()
