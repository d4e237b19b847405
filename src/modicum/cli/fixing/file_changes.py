"""What a file of a user's becomes when a setting or a sentence is put into it: pure, bytes in and bytes out."""

import json
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from modicum.calls import UserError

BOM = b"\xef\xbb\xbf"
INDENTS: tuple[int | str, ...] = (2, 4, "\t")
"""In which JSON is written, as far as a file does not show another."""


class ChangedFile(NamedTuple):
    content: bytes
    """The whole file; as it was where nothing is to be added."""
    left_out: tuple[str, ...] = ()
    """What stays as the user has it, and why."""


def change_file(kind: str, before: bytes | None, paste: str, name: str) -> ChangedFile:
    """The file with the paste in it; what it has already is left alone.

    Args:
        kind: `json`, `toml` or `markdown`.
        before: the file as it is; None: there is none.
        paste: what goes into it.
        name: of the file, for errors.

    Raises:
        UserError: the file is not what it should be, so that nothing can be added to it.
    """
    content = before or b""
    mark = BOM if content.startswith(BOM) else b""
    try:
        text = content[len(mark) :].decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{name} is no text in UTF-8, so nothing is changed in it") from None
    changed, left_out = _CHANGES[kind](text, paste, name)
    return ChangedFile(content if changed == text else mark + changed.encode("utf-8"), left_out)


def _change_json(text: str, paste: str, name: str) -> tuple[str, tuple[str, ...]]:
    settings: Any = _parse_json(text, name) if text.strip() else {}
    if not isinstance(settings, dict):
        raise UserError(f"{name} is no JSON object, so nothing is changed in it")
    indent, end = _find_style(text, settings)
    left_out: list[str] = []
    if not _merge(settings, json.loads("{" + paste + "}"), "", left_out):
        return text, tuple(left_out)
    return json.dumps(settings, indent=indent, ensure_ascii=False) + end, tuple(left_out)


def _parse_json(text: str, name: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands in it twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is no plain JSON ({error}), so nothing is changed in it") from None


def _find_style(text: str, settings: Any) -> tuple[int | str, str]:
    """The indent and the end of a file, where writing it anew gives just that file."""
    end = "\n" if not text or text.endswith("\n") else ""
    for indent in INDENTS:
        if json.dumps(settings, indent=indent, ensure_ascii=False) + end == text:
            return indent, end
    return INDENTS[0], end


def _merge(settings: dict[str, Any], added: Mapping[str, Any], path: str, left_out: list[str]) -> bool:
    """Whether anything was added; what the user has set otherwise stays, and is named."""
    changed = False
    for key, value in added.items():
        place = f"{path}.{key}" if path else key
        if key not in settings:
            settings[key] = value
            changed = True
        elif isinstance(settings[key], dict) and isinstance(value, dict):
            changed |= _merge(settings[key], value, place, left_out)
        elif settings[key] != value:
            left_out.append(f"{place} is {json.dumps(settings[key])} already, and stays")
    return changed


def _change_toml(text: str, paste: str, name: str) -> tuple[str, tuple[str, ...]]:
    try:
        settings = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{name} is no TOML ({error}), so nothing is changed in it") from None
    ((key, value),) = tomllib.loads(paste).items()
    if key in settings:
        same = settings[key] == value
        return text, () if same else (f"{key} is {json.dumps(settings[key], default=str)} already, and stays",)
    # In front: behind the first table it would belong to that.
    return f"{paste}\n{text}", ()


def _change_markdown(text: str, paste: str, name: str) -> tuple[str, tuple[str, ...]]:
    del name
    if paste in text:
        return text, ()
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{paste}\n", ()


_CHANGES = {"json": _change_json, "toml": _change_toml, "markdown": _change_markdown}
