"""The experiments of one gateway, from its file of events, with what the ledger says of them."""

from datetime import datetime
from pathlib import Path

import msgspec

from modicum.experiments.decisions import Experiments, read_experiments
from modicum.experiments.experiment import Experiment
from modicum.experiments.grader import read_tasks
from modicum.experiments.grading import Grade, grade
from modicum.experiments.savings import Saving, measure_saving
from modicum.ledger.events import EventFile
from modicum.ledger.store import Store

EVENTS = "events.sqlite"


class GradedExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment with its grade and what it saved."""

    experiment: Experiment
    grade: Grade
    saving: Saving
    why_safe: str
    """Why it was found safe; empty: it was not."""


def read_graded(store: Store, folder: Path) -> list[GradedExperiment]:
    """All experiments, the newest first; none where none was started.

    Args:
        store: the ledger.
        folder: of the gateway's state.

    Raises:
        UserError: an event cannot be read.
    """
    experiments = _read(folder)
    graded = []
    for one in sorted(experiments.all(), key=lambda one: one.started_at, reverse=True):
        tasks = read_tasks(store, one)
        found = grade(one, tasks)
        graded.append(
            GradedExperiment(
                experiment=one,
                grade=found,
                saving=measure_saving(one, tasks, found),
                why_safe=experiments.why_safe(one.name) or "",
            )
        )
    return graded


def read_recorded_savings(store: Store, folder: Path, span: tuple[datetime, datetime] | None = None) -> list[Saving]:
    """What each experiment saved, over all of its tasks; none where none was started.

    Args:
        store: the ledger.
        folder: of the gateway's state.
        span: only those that ran in that time.
    """
    experiments = _read(folder).all()
    if span is not None:
        experiments = [one for one in experiments if _ran_within(one, *span)]
    savings = []
    for one in experiments:
        tasks = read_tasks(store, one)
        savings.append(measure_saving(one, tasks, grade(one, tasks)))
    return savings


def _read(folder: Path) -> Experiments:
    path = folder / EVENTS
    if not path.exists():
        return Experiments()
    events = EventFile(path)
    try:
        return read_experiments(events)
    finally:
        events.close()


def _ran_within(one: Experiment, since: datetime, until: datetime) -> bool:
    return one.started_at < until and (one.ended_at is None or one.ended_at >= since)
