"""Budgets that were raised for a while: who approved it, until when, and why. Events and their fold.

Pure, as all verdicts. A raise ends by itself: nobody has to remember to take it back.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from modicum.calls import AuditEvent, Owner
from modicum.governance.budgets import EACH, Budget, LimitUnit

EVENT_KIND = "budget"


class RaiseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A budget was raised until a moment, or a raise was ended before that."""

    what: Literal["raised", "ended"]
    raise_id: str
    budget: str
    """Its name."""
    at: datetime
    by: str
    """Who did it."""
    unit: LimitUnit = LimitUnit.USD
    limit: int = 0
    """In billionths of a dollar, or the budget's other unit; with `raised` only. So are the following."""
    until: datetime | None = None
    of: tuple[str, ...] = ()
    """Whose sum, of a budget that is one for each name; empty: all of them."""
    approved_by: str = ""
    why: str = ""
    team: str = ""
    """Whose budget it is; empty: it is not of one team."""

    @property
    def event_id(self) -> str:
        """The same wherever the event has come to."""
        return f"budget:{self.raise_id}:{self.what}:{self.at.isoformat()}"


def raised(
    budget: Budget, limit: int, of: tuple[str, ...], at: datetime, until: datetime, by: str, approved_by: str, why: str
) -> RaiseEvent:
    """The event that raises a budget."""
    return RaiseEvent(
        what="raised",
        raise_id=secrets.token_hex(6),
        budget=budget.name,
        at=at,
        by=by,
        unit=budget.unit,
        limit=limit,
        until=until,
        of=of,
        approved_by=approved_by,
        why=why,
        team="" if budget.team == EACH else budget.team,
    )


class Raises:
    """The fold of all events. They may come in any order and more than once, as several hosts hand them on."""

    def __init__(self, events: Iterable[RaiseEvent] = ()) -> None:
        unique = {event.event_id: event for event in events}.values()
        ended = {event.raise_id for event in unique if event.what == "ended"}
        self._by_budget: dict[str, list[RaiseEvent]] = {}
        for event in unique:
            if event.what == "raised" and event.raise_id not in ended:
                self._by_budget.setdefault(event.budget, []).append(event)

    def in_force(self, budget: Budget, at: datetime, of: tuple[str, ...] | None = None) -> Sequence[RaiseEvent]:
        """The raises of a budget that hold at a moment: those of one of its sums, or (None) of any."""
        return [
            event
            for event in self._by_budget.get(budget.name, ())
            if event.unit is budget.unit
            and event.until is not None
            and event.at <= at < event.until
            and (of is None or not event.of or event.of == of)
        ]

    def has_any(self, budget: Budget) -> bool:
        """Whether a budget was raised at any time, by its name."""
        return budget.name in self._by_budget

    def limit_of(self, budget: Budget, of: tuple[str, ...], at: datetime) -> int:
        """The limit of one of a budget's sums at a moment: never below what the settings say."""
        if not self.has_any(budget):
            return budget.limit
        return max(budget.limit, *(event.limit for event in self.in_force(budget, at, of)), 0)


def raised_to(budget: Budget, limit: int) -> Budget:
    """The budget with another limit. Where calls go to a cheaper model, and where agents are shown what is left, moves
    along.
    """
    if limit == budget.limit:
        return budget
    former = budget.limit or limit  # of nothing every share is nothing
    above, below = (share * limit // former for share in (budget.downgrade_above, budget.agent_line_below))
    return msgspec.structs.replace(budget, limit=limit, downgrade_above=above, agent_line_below=below)


def audit_raises(events: Iterable[RaiseEvent]) -> list[AuditEvent]:
    """The events as the audit log has them."""
    lines = []
    for event in events:
        details = {"raise": event.raise_id}
        if event.what == "raised" and event.until is not None:
            details |= {"unit": event.unit.value, "limit": f"{event.limit}", "until": event.until.isoformat()}
            details |= {"of": " ".join(event.of), "approved_by": event.approved_by, "why": event.why}
        lines.append(
            AuditEvent(
                event_id=event.event_id,
                at=event.at,
                by=event.by,
                kind=EVENT_KIND,
                what=event.what,
                subject=event.budget,
                owner=Owner(team=event.team),
                details=details,
            )
        )
    return lines
