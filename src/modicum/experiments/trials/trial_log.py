"""Trials as events of governance: what was fixed before the first task, and what came of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from modicum.calls import AuditEvent
from modicum.calls.words.counted_nouns import number_of
from modicum.experiments.trials.saver_trial import SaverTrial
from modicum.experiments.trials.verdict import TrialVerdict

EVENT_KIND = "trial"


class TrialEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    what: Literal["planned", "judged"]
    saver: str
    digest: str
    """Of the plan: who has the record can check that it is this one."""
    at: datetime
    by: str
    details: dict[str, str] = {}


def planned_event(trial: SaverTrial, at: datetime, by: str) -> TrialEvent:
    details = {
        "margin": f"{trial.margin:g}",
        "measure": trial.measure,
        "seed": str(trial.seed),
        "tasks": str(len(trial.tasks)),
        "repeats": str(trial.repeats),
        "why": f"margin {trial.margin * 100:g} points, measure {trial.measure}, {number_of(len(trial.tasks), 'task')}, "
        f"seed {trial.seed}",
    }
    return TrialEvent(what="planned", saver=trial.saver, digest=trial.digest, at=at, by=by, details=details)


def judged_event(trial: SaverTrial, verdict: TrialVerdict, at: datetime, by: str) -> TrialEvent:
    details = {"verdict": verdict.verdict, "runs": str(verdict.runs), "why": verdict.sentence}
    return TrialEvent(what="judged", saver=trial.saver, digest=trial.digest, at=at, by=by, details=details)


def audit_trials(events: Iterable[TrialEvent]) -> list[AuditEvent]:
    """The events as the audit log has them, in order."""
    return [
        AuditEvent(
            event_id=f"trial:{event.digest[:16]}:{event.what}:{event.at.isoformat()}",
            at=event.at,
            by=event.by,
            kind=EVENT_KIND,
            what=event.what,
            subject=event.saver,
            details={"digest": event.digest} | event.details,
        )
        for event in events
    ]
