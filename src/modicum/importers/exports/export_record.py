"""What the exports of platforms have in common: one record for each call, as JSON lines, a JSON array, a page of an
API's answer, or CSV with JSON in its cells.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Basis, Call, Problem, Segment
from modicum.calls.words.counted_nouns import number_of
from modicum.context.logged_order import LoggedOrder
from modicum.importers.files import MOST_LINE_BYTES, blocks, head, records
from modicum.importers.format import Found, Reading
from modicum.providers.message_blocks import context_blocks, reply_blocks
from modicum.providers.opentelemetry.span_tree import standing

PAGES = ("data", "runs", "observations", "calls")
"""Fields in which the answer of an API holds its records."""

_KEY = re.compile(rb'(?<!\\)"([\w.]+)"\s*:')
Record = Mapping[str, Any]
ReadRecord = Callable[[Record], "Recorded | None"]
Unfold = Callable[[Record], Iterable[Record]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record of an export: a call with what it sent, or a step that only stands between calls."""

    call: Call | None
    messages: Any = None
    tools: Any = None
    system: Any = None
    span: str = ""
    parent: str = ""
    """Where records form a tree: the place of this one. A record that sums up the calls below it is no call."""
    segments: Sequence[Segment] = ()
    """The whole context, where the export itself has it in segments."""
    reply: Any = None
    """What the model answered: a body, messages, or a text. It is part of no context yet, but it is listened to."""


def read_export(
    path: Path, reading: Reading, read_record: ReadRecord, unfold: Unfold = lambda record: [record]
) -> Found:
    """The calls of a file. `read_record` gives None for a record that has nothing to do with calls, and raises
    ValueError for bad data; `unfold` gives the records inside a record.
    """
    yield from gather(path, reading, _placed(path, read_record, unfold))


def gather(path: Path, reading: Reading, found: Iterator[Recorded | Problem]) -> Found:
    """The calls among the records of a file: without those that sum up others, and with anatomy if it is asked for."""
    segmenter = reading.segmenter()
    held: list[Recorded] = []
    tree: dict[str, str] = {}
    calls = problems = 0
    for record in found:
        if isinstance(record, Problem):
            problems += 1
            yield record
            continue
        if record.span:
            tree[record.span] = record.parent
        if record.call is None:
            continue
        calls += 1
        if reading.anatomy:
            blocks = context_blocks(record.messages, record.tools, record.system)
            segments = record.segments or segmenter.context(blocks, record.call.model)
            segmenter.on_reply(record.call.call_id, reply_blocks(record.reply), record.call.model)
            held.append(Recorded(record.call, span=record.span, parent=record.parent, segments=segments))
        elif record.span:
            held.append(Recorded(msgspec.structs.replace(record.call, anatomy=None), span=record.span))
        else:
            yield msgspec.structs.replace(record.call, anatomy=None) if record.call.anatomy else record.call
    if not calls and not problems:
        yield Problem(str(path), "none of its records is a call to a model")
    order = LoggedOrder()
    for record in without_sums(held, tree):
        if record.call is not None:
            order.add(record.call, record.segments)
    yield from order.calls()


def without_sums(held: Sequence[Recorded], tree: Mapping[str, str]) -> list[Recorded]:
    """The calls, each counted where it is nearest to the provider. `tree`: the place of each record and of the one
    above it.
    """
    placed = {record.span for record in held if record.span}
    known = {record.span for record in held if record.span and _is_known(record)}
    counted = standing(placed, known, tree)
    return [record for record in held if not record.span or record.span in counted]


def _is_known(record: Recorded) -> bool:
    return record.call is not None and record.call.usage_basis is not Basis.UNKNOWN


def _placed(path: Path, read_record: ReadRecord, unfold: Unfold) -> Iterator[Recorded | Problem]:
    for found in export_records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, outer = found
        for record in unfold(outer):
            try:
                recorded = read_record(record)
            except (ValueError, RecursionError) as error:  # the texts of these errors name fields, never content
                yield Problem(str(path), f"not counted: {error}", number)
                continue
            if recorded is not None:
                yield recorded


def export_records(path: Path) -> Iterator[tuple[int | None, Record] | Problem]:
    """The records of an export, with the number of the line or item that holds each."""
    start = head(path)
    if isinstance(start, Problem):
        yield start
        return
    if _is_table(start):
        yield from _table(path)
        return
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, record = found
        page = next((record[name] for name in PAGES if isinstance(record.get(name), list)), None)
        if page is None or "id" in record or "request_id" in record:
            yield number, record
            continue
        yield from ((number, item) for item in page if isinstance(item, Mapping))


@lru_cache(maxsize=4)
def fields_in(start: bytes) -> frozenset[str]:
    """The names of the fields that the beginning of an export shows, at whatever depth, or its CSV columns."""
    if _is_table(start):
        first_line = start.split(b"\n", 1)[0].decode("utf-8-sig", "replace")
        return frozenset(_cells(first_line))
    return frozenset(name.decode() for name in _KEY.findall(start))


def _is_table(start: bytes) -> bool:
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in {b"{", b"["}


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


class _Lines:
    """The lines of a file as texts, and what was wrong with them so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[str]:
        for block in blocks(self.path):
            if isinstance(block, Problem):
                self.problems.append(block)
                continue
            for number, line in enumerate(_split(block.data), block.first_line):
                self.number = number
                try:
                    yield line.decode("utf-8-sig")
                except UnicodeDecodeError:
                    self.complain("not valid UTF-8")

    def complain(self, reason: str) -> None:
        self.problems.append(Problem(str(self.path), reason, self.number))


def _table(path: Path) -> Iterator[tuple[int, Record] | Problem]:
    """The rows of a CSV file. A cell may hold line breaks, so a row is numbered by the line on which it ends."""
    csv.field_size_limit(MOST_LINE_BYTES)
    texts = _Lines(path)
    rows = csv.reader(iter(texts), strict=True)
    columns: list[str] = []
    row: list[str] | None = []
    while row is not None:
        try:
            row = next(rows, None)
        except csv.Error as error:
            texts.complain(f"not valid CSV: {error}")
            row = []
        if row and columns and len(row) != len(columns):
            texts.complain(f"{number_of(len(row), 'cell')} where the head has {len(columns)}")
        elif row and columns:
            yield texts.number, dict(zip(columns, row, strict=True))
        elif row:
            columns = row
        yield from texts.problems
        texts.problems.clear()


def _split(data: bytes) -> Iterator[bytes]:
    """Lines with their ends, split at line feeds alone: other breaks belong to cells, and are not counted as lines."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end
