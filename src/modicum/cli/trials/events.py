"""Events of trials in the file of events: written before the first task, and after the last."""

from typing import TYPE_CHECKING

from modicum.settings import state_folder

if TYPE_CHECKING:
    from modicum.experiments.trials.trial_log import TrialEvent

_EVENTS = "events.sqlite"


def read_trial_events() -> "list[TrialEvent]":
    from modicum.experiments.trials.trial_log import EVENT_KIND, TrialEvent
    from modicum.ledger.events import EventFile

    events = EventFile(state_folder() / _EVENTS)
    try:
        return events.read(EVENT_KIND, TrialEvent)
    finally:
        events.close()


def append_trial_event(event: "TrialEvent") -> None:
    """Returns when it is on the disk."""
    from modicum.experiments.trials.trial_log import EVENT_KIND
    from modicum.ledger.events import EventFile

    events = EventFile(state_folder() / _EVENTS)
    try:
        events.append(EVENT_KIND, event)
    finally:
        events.close()
