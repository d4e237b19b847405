from datetime import UTC, datetime

from modicum.experiments.trials.saver_trial import SaverTask, SaverTrial
from modicum.experiments.trials.trial_log import audit_trials, planned_event

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_what_was_fixed_stands_in_the_audit_log():
    trial = SaverTrial(saver="s", command=["c"], tasks=[SaverTask(task="t")], margin=0.02, seed=9)
    (event,) = audit_trials([planned_event(trial, NOON, "ann")])

    assert (event.kind, event.what, event.subject, event.by, event.at) == ("trial", "planned", "s", "ann", NOON)
    assert event.details["digest"] == trial.digest
    assert (event.details["margin"], event.details["measure"], event.details["seed"]) == ("0.02", "cost_usd", "9")
