"""Rows of CSV files, plain or packed, with their places; what is no CSV or no text is a problem and ends nothing."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.importers.files import blocks


def csv_rows(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]] | Problem]:
    """The rows that hold anything, the header first, with the number of the line on which each ends."""
    broken: list[Problem] = []

    def texts() -> Iterator[str]:
        for _, line in text_lines(path):
            if isinstance(line, Problem):
                broken.append(line)
                yield "\n"  # so that the reader's line numbers stay true
            else:
                yield line

    reader = csv.reader(texts(), strict=True, delimiter=delimiter)
    for row in _rows(reader, path):
        yield row if isinstance(row, Problem) else (reader.line_num, row)
    yield from broken


def _rows(reader: Any, path: Path) -> Iterator[list[str] | Problem]:
    """Rows that hold anything; one that is no CSV does not end the reading."""
    while True:
        try:
            if cells := next(reader):
                yield cells
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(str(path), f"no CSV row: {error}", reader.line_num)


def text_lines(path: Path) -> Iterator[tuple[int, str | Problem]]:
    """The lines as text, with their ends and their numbers from 1."""
    number = 0
    for block in blocks(path):
        if isinstance(block, Problem):
            yield block.line or 0, block
            continue
        for number, line in enumerate(block.data.splitlines(keepends=True), block.first_line):
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                yield number, Problem(str(path), "bytes that are no UTF-8", number)
