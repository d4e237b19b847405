"""Cells of CSV files, which people open with a spreadsheet."""

import csv
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any, TextIO

from modicum.calls.outside.one_line import one_line

_FORMULA = r"(?:^|(?<=;))\s*[=+\-@\uff1d\uff0b\uff0d\uff20]"
"""How a cell of a spreadsheet begins that is worked out, and not shown. Some take a semicolon for the end of the cell
before it, whatever the file's own separator is."""
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
# Both are compiled when the first CSV is written: no table needs them, and compiling takes two milliseconds.


def write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One row of names, then the rows."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([csv_cell(column) for column in columns])
    writer.writerows([csv_cell(value) for value in row] for row in rows)


def csv_cell(value: Any) -> Any:
    """A name is no formula: callers choose names, and a spreadsheet would run what begins like one. Numbers stay."""
    if isinstance(value, Decimal):
        return f"{value:f}"  # never 6.00E-8
    if isinstance(value, float) and isfinite(value):
        return f"{Decimal(f'{value:.12g}'):f}"  # without the last bits of a sum
    return _text_cell(value) if isinstance(value, str) else value


@lru_cache(maxsize=20_000)
def _text_cell(value: str) -> str:
    """Of a text. Kept, since a file has the same names again and again."""
    if re.fullmatch(_NUMBER, value):
        return value
    return re.sub(_FORMULA, r"'\g<0>", one_line(value))  # a carriage return within would begin another row
