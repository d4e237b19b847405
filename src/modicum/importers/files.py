"""Files and folders as people have them: plain or packed, huge, cut off, with holes, unreadable, linked in circles.

What a file costs to read is bounded by its size: a small document does not become a large structure.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.importers.array_items import TOO_MUCH, array_items, holds_too_much
from modicum.importers.line_values import HOLE, SPACE, values
from modicum.importers.unpacking import pieces
from modicum.providers.json_values import decoded

HEAD_BYTES = 64 * 1024
BLOCK_BYTES = 16 * 1024 * 1024
ITEM_PIECE_BYTES = 1024 * 1024
MOST_LINE_BYTES = 64 * 1024 * 1024
MOST_DOCUMENT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class LineChunk:
    """Whole lines of a file, without splitting them: `data[start:end]` of each is found by the reader."""

    data: bytes
    first_line: int

    def line_at(self, offset: int) -> int:
        """Number of the line that holds `offset`, from 1."""
        return self.first_line + self.data.count(b"\n", 0, offset)


def head(path: Path) -> bytes | Problem:
    """The first 64 KB, unpacked, or as much as there is; a hole of NUL bytes before them is passed over."""
    found = b""
    passed = 0
    for piece in pieces(path, HEAD_BYTES):
        if isinstance(piece, Problem):
            return found or piece
        found = found + piece if found else piece.lstrip(SPACE)
        passed += len(piece)
        if len(found) >= HEAD_BYTES or passed > MOST_LINE_BYTES:
            break
    return found


def blocks(path: Path) -> Iterator[LineChunk | Problem]:
    """The file in pieces of whole lines, at most about 16 MB each; a longer line comes as a piece of its own.

    A line above 64 MB is a problem and is left out. Of a cut-off gzip file all that can be unpacked is given, then the
    problem.
    """
    line = 1
    before = rest = b""
    skipping = False
    failure: Problem | None = None
    for piece in pieces(path, BLOCK_BYTES):
        if isinstance(piece, Problem):
            failure = piece
            break
        data = piece
        if skipping:
            end = data.find(b"\n")
            if end < 0:
                continue
            data, skipping, line = data[end + 1 :], False, line + 1
        end = data.rfind(b"\n")
        if end < 0:
            rest += data
            if len(rest) > MOST_LINE_BYTES:
                line += before.count(b"\n")
                before = b""
                yield Problem(str(path), f"the line is longer than {MOST_LINE_BYTES >> 20} MB; left out", line)
                rest, skipping = b"", True
            continue
        line += before.count(b"\n")  # most files are one block, and are never counted
        before = rest + data[: end + 1] if rest else data[: end + 1]
        rest = data[end + 1 :]
        yield LineChunk(before, line)
    if rest and not skipping:
        yield LineChunk(rest, line + before.count(b"\n"))
    if failure:
        yield failure


def lines(path: Path) -> Iterator[tuple[int, bytes] | Problem]:
    """The lines of a file that are not empty, with their numbers from 1.

    A line on which several JSON values stand comes once for each; one with a hole is a problem beside what it holds.
    """
    for block in blocks(path):
        if isinstance(block, Problem):
            yield block
            continue
        for number, line in enumerate(block.data.split(b"\n"), block.first_line):
            if not (stripped := line.strip()):
                continue
            if b"\x00" in stripped:
                yield Problem(str(path), HOLE, number)
            for value in values(stripped):
                if holds_too_much(value):
                    yield Problem(str(path), TOO_MUCH, number)
                else:
                    yield number, value


def document(path: Path) -> Any | Problem:
    """The whole file as one JSON document."""
    data = b""
    for piece in pieces(path, BLOCK_BYTES):
        if isinstance(piece, Problem):
            return piece
        data += piece
        if len(data) > MOST_DOCUMENT_BYTES:
            break
    if len(data) > MOST_DOCUMENT_BYTES:
        return Problem(str(path), f"the document is larger than {MOST_DOCUMENT_BYTES >> 30} GB; export it as lines")
    if holds_too_much(data):
        return Problem(str(path), TOO_MUCH)
    try:
        return decoded(data)
    except (ValueError, RecursionError) as error:
        return _no_json(path, error, getattr(error, "lineno", None))


def _no_json(path: Path, error: ValueError | RecursionError, line: int | None) -> Problem:
    if isinstance(error, RecursionError):
        return Problem(str(path), "nested too deeply to be a log", line)
    if isinstance(error, UnicodeDecodeError):
        return Problem(str(path), "not valid UTF-8", line)
    return Problem(str(path), f"not valid JSON: {getattr(error, 'msg', 'a number is too long')}", line)


def records(path: Path) -> Iterator[tuple[int | None, dict[str, Any]] | Problem]:
    """The JSON objects of a file, whether it holds one a line, one array of them, or a single object.

    Exports come in all three shapes, often under one name. The number is that of the line, or of the item in an array.
    """
    start = head(path)
    if isinstance(start, Problem):
        yield start
        return
    if is_document(start):
        yield from _document_records(path, start)
        return
    for row in lines(path):
        if isinstance(row, Problem):
            yield row
            continue
        number, line = row
        yield _record(path, number, line)


def _document_records(path: Path, start: bytes) -> Iterator[tuple[int, dict[str, Any]] | Problem]:
    items: Iterator[tuple[int, Any] | Problem]
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        items = array_items(path, pieces(path, ITEM_PIECE_BYTES))
    else:
        whole = document(path)
        items = iter([whole if isinstance(whole, Problem) else (1, whole)])
    for found in items:
        if isinstance(found, Problem) or isinstance(found[1], dict):
            yield found
        else:
            yield Problem(str(path), f"item {found[0]} is no JSON object", None)


def is_document(start: bytes) -> bool:
    """Whether a file opens as one JSON document over several lines, or as an array, and not as rows."""
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return first[:1] == b"[" or (first[:1] == b"{" and not _is_one_line(first))


def _record(path: Path, number: int, line: bytes) -> tuple[int, dict[str, Any]] | Problem:
    try:
        item = decoded(line)
    except (ValueError, RecursionError) as error:
        return _no_json(path, error, number)
    if not isinstance(item, dict):
        return Problem(str(path), f"a JSON {type(item).__name__} where an object is expected", number)
    return number, item


def _is_one_line(first: bytes) -> bool:
    """Whether the first line is a whole object, or several (or too long to see its end)."""
    line, newline, _ = first.partition(b"\n")
    if not newline:
        return True
    for value in values(line.strip())[:1]:
        try:
            json.loads(value)
        except ValueError:
            return False
        except RecursionError:
            break  # whoever decodes the line says so
    return True
