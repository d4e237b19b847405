"""A replayed change made real: written into the settings, and on record in the ledger's log."""

from datetime import UTC, datetime
from pathlib import Path

from modicum.calls import AuditEvent, UserError
from modicum.console.asking import Asking
from modicum.ledger.records import AUDIT_EVENTS
from modicum.settings.editing import change_of, change_setting

EVENT_KIND = "settings"


def can_apply(asking: Asking, what_if: str) -> bool:
    """Whether there is a setting of the gateway that makes this change, in a file that can be written."""
    settings = asking.settings()
    return bool(settings.file) and change_of(what_if, settings) is not None


def apply_change(asking: Asking, what_if: str) -> str:
    """Writes the setting; says what was written.

    Raises:
        UserError: there is none for that change, or the file cannot be changed.
    """
    settings = asking.sources.read_settings()
    if not settings.file:
        raise UserError("there is no settings file to write it into: 'modicum init' writes one; then apply it again")
    change = change_of(what_if, settings)
    if change is None:
        raise UserError(f"no setting of the gateway makes '{what_if:.80}', or it is set already")
    table, key, value = change
    change_setting(Path(settings.file), table, key, value)
    now, words = datetime.now(UTC), f"{table}.{key}"
    event = AuditEvent(
        event_id=f"{EVENT_KIND}:{words}:{now.isoformat()}",
        at=now,
        by=asking.viewer.name,
        kind=EVENT_KIND,
        what="changed",
        subject=words,
        details={"now": f"{value}".lower() if isinstance(value, bool) else " ".join(value), "from": "console"},
    )
    asking.unchecked(lambda store: store.append_records(AUDIT_EVENTS, [event]))
    asking.forget()
    return f"{words} is set in {settings.file}"
