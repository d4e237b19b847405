"""Changes of settings that can be made and taken back: one setting, or one row of a table."""

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.settings.editing.settings_text import (
    SettingPlace,
    SettingValue,
    edit_settings,
    find_row,
    value_at,
    with_row,
    with_setting,
    without_row,
)
from modicum.settings.table import Settings
from modicum.settings.upstreams import USUAL_UPSTREAMS

REPLY_CACHE = "reply_cache=1h"
"""No change that is replayed: the remedy of the finding of repeated requests."""


class ChangedMeanwhileError(UserError):
    """Somebody else was faster: nothing was changed."""


class SettingsChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to stand in the settings."""

    table: str
    key: str = ""
    """Empty: it is a whole row of the table."""
    row: str = ""
    """The name of the row that it is in."""
    value: Any
    """Of the setting, or the fields of the row; None: nothing is to stand there."""


class MadeChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was made: what stood there and what stands there now, as JSON; empty for nothing."""

    change: SettingsChange
    before: str
    now: str


def make_change(path: Path, change: SettingsChange, expected: str | None = None) -> MadeChange:
    """Writes a change into a settings file, whole or not at all.

    Args:
        path: the file.
        change: what is to stand in it.
        expected: what has to stand there before, as JSON; None: whatever does.

    Raises:
        UserError: something else stands there, or the file cannot be changed, or the settings would be wrong.
    """
    before: list[str] = []

    def edit(text: str) -> str:
        row = _row_of(text, change, expected)
        before.append(_standing(text, change, row))
        if expected is not None and before[0] != expected:
            raise ChangedMeanwhileError(
                f"{change.table} {change.row or change.key} was changed meanwhile: it is {before[0] or 'not set'} now; "
                "look again before you change it"
            )
        if change.key:
            if change.row and row is None:
                raise UserError(f"there is no {change.table} '{change.row}' in the settings file any more")
            return with_setting(text, SettingPlace(change.table, change.key, row), change.value)
        if change.value is not None:
            return with_row(text, change.table, change.value)
        if row is None:
            raise UserError(f"there is no such row of {change.table} in the settings file any more")
        return without_row(text, change.table, row)

    edit_settings(path, edit)
    return MadeChange(change=change, before=before[0], now=_json(change.value))


def change_of(what_if: str, settings: Settings) -> SettingsChange | None:
    """The setting that makes a replayed change real. None: no setting of the gateway does, or it is set already."""
    name, _, value = what_if.partition("=")
    optimize = settings.optimize
    if what_if == "keep_warm=auto" and not optimize.keep_warm:
        return SettingsChange(table="optimize", key="keep_warm", value=True)
    if what_if == "cache_ttl=by_pauses" and optimize.cache_ttl != "choose":
        return SettingsChange(table="optimize", key="cache_ttl", value="choose")
    if name == "rules" and "." in value and value not in optimize.on:
        return SettingsChange(table="optimize", key="on", value=[*optimize.on, value])
    if what_if == REPLY_CACHE and not settings.reply_cache:
        return SettingsChange(table="reply_cache", value={"seconds": 3600})
    if name.startswith("model:") and value:
        upstreams = settings.upstreams or USUAL_UPSTREAMS
        upstream = next(
            (
                one
                for one, declared in upstreams.items()
                if any(fnmatchcase(value, pattern) for pattern in declared.models)
            ),
            None,
        )
        target = f"{upstream}/{value}"
        if upstream is not None and settings.models.get(name.removeprefix("model:")) != target:
            return SettingsChange(table="models", key=name.removeprefix("model:"), value=target)
    return None


def _row_of(text: str, change: SettingsChange, expected: str | None) -> int | None:
    """The row that a change is in; a row that is to go is known by all that stands in it."""
    if not change.key and change.value is None and expected:
        return find_row(text, change.table, lambda row: _json(row) == expected)
    return find_row(text, change.table, lambda row: row.get("name") == change.row) if change.row else None


def _standing(text: str, change: SettingsChange, row: int | None) -> str:
    """What stands in the place of a change, as JSON; empty: nothing."""
    if change.key:
        lost = bool(change.row) and row is None
        return "" if lost else _json(value_at(text, SettingPlace(change.table, change.key, row)))
    return "" if row is None else _json(tomllib.loads(text)[change.table][row])


def _json(value: SettingValue | Mapping[str, Any] | None) -> str:
    return "" if value is None else msgspec.json.encode(value, order="sorted").decode()
