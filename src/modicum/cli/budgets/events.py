"""The budgets of the settings and what people decided about them, for the verbs of `modicum budget`."""

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.governance.budget_raises import EVENT_KIND, RaiseEvent
from modicum.governance.budgets import Budget
from modicum.insights.budgets.raises import EVENTS, read_raises
from modicum.ledger.events import EventFile
from modicum.settings import Settings, budgets_of, state_folder


def declared_budget(settings: Settings, name: str) -> Budget:
    """The budget of that name.

    Raises:
        UserError: there is none.
    """
    budgets = {one.name: one for one in budgets_of(settings.budget, settings.timezone, settings.energy)}
    if not budgets:
        place = settings.file or "modicum.toml ('modicum init' writes one)"
        raise UserError(f"no budget is set: add [[budget]] to {place}; docs/budgets.md has examples")
    if name not in budgets:
        raise unknown_name("budget", name, list(budgets))
    return budgets[name]


def read_events() -> list[RaiseEvent]:
    """All, in order."""
    return read_raises(state_folder())


def append_event(event: RaiseEvent) -> None:
    """Returns when it is on the disk."""
    events = EventFile(state_folder() / EVENTS)
    try:
        events.append(EVENT_KIND, event)
    finally:
        events.close()
