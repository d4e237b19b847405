"""How long calls are kept, set from a page."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from modicum.calls import UserError
from modicum.console.acting.settings_changes import KEEP_DAYS, changes_to_undo, settings_file, write_change
from modicum.console.asking import Asking
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role
from modicum.governance.settings_log import SettingsEvent
from modicum.settings.editing.changes import ChangedMeanwhileError, SettingsChange
from modicum.settings.editing.settings_text import SettingPlace, value_at
from modicum.settings.table import MOST_KEEP_DAYS


class Retention(NamedTuple):
    """What the page of users shows of it."""

    keep_days: int
    """After how many days calls are forgotten; 0: never."""
    can_be_set: bool
    """Whether there is a settings file to write it into."""
    changes: Sequence[SettingsEvent]
    """That can be taken back, the newest first."""


def read_retention(asking: Asking) -> Retention:
    """How long calls are kept, for an owner of the console."""
    settings = asking.settings()
    changes = [one for one in changes_to_undo(asking) if not one.table and one.key == KEEP_DAYS]
    return Retention(settings.keep_days, bool(settings.file), changes)


def set_keep_days(asking: Asking, typed: str, looked_at: str) -> SettingsEvent:
    """Has calls forgotten after so many days, from the next import on. Until then it can be taken back without a loss.

    Args:
        asking: of who sets it.
        typed: the days; empty: calls are kept for good.
        looked_at: the days that the page showed.

    Raises:
        ForbiddenError: the viewer is no owner of the console.
        ChangedMeanwhileError: they are no longer what the page showed.
        UserError: those are no days, or the file cannot be changed.
    """
    asking.viewer.insist(Role.OWNER, TokenScope.USERS, EVERY_TEAM)
    days, path = _parse_days(typed.strip()), settings_file(asking)
    stands = value_at(path.read_text("utf-8"), SettingPlace("", KEEP_DAYS))
    if str(stands or 0) != looked_at:
        now = f"{stands} days" if stands else "for good"
        raise ChangedMeanwhileError(f"how long calls are kept was changed meanwhile: it is {now} now; look again")
    expected = "" if stands is None else msgspec.json.encode(stands).decode()
    return write_change(asking, path, SettingsChange(table="", key=KEEP_DAYS, value=days), expected)


def _parse_days(typed: str) -> int | None:
    if not typed:
        return None
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= len(str(MOST_KEEP_DAYS))
    if not is_number or not 1 <= int(typed) <= MOST_KEEP_DAYS:
        raise UserError(
            f"'{typed:.20}' are no days: write a number from 1 to {MOST_KEEP_DAYS:,}, or nothing to keep all"
        )
    return int(typed)
