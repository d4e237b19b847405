"""Experiments as events: started, found safe, rolled back, kept, stopped, each with who, when and why. The state is
their fold.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from modicum.calls import AuditEvent, UserError
from modicum.experiments.experiment import Experiment, ExperimentState, check_experiment
from modicum.ledger.events import EventFile

EVENT_KIND = "experiment"
BY_ITSELF = "modicum"
"""Who decides where nobody did."""
What = Literal["started", "safe", "rolled_back", "kept", "stopped"]
_ENDS: dict[What, ExperimentState] = {
    "rolled_back": ExperimentState.ROLLED_BACK,
    "kept": ExperimentState.KEPT,
    "stopped": ExperimentState.STOPPED,
}


class ExperimentEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    what: What
    """`safe`: a loss beyond the margin is ruled out; the experiment goes on."""
    name: str
    at: datetime
    by: str
    why: str = ""
    definition: Experiment | None = None
    """With `started` only."""
    of: datetime | None = None
    """When the experiment started that this is about, so that a late event does not end a new one of that name."""


class Experiments:
    """The fold of all events: the newest experiment of each name."""

    def __init__(self, events: Iterable[ExperimentEvent] = ()) -> None:
        self._by_name: dict[str, Experiment] = {}
        self._safe: dict[str, str] = {}
        for event in events:
            self._apply(event)

    def all(self) -> list[Experiment]:
        return list(self._by_name.values())

    def running(self) -> list[Experiment]:
        return [one for one in self._by_name.values() if one.state is ExperimentState.RUNNING]

    def applied(self) -> list[Experiment]:
        """Those that concern calls: running, kept, and rules and plans that are not applied any more."""
        return [
            one for one in self._by_name.values() if one.state is not ExperimentState.STOPPED or one.kind != "model"
        ]

    def why_safe(self, name: str) -> str:
        """Why a loss beyond the margin was ruled out; empty if it was not (yet)."""
        return self._safe.get(name, "")

    def named(self, name: str) -> Experiment:
        """The newest experiment of that name.

        Raises:
            UserError: there is none.
        """
        if (one := self._by_name.get(name)) is None:
            names = ", ".join(self._by_name) or "none was started yet"
            raise UserError(f"there is no experiment '{name}' (there are: {names}); see 'modicum experiment --help'")
        return one

    def check_start(self, one: Experiment) -> None:
        """Whether it may start beside the others.

        Raises:
            UserError: it is wrong in itself, or another one of that name or about the same is running.
        """
        check_experiment(one)
        for other in self.running():
            if other.name == one.name:
                raise UserError(
                    f"the experiment '{one.name}' is running; end it with 'modicum experiment stop {one.name}', or "
                    "take another name"
                )
            if (other.kind, other.subject) == (one.kind, one.subject):
                raise UserError(
                    f"the experiment '{other.name}' is about the {one.kind} '{one.subject}' too: two at once could not "
                    f"be told apart; end it with 'modicum experiment stop {other.name}'"
                )

    def _apply(self, event: ExperimentEvent) -> None:
        if event.what == "started":
            if event.definition is not None:
                # What is about the same and over gives way: else its end would hold against the new one.
                self._by_name = {
                    name: one
                    for name, one in self._by_name.items()
                    if one.state is ExperimentState.RUNNING
                    or (one.kind, one.subject) != (event.definition.kind, event.definition.subject)
                }
                self._by_name[event.name] = event.definition
                self._safe.pop(event.name, None)
            return
        one = self._by_name.get(event.name)
        if one is None or (event.of is not None and event.of != one.started_at):
            return
        if event.what == "safe":
            self._safe.setdefault(event.name, event.why)
        elif one.state in {ExperimentState.RUNNING, ExperimentState.KEPT}:
            self._by_name[event.name] = msgspec.structs.replace(
                one, state=_ENDS[event.what], ended_at=event.at, why=event.why
            )


def audit_experiments(events: Iterable[ExperimentEvent]) -> list[AuditEvent]:
    """The events as the audit log has them, in order."""
    return [
        AuditEvent(
            event_id=f"experiment:{event.name}:{event.what}:{event.at.isoformat()}",
            at=event.at,
            by=event.by,
            kind=EVENT_KIND,
            what=event.what,
            subject=event.name,
            details={"why": event.why} | _definition(event.definition),
        )
        for event in events
    ]


def _definition(one: Experiment | None) -> dict[str, str]:
    if one is None:
        return {}
    return {
        "kind": one.kind.value,
        "subject": one.subject,
        "to": one.to,
        "outcome": one.outcome,
        "margin": f"{one.margin:g}",
        "hold_out": f"{one.hold_out:g}",
        "settle_s": f"{one.settle_s:g}",
        "estimated_saving": "" if one.estimated_saving is None else f"{one.estimated_saving:.4f}",
        "why_not_estimated": one.why_not_estimated,
    }


def read_experiments(events: EventFile) -> Experiments:
    """All experiments, as they stand.

    Raises:
        UserError: an event cannot be read.
    """
    try:
        return Experiments(events.read(EVENT_KIND, ExperimentEvent))
    except UserError as error:
        raise UserError(f"{error}; was it written by a newer version of modicum?") from None
