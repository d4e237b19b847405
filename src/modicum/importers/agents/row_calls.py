"""The calls of a log whose rows stand for themselves: what is wrong with a row is its problem, and the next is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Call, Problem
from modicum.importers.format import Found

Row = Mapping[str, Any]
Rows = Iterable[tuple[int | None, Row] | Problem]


def row_calls(path: Path, rows: Rows, calls_of: Callable[[Row], Iterator[Call]]) -> Found:
    """The calls of each row. `calls_of` raises ValueError where a row cannot be counted, and says why."""
    for found in rows:
        if isinstance(found, Problem):
            yield found
            continue
        number, row = found
        try:
            yield from calls_of(row)
        except (ValueError, RecursionError) as error:
            yield Problem(str(path), f"not counted: {error}", number)
