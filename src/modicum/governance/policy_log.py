"""What changed in a policy, by whom and when: events, and their fold, so that the audit log shows every change."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from modicum.calls.audit_event import AuditEvent
from modicum.governance.budgets import Budget
from modicum.governance.policy import CallPolicy

EVENT_KIND = "policy"


class PolicyEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a policy was added, changed or removed."""

    what: Literal["added", "changed", "removed"]
    part: str
    """`clause NAME`, `budget NAME`, `outcome NAME`, `data classes`, `owner classes`."""
    at: datetime
    by: str
    definition: str = ""
    """What holds from then on, as JSON."""
    former: str = ""
    """What held before."""


def parts_of(
    policy: CallPolicy, budgets: Iterable[Budget] = (), outcomes: Mapping[str, object] | None = None
) -> dict[str, str]:
    """A policy by its parts, each as JSON. `outcomes`: what it says of outcomes, by their name."""
    parts = {f"clause {one.name}": _json(one) for one in policy.clauses}
    parts |= {f"budget {one.name}": _json(one) for one in budgets}
    parts |= {f"outcome {name}": _json(one) for name, one in (outcomes or {}).items()}
    if policy.data_classes:
        parts["data classes"] = _json({"classes": policy.data_classes, "unnamed": policy.unnamed_class})
    if policy.owner_classes:
        parts["owner classes"] = _json(policy.owner_classes)
    return parts


def fold_policy(events: Iterable[PolicyEvent]) -> dict[str, str]:
    """The parts that hold after all events."""
    parts: dict[str, str] = {}
    for event in events:
        if event.what == "removed":
            parts.pop(event.part, None)
        else:
            parts[event.part] = event.definition
    return parts


def changes_between(former: Mapping[str, str], now: Mapping[str, str], at: datetime, by: str) -> list[PolicyEvent]:
    """The events that make one policy of another."""
    events = []
    for part in dict.fromkeys((*former, *now)):
        before, after = former.get(part, ""), now.get(part, "")
        if before != after:
            what: Literal["added", "changed", "removed"] = "changed"
            what = "added" if not before else "removed" if not after else what
            events.append(PolicyEvent(what=what, part=part, at=at, by=by, definition=after, former=before))
    return events


def audit_policy(events: Iterable[PolicyEvent]) -> list[AuditEvent]:
    """The events as the audit log has them, in order."""
    return [
        AuditEvent(
            event_id=f"policy:{event.part}:{event.what}:{event.at.isoformat()}",
            at=event.at,
            by=event.by,
            kind=EVENT_KIND,
            what=event.what,
            subject=event.part,
            details={"now": event.definition, "before": event.former},
        )
        for event in events
    ]


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
