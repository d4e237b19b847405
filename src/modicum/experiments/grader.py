"""Grades running experiments from the ledger, and decides by itself what can be decided: it is one process's work, the
one that holds the ledger. What it decides is an event, which gateways see at once and the audit log shows.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from modicum.experiments.decisions import BY_ITSELF, EVENT_KIND, ExperimentEvent, Experiments, What
from modicum.experiments.experiment import Arm, Experiment
from modicum.experiments.gate import Verdict
from modicum.experiments.grading import Grade, TrialTask, grade
from modicum.ledger.events import EventFile
from modicum.ledger.rows import Row
from modicum.ledger.store import Store

EVERY_S = 5.0
"""How often experiments are graded, at most."""
MOST_OF_TIME = 0.05
"""Share of the time that may go into grading: others wait for the ledger meanwhile."""
_ARMS = frozenset(Arm)


def read_tasks(store: Store, one: Experiment, now: datetime | None = None) -> list[TrialTask]:
    """The experiment's tasks so far; those that began before it or are too young to be graded are left out, and so are
    tasks whose calls name two arms.
    """
    last = one.ended_at or now or datetime.now(UTC)
    rows = store.ask(
        "experiment_tasks",
        tag=one.tag,
        rule=one.rule_name,
        outcome=one.outcome,
        since=one.started_at,
        until=last - timedelta(seconds=one.settle_s),
    )
    return [_task(row) for row in rows if row["arm_low"] == row["arm_high"] and row["arm_low"] in _ARMS]


def grade_from_ledger(store: Store, one: Experiment, now: datetime | None = None) -> Grade:
    """What the ledger says of an experiment."""
    return grade(one, read_tasks(store, one, now))


class Grader:
    """Grades what runs, now and then.

    Args:
        events: where experiments are started and ended.
        log: takes a line on each decision.
    """

    def __init__(self, events: EventFile, log: Callable[[str], None]) -> None:
        self._events, self._log = events, log
        self._next = 0.0
        self._last_event = -1
        self._experiments = Experiments()

    def grade_running(self, store: Store) -> None:
        """Grades all that run, if it is time again.

        Raises:
            UserError: an event cannot be read, or the ledger not asked.
        """
        if monotonic() < self._next:
            return
        begun = monotonic()
        self._next = begun + EVERY_S
        if (last := self._events.last()) != self._last_event:
            self._experiments = Experiments(self._events.read(EVENT_KIND, ExperimentEvent))
            self._last_event = last
        for one in self._experiments.running():
            event = self._decide(one, grade_from_ledger(store, one))
            if event is not None:
                self._events.append(EVENT_KIND, event)
                self._log(f"experiment '{one.name}' {event.what.replace('_', ' ')}: {event.why}")
        self._next = max(self._next, begun + (monotonic() - begun) / MOST_OF_TIME)

    def _decide(self, one: Experiment, found: Grade) -> ExperimentEvent | None:
        if found.verdict is Verdict.GO_ON:
            return None
        if found.verdict is Verdict.SAFE and self._experiments.why_safe(one.name):
            return None
        return ExperimentEvent(
            what=_WHAT[found.verdict],
            name=one.name,
            at=datetime.now(UTC),
            by=BY_ITSELF,
            why=found.why,
            of=one.started_at,
        )


_WHAT: dict[Verdict, What] = {Verdict.SAFE: "safe", Verdict.ROLL_BACK: "rolled_back", Verdict.STOP: "stopped"}


def _task(row: Row) -> TrialTask:
    tokens, cost = row["effective_tokens"], row["cost_usd"]
    return TrialTask(
        task=row["task"],
        arm=Arm(row["arm_low"]),
        began=row["began"],
        calls=int(row["calls"]),
        calls_failed=int(row["calls_failed"]),
        calls_concerned=int(row["calls_concerned"]),
        calls_applied=int(row["calls_applied"]),
        effective_tokens=None if tokens is None else float(tokens),
        cost_usd=None if cost is None else float(cost),
        outcome_low=row["value_low"],
        outcome_high=row["value_high"],
    )
