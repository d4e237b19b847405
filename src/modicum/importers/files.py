"""Files and folders as people have them: plain or gzipped, huge, cut off, unreadable, linked in circles, no files.

What a file costs to read is bounded by its size: a small gzip file does not become a large one, a small document no
large structure.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from modicum.calls import Problem
from modicum.calls.regular_file import open_regular
from modicum.importers.array_items import TOO_MUCH, array_items, holds_too_much
from modicum.providers.json_values import decoded

HEAD_BYTES = 64 * 1024
BLOCK_BYTES = 16 * 1024 * 1024
ITEM_PIECE_BYTES = 1024 * 1024
MOST_LINE_BYTES = 64 * 1024 * 1024
MOST_DOCUMENT_BYTES = 256 * 1024 * 1024
MOST_UNPACKED_TIMES = 200
"""What a gzip file may unpack to, in sizes of its own. Logs come to 5 to 50; zeros come to 1,000."""
UNPACKED_FREELY_BYTES = 64 * 1024 * 1024
"""Up to here any gzip file may unpack."""
LOG_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".db", ".sqlite")


@dataclass(frozen=True)
class LineChunk:
    """Whole lines of a file, without splitting them: `data[start:end]` of each is found by the reader."""

    data: bytes
    first_line: int

    def line_at(self, offset: int) -> int:
        """Number of the line that holds `offset`, from 1."""
        return self.first_line + self.data.count(b"\n", 0, offset)


def log_files(path: Path) -> Iterator[Path | Problem]:
    """The files below a folder whose names look like logs, in order; a file named by itself always counts.

    Links to folders are followed once, so that circles end.
    """
    if not path.exists():
        yield Problem(str(path), "there is no such file or folder")
        return
    if not path.is_dir():
        yield path
        return
    seen: set[tuple[int, int]] = set()
    problems: list[Problem] = []
    found_any = False

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), f"cannot be read: {error.strerror}"))

    for folder, subfolders, names in os.walk(path, followlinks=True, onerror=unreadable):
        place = os.stat(folder)  # noqa: PTH116 - os.walk's strings, in a hot loop
        if (place.st_dev, place.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        subfolders.sort()
        for name in sorted(names):
            if name.removesuffix(".gz").endswith(LOG_SUFFIXES):
                found_any = True
                yield Path(folder, name)
    if not found_any:
        yield Problem(str(path), f"the folder holds no logs ({', '.join(LOG_SUFFIXES)}, plain or .gz)")
    yield from problems


def head(path: Path) -> bytes | Problem:
    """The first 64 KB, unpacked, or as much as there is."""
    found = b""
    for piece in _pieces(path, HEAD_BYTES):
        if isinstance(piece, Problem):
            return found or piece
        found += piece
        if len(found) >= HEAD_BYTES:
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
    for piece in _pieces(path, BLOCK_BYTES):
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
    """The lines of a file that are not empty, with their numbers from 1."""
    for block in blocks(path):
        if isinstance(block, Problem):
            yield block
            continue
        for number, line in enumerate(block.data.split(b"\n"), block.first_line):
            if not (stripped := line.strip()):
                continue
            if holds_too_much(stripped):
                yield Problem(str(path), TOO_MUCH, number)
            else:
                yield number, stripped


def document(path: Path) -> Any | Problem:
    """The whole file as one JSON document."""
    data = b""
    for piece in _pieces(path, BLOCK_BYTES):
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
        items = array_items(path, _pieces(path, ITEM_PIECE_BYTES))
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
        item = decoded(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return _no_json(path, error, number)
    if not isinstance(item, dict):
        return Problem(str(path), f"a JSON {type(item).__name__} where an object is expected", number)
    return number, item


def _is_one_line(first: bytes) -> bool:
    """Whether the first line is a whole object (or too long to see its end)."""
    line, newline, _ = first.partition(b"\n")
    if not newline:
        return True
    try:
        json.loads(line)
    except ValueError:
        return False
    except RecursionError:
        return True  # whoever decodes the line says so
    return True


def _pieces(path: Path, most_bytes: int) -> Iterator[bytes | Problem]:
    """The unpacked content in pieces of at most `most_bytes`, as far as it can be read; a problem ends it."""
    try:
        with open_regular(path) as stream:
            start = stream.read(2)
            stream.seek(0)
            if start != b"\x1f\x8b":
                while piece := stream.read(most_bytes):
                    yield piece
                return
            yield from _unpacked(path, stream, most_bytes)
    except OSError as error:
        yield Problem(str(path), f"cannot be read: {error.strerror or error}")


def _unpacked(path: Path, packed: IO[bytes], most_bytes: int) -> Iterator[bytes | Problem]:
    """Small reads, so that all before a damaged place is kept."""
    most = max(UNPACKED_FREELY_BYTES, MOST_UNPACKED_TIMES * os.fstat(packed.fileno()).st_size)
    stream = gzip.GzipFile(fileobj=packed)
    kept: list[bytes] = []
    size = 0
    damage = ""
    try:
        while piece := stream.read1(most_bytes):
            kept.append(piece)
            size += len(piece)
            most -= len(piece)
            if most < 0:
                damage = (
                    f"unpacks to more than {MOST_UNPACKED_TIMES} times its size, which no log does; the rest is not "
                    "read (if it is one, unpack it first)"
                )
                break
            if size >= most_bytes:
                yield b"".join(kept)
                kept, size = [], 0
    except EOFError:
        damage = "the gzip file is cut off; what could be unpacked was read"
    except (gzip.BadGzipFile, zlib.error):
        damage = "the gzip file is damaged; what could be unpacked was read"
    if kept:
        yield b"".join(kept)
    if damage:
        yield Problem(str(path), damage)
