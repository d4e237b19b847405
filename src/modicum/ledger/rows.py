"""What stores give and take: rows, arrays per column, and values per column on their way in."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from modicum.calls.outside.storable import storable

if TYPE_CHECKING:
    import numpy.typing as npt

Row = dict[str, Any]
"""One row of an answer: value by name of the column. Times are UTC with zone, money is Decimal."""
Arrays = dict[str, "npt.NDArray[Any]"]
"""An answer of millions of rows: an array by name of the column."""
Columns = dict[str, list[Any]]
"""Records to be booked: values by name of the column, all of one length."""

_encode = msgspec.json.Encoder(order="sorted").encode


def storable_columns(columns: Columns) -> Columns:
    """The columns without half characters, which neither engine takes: one bad name must not lose a batch."""
    for values in columns.values():
        with suppress(TypeError):  # not all of them are texts
            if "".join(values).isascii():
                continue
        for place, value in enumerate(values):
            if isinstance(value, str):
                if not value.isascii():
                    values[place] = storable(value)
            elif value is not None:
                break  # a column of something else
    return columns


def json_text(names: Mapping[str, Any] | Sequence[str]) -> str:
    """A column's value for several texts."""
    try:
        return _encode(names).decode()
    except UnicodeEncodeError:
        if isinstance(names, Mapping):
            return _encode(
                {storable(name): storable(value) if isinstance(value, str) else value for name, value in names.items()}
            ).decode()
        return _encode([storable(name) for name in names]).decode()
