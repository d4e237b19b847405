"""Rows of answers as CSV: a column for each field, by its name in `--json`; lists are left to that."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from modicum.cli.terminal import output

PLAIN = (str, int, float, Decimal, Enum, datetime, type(None))


def print_struct_rows(rows: Iterable[msgspec.Struct | Mapping[str, Any]], but: Sequence[str] = ()) -> None:
    """The plain fields of each row; those of a struct within it are columns of their own, as `ratio.low`.

    Args:
        rows: what is printed; not all need have every field.
        but: fields that are too long for a cell.
    """
    own = [_flatten(row, "", but) for row in rows]
    names = dict.fromkeys(name for row in own for name in row)
    output.print_csv([*names], [[_cell(row.get(name)) for name in names] for row in own])


def _flatten(row: msgspec.Struct | Mapping[str, Any], before: str, but: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    fields = row if isinstance(row, Mapping) else {name: getattr(row, name) for name in row.__struct_fields__}
    for name, value in fields.items():
        if name in but:
            continue
        if isinstance(value, msgspec.Struct):
            found |= _flatten(value, f"{before}{name}.", but)
        elif isinstance(value, PLAIN):
            found[f"{before}{name}"] = value
    return found


def _cell(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value
