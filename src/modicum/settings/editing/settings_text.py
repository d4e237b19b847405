"""One setting changed in a settings file that people write: nothing else in it changes, comments stay."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modicum.calls import UserError
from modicum.ledger.file_lock import FileLock
from modicum.settings.folders import state_folder
from modicum.settings.settings_file import read_settings

SettingValue = bool | int | float | str | Sequence[str]
LOCKED_WITHIN_S = 5.0
_VALUE = r"""(?:true|false|\[[^\]\n#]*\]|[-+]?[0-9][0-9_.eE+-]*|"[^"\\\n]*"|'[^'\n]*')"""
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


_ABOVE = -1
"""In the place of the line of a header: settings above all tables."""


class SettingPlace(NamedTuple):
    """Where a setting stands: `[table] key`, or `key` of one of the rows `[[table]]`."""

    table: str
    """Empty: above all tables."""
    key: str
    row: int | None = None
    """Which of the rows, from 0."""


def with_setting(text: str, place: SettingPlace, value: SettingValue | None) -> str:
    """The text of a settings file with that value in it; None: without that setting.

    Raises:
        UserError: it cannot be put there without touching anything else, or the text is no TOML.
    """
    table, key, row = place
    written = "" if value is None else toml_value(value)
    header = f"under [{table}]" if row is None else f"under [[{table}]]"
    header = header if table else "above all tables"
    by_hand = f"write {key} = {written} {header}" if written else f"take out {key} {header}"

    def expect(document: dict[str, Any]) -> None:
        inside = _inside(document, place) if row is not None or not table else document.setdefault(table, {})
        if value is None:
            inside.pop(key, None)
        else:
            inside[key] = list(value) if isinstance(value, tuple | list) else value

    return _checked(text, _edited(text, place, written), expect, by_hand)


def with_row(text: str, table: str, fields: Mapping[str, SettingValue]) -> str:
    """The text with one more row `[[table]]` at its end.

    Raises:
        UserError: as above.
    """
    lines = "".join(f"{_key(key)} = {toml_value(value)}\n" for key, value in fields.items())
    gap = "" if not text or text.endswith("\n") else "\n"
    row = {key: list(value) if isinstance(value, tuple | list) else value for key, value in fields.items()}

    def expect(document: dict[str, Any]) -> None:
        document[table] = [*document.get(table, []), row]

    shown = ", ".join(lines.splitlines())
    return _checked(text, f"{text}{gap}\n[[{table}]]\n{lines}", expect, f"add [[{table}]] with {shown}")


def without_row(text: str, table: str, row: int) -> str:
    """The text without one of its rows `[[table]]`; comments in front of what follows stay.

    Raises:
        UserError: as above.
    """
    lines = text.splitlines(keepends=True)
    at = _header_of(lines, SettingPlace(table, "", row))
    changed = text
    if at is not None:
        end = _end_of(lines, at)
        while end > at + 1 and end < len(lines) and not lines[end - 1].strip().rstrip("\r\n").partition("#")[0]:
            end -= 1
        changed = "".join(lines[:at] + lines[end:])

    def expect(document: dict[str, Any]) -> None:
        del document[table][row]
        if not document[table]:
            del document[table]

    return _checked(text, changed, expect, f"take it out of [[{table}]]")


def edit_settings(path: Path, edit: Callable[[str], str]) -> None:
    """Changes a settings file, whole or not at all, if the settings are right with it. Others who change it this way
    wait.

    Raises:
        UserError: the file cannot be read, written or changed, or the settings would be wrong; or from `edit`.
    """
    fresh = path.with_name(f".{path.name}.new")
    held = FileLock(state_folder() / "settings.lock")
    try:
        if not held.acquire(LOCKED_WITHIN_S):
            raise UserError("somebody else is changing the settings just now: do it again in a moment")
        text = path.read_bytes().decode("utf-8")
        fresh.write_bytes(edit(text).encode("utf-8"))
        fresh.chmod(path.stat().st_mode & 0o777)
        _check_settings(fresh, path)
        fresh.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the setting was not changed: {error}") from None
    finally:
        fresh.unlink(missing_ok=True)
        held.release()


def _check_settings(fresh: Path, path: Path) -> None:
    """Raises:
    UserError: the settings would be wrong; it names the file that people know.
    """
    try:
        read_settings({"MODICUM_CONFIG": str(fresh)})
    except UserError as error:
        raise UserError(str(error).replace(str(fresh), str(path))) from None


def value_at(text: str, place: SettingPlace) -> Any:
    """What stands there; None: nothing does."""
    try:
        document = tomllib.loads(text)
        return _inside(document, place).get(place.key)
    except (tomllib.TOMLDecodeError, AttributeError, IndexError, KeyError, TypeError):
        return None


def _inside(document: dict[str, Any], place: SettingPlace) -> Any:
    """The table or row of a setting."""
    table: Any = document.get(place.table, {}) if place.table else document
    return table if place.row is None else table[place.row]


def find_row(text: str, table: str, fits: Callable[[Mapping[str, Any]], bool]) -> int | None:
    """The first row `[[table]]` that fits; None: there is none."""
    try:
        rows = tomllib.loads(text).get(table, [])
    except tomllib.TOMLDecodeError:
        return None
    is_rows = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    return next((number for number, row in enumerate(rows) if fits(row)), None) if is_rows else None


def _checked(text: str, changed: str, expect: Callable[[dict[str, Any]], None], by_hand: str) -> str:
    """The changed text, if it says what is expected and nothing else."""
    try:
        expected, after = tomllib.loads(text), tomllib.loads(changed)
        expect(expected)
    except (tomllib.TOMLDecodeError, AttributeError, IndexError, KeyError, TypeError):
        expected, after = {}, {"": ""}
    if _without_empty(after) != _without_empty(expected):
        raise UserError(f"the settings file is written in a way that is not changed here: {by_hand}")
    return changed


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """A table without any setting says nothing."""
    return {name: value for name, value in document.items() if value != {}}


def _edited(text: str, place: SettingPlace, written: str) -> str:
    lines = text.splitlines(keepends=True)
    key = _key(place.key)
    at = _header_of(lines, place) if place.table else _ABOVE
    if at is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}\n[{place.table}]\n{key} = {written}\n"
    names = "|".join(re.escape(one) for one in (key, place.key, f'"{place.key}"'))
    for number in range(at + 1, _end_of(lines, at)):
        if found := re.match(rf"(\s*(?:{names})\s*=\s*){_VALUE}(.*)$", lines[number], re.DOTALL):
            if written:
                lines[number] = f"{found[1]}{written}{found[2]}"
            else:
                del lines[number]
            return "".join(lines)
    if not written:
        return text
    if at != _ABOVE and not lines[at].endswith("\n"):
        lines[at] += "\n"
    lines.insert(at + 1, f"{key} = {written}\n")
    return "".join(lines)


def _header_of(lines: Sequence[str], place: SettingPlace) -> int | None:
    """The line of `[table]`, or of the row that is meant of `[[table]]`."""
    inside = rf"\s*{re.escape(place.table)}\s*"
    header = re.compile(rf"\s*\[{inside}\]\s*(#.*)?$" if place.row is None else rf"\s*\[\[{inside}\]\]\s*(#.*)?$")
    every = [number for number, line in enumerate(lines) if header.match(line.rstrip("\r\n"))]
    which = place.row or 0
    return every[which] if which < len(every) else None


def _end_of(lines: Sequence[str], at: int) -> int:
    """The line of the next header."""
    return next((number for number in range(at + 1, len(lines)) if lines[number].lstrip().startswith("[")), len(lines))


def _key(key: str) -> str:
    return key if _BARE.match(key) else _quoted(key)


def toml_value(value: SettingValue) -> str:
    """A value as a settings file has it.

    Raises:
        UserError: it cannot be written there.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    return f"[{', '.join(_quoted(one) for one in value)}]"


def _quoted(text: str) -> str:
    if re.search(r'["\\\x00-\x1f\x7f]', text):
        raise UserError(f"'{text:.80}' is no name that can be written into the settings")
    return f'"{text}"'
