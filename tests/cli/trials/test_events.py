from datetime import UTC, datetime

from modicum.cli.trials.events import append_trial_event, read_trial_events
from modicum.experiments.trials.trial_log import TrialEvent


def test_events_are_read_as_they_were_written(folder):
    event = TrialEvent(what="planned", saver="s", digest="d", at=datetime(2026, 1, 1, tzinfo=UTC), by="ann")
    append_trial_event(event)

    assert read_trial_events() == [event]
