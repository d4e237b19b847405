"""What people changed in the settings by the console: events and their fold, so that each can be taken back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from modicum.calls.audit_event import AuditEvent
from modicum.calls.call import Owner

EVENT_KIND = "settings"


class SettingsEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A setting was changed, or a change was taken back."""

    what: Literal["changed", "undone"]
    change_id: str
    at: datetime
    by: str
    table: str
    key: str = ""
    """Empty: it is about a whole row of the table."""
    row: str = ""
    """The name of the row that it is in; empty: the table has none."""
    before: str = ""
    """What stood there, as JSON; empty: nothing did."""
    now: str = ""
    """What stands there since; empty: nothing."""
    team: str = ""
    """Of whose budget it is; empty: it concerns all teams."""

    @property
    def event_id(self) -> str:
        """The same wherever the event has come to."""
        return f"settings:{self.change_id}:{self.what}"

    @property
    def setting(self) -> str:
        """As people call it: `budget 'search-month' limit_usd`."""
        return " ".join(filter(None, (self.table, f"'{self.row}'" if self.row else "", self.key)))


def standing_changes(events: Iterable[SettingsEvent]) -> list[SettingsEvent]:
    """Changes that nobody took back, the newest first."""
    changes: dict[str, SettingsEvent] = {}
    for event in events:
        if event.what == "undone":
            changes.pop(event.change_id, None)
        else:
            changes[event.change_id] = event
    return list(reversed(changes.values()))


def audit_settings(events: Iterable[SettingsEvent]) -> list[AuditEvent]:
    """The events as the audit log has them, in order."""
    return [
        AuditEvent(
            event_id=event.event_id,
            at=event.at,
            by=event.by,
            kind=EVENT_KIND,
            what=event.what,
            subject=event.setting,
            owner=Owner(team=event.team),
            details={"now": event.now or "(none)", "before": event.before or "(none)", "change": event.change_id},
        )
        for event in events
    ]
