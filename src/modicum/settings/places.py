"""Where in a settings file something stands, and what is accepted there: for messages about wrong values."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from modicum.calls.errors import accepted_are


def line_of_row(text: str, table: str, index: int, key: str) -> str:
    """`:7`, the line of a key in the `[[table]]` that comes as the `index`th; where it is not there, the row's own."""
    count, is_inside, place = -1, False, ""
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip()
        if plain.startswith("["):
            is_row = plain.startswith("[[") and plain.strip("[] ") == table
            count += is_row
            is_inside = is_row and count == index
            place = f":{number}" if is_inside else place
        elif is_inside and plain.partition("=")[0].strip() == key:
            return f":{number}"
    return place


def line_of(text: str, message: str) -> str:
    """`:3`, where the message names a key that stands on line 3."""
    for number, line in enumerate(text.splitlines(), 1):
        key = line.partition("=")[0].strip()
        if key and not key.startswith("#") and (f"`{key}`" in message or f".{key}`" in message or key == message):
            return f":{number}"
    return ""


def list_accepted(message: str, usual: Any, tables: Mapping[str, Any]) -> str:
    """The names and types of the table that a message of msgspec is about. `tables`: by how places in them begin."""
    table = usual
    for place, type_ in tables.items():
        if place in message:
            table = type_
    fields = msgspec.structs.fields(table)
    hidden = {"file", "policy_rules"}
    return accepted_are(f"{field.name} ({_shown_type(field.type)})" for field in fields if field.name not in hidden)


def _shown_type(kind: Any) -> str:
    """A type as a line of settings may have it: `int`, `list of str`, or the words that are accepted. TOML has no None:
    what may be None may be left out.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f'"{word}"' for word in inner)
    if origin in {Union, UnionType}:
        return " or ".join(_shown_type(one) for one in inner if one is not NoneType)
    if origin is tuple:
        return f"list of {_shown_type(inner[0])}"
    if origin is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return "table"
    return str(getattr(kind, "__name__", kind))
