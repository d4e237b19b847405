"""One setting changed in a settings file that people write: nothing else in it changes, comments stay."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modicum.calls import UserError
from modicum.settings.settings_file import read_settings

_VALUE = r"(?:true|false|\[[^\]\n#]*\])"


def with_setting(text: str, table: str, key: str, value: bool | Sequence[str]) -> str:
    """The text of a settings file with that value in it.

    Raises:
        UserError: it cannot be put there without touching anything else, or the text is no TOML.
    """
    written = _toml(value)
    changed = _edited(text, table, key, written)
    try:
        before, after = tomllib.loads(text), tomllib.loads(changed)
    except tomllib.TOMLDecodeError:
        before, after = {}, {}
    expected = dict(before)
    inside = dict(expected.get(table, {})) if isinstance(expected.get(table, {}), Mapping) else {}
    inside[key] = value if isinstance(value, bool) else list(value)
    expected[table] = inside
    if after != expected:
        raise UserError(
            f"the settings file is written in a way that is not changed here: write {key} = {written} under [{table}]"
        )
    return changed


def change_setting(path: Path, table: str, key: str, value: bool | Sequence[str]) -> None:
    """Changes a settings file, whole or not at all, if the settings are right with it.

    Raises:
        UserError: the file cannot be read, written or changed, or the settings would be wrong.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        text = path.read_text(encoding="utf-8")
        changed = with_setting(text, table, key, value)
        fresh.write_text(changed, encoding="utf-8")
        fresh.chmod(path.stat().st_mode & 0o777)
        read_settings({"MODICUM_CONFIG": str(fresh)})
        fresh.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the setting was not changed: {error}") from None
    finally:
        fresh.unlink(missing_ok=True)


def _edited(text: str, table: str, key: str, written: str) -> str:
    lines = text.splitlines(keepends=True)
    header = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(#.*)?$")
    at = next((number for number, line in enumerate(lines) if header.match(line.rstrip("\r\n"))), None)
    if at is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}\n[{table}]\n{key} = {written}\n"
    end = next((number for number in range(at + 1, len(lines)) if lines[number].lstrip().startswith("[")), len(lines))
    for number in range(at + 1, end):
        if found := re.match(rf"(\s*{re.escape(key)}\s*=\s*){_VALUE}(.*)$", lines[number], re.DOTALL):
            lines[number] = f"{found[1]}{written}{found[2]}"
            return "".join(lines)
    if not lines[at].endswith("\n"):
        lines[at] += "\n"
    lines.insert(at + 1, f"{key} = {written}\n")
    return "".join(lines)


def _toml(value: bool | Sequence[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"[{', '.join(_quoted(one) for one in value)}]"


def _quoted(text: str) -> str:
    if re.search(r'["\\\x00-\x1f\x7f]', text):
        raise UserError(f"'{text:.80}' is no name that can be written into the settings")
    return f'"{text}"'


def change_of(what_if: str, settings: Any) -> tuple[str, str, bool | tuple[str, ...]] | None:
    """The setting that makes a replayed change real: table, key and value. None: no setting of the gateway does, or it
    is set already.
    """
    name, _, value = what_if.partition("=")
    optimize = settings.optimize
    if what_if == "keep_warm=auto" and not optimize.keep_warm:
        return "optimize", "keep_warm", True
    if name == "rules" and "." in value and value not in optimize.on:
        return "optimize", "on", (*optimize.on, value)
    return None
