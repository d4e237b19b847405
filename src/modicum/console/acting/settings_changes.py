"""Changes of the settings: written into the file that people write, on record, and taken back as they were made."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from modicum.calls import UserError
from modicum.console.access.viewer import ForbiddenError
from modicum.console.acting.decisions import decide, read_events
from modicum.console.asking import Asking
from modicum.console.page import with_command
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role
from modicum.governance.settings_log import EVENT_KIND, SettingsEvent, audit_settings, standing_changes
from modicum.settings.editing.changes import MadeChange, SettingsChange, change_of, make_change

MOST_SHOWN = 20
KEEP_DAYS = "keep_days"
"""The setting of how long calls are kept; it stands above all tables."""


def can_apply(asking: Asking, what_if: str) -> bool:
    """Whether there is a setting of the gateway that makes this change, in a file that this viewer may write."""
    settings = asking.settings()
    may = asking.viewer.may(Role.EDITOR, TokenScope.SETTINGS, EVERY_TEAM)
    return may and bool(settings.file) and change_of(what_if, settings) is not None


def apply_change(asking: Asking, what_if: str) -> SettingsEvent:
    """Writes the setting that makes a replayed change real; what was written.

    Raises:
        ForbiddenError: the viewer may not.
        UserError: there is none for that change, or the file cannot be changed.
    """
    asking.viewer.insist(Role.EDITOR, TokenScope.SETTINGS, EVERY_TEAM)
    path = settings_file(asking)
    change = change_of(what_if, asking.sources.read_settings())
    if change is None:
        raise UserError(f"no setting of the gateway makes '{what_if:.80}', or it is set already")
    return write_change(asking, path, change)


def write_change(
    asking: Asking, path: Path, change: SettingsChange, expected: str | None = None, team: str = ""
) -> SettingsEvent:
    """Makes a change that the viewer may make, and puts it on record; `team`: whose budget it is about.

    Raises:
        ChangedMeanwhileError: something else stands there than was expected, as JSON.
        UserError: it cannot be made.
    """
    made = make_change(path, change, expected)
    return decide(asking, EVENT_KIND, SettingsEvent, lambda _former: _event(asking, made, team), audit_settings)


def undo_change(asking: Asking, change_id: str) -> SettingsEvent:
    """Takes a change back, if what it wrote still stands there.

    Raises:
        ForbiddenError: the viewer may not.
        ChangedMeanwhileError: something else stands there now.
        UserError: there is no such change, or it was taken back already.
    """
    asking.viewer.insist(Role.EDITOR, TokenScope.SETTINGS, EVERY_TEAM)
    made = next((one for one in read_changes(asking) if one.change_id == change_id), None)
    if made is None:
        raise UserError("that change was taken back already, or never made: open the page again")
    if not _may_undo(asking, made):
        raise ForbiddenError("how long calls are kept is decided by owners: ask one to take it back")
    before = msgspec.json.decode(made.before) if made.before else None
    back = SettingsChange(table=made.table, key=made.key, row=made.row, value=before)
    make_change(settings_file(asking), back, made.now)
    undone = msgspec.structs.replace(
        made, what="undone", at=datetime.now(UTC), by=asking.viewer.name, before=made.now, now=made.before
    )
    return decide(asking, EVENT_KIND, SettingsEvent, lambda _former: undone, audit_settings)


def read_changes(asking: Asking) -> list[SettingsEvent]:
    """Changes that stand, the newest first."""
    return standing_changes(read_events(asking.sources.state, EVENT_KIND, SettingsEvent))


def changes_to_undo(asking: Asking) -> list[SettingsEvent]:
    """Changes that the viewer may take back, the newest first."""
    return [one for one in read_changes(asking) if _may_undo(asking, one)][:MOST_SHOWN]


def settings_file(asking: Asking) -> Path:
    """The file that changes are written into.

    Raises:
        UserError: there is none.
    """
    file = asking.sources.read_settings().file
    if not file:
        raise UserError(
            with_command(
                "there is no settings file to write it into: ask whoever runs it to have one made", "modicum init"
            )
        )
    return Path(file)


def _event(asking: Asking, made: MadeChange, team: str) -> SettingsEvent:
    change = made.change
    return SettingsEvent(
        what="changed",
        change_id=secrets.token_hex(6),
        at=datetime.now(UTC),
        by=asking.viewer.name,
        table=change.table,
        key=change.key,
        row=change.row,
        before=made.before,
        now=made.now,
        team=team,
    )


def _may_undo(asking: Asking, made: SettingsEvent) -> bool:
    """How long calls are kept is a matter of owners; all else of editors."""
    viewer = asking.viewer
    if made.key == KEEP_DAYS and not made.table:
        return viewer.may(Role.OWNER, TokenScope.USERS, EVERY_TEAM)
    return viewer.may(Role.EDITOR, TokenScope.SETTINGS, EVERY_TEAM)
