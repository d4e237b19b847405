"""The items of one JSON array in a file, one by one: memory holds an item at a time, however large the export is."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.providers.json_values import decoded

MOST_ITEM_CHARACTERS = 64 * 1024 * 1024
MOST_VALUES = 4_000_000
"""In one document, line or item. Each takes up to a hundred bytes of memory, be it one byte long in the file."""
TOO_MUCH = f"it holds more than {MOST_VALUES:,} values, which no call does; left out"

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR_THE_END = 16
"""An error that close to the end of what was read may come from the cut: `tru`, `\\u00`, `-`."""
_scan = json.JSONDecoder().raw_decode


def holds_too_much(document: bytes) -> bool:
    """Whether a document would take much more memory than its text does."""
    if len(document) < MOST_VALUES or _marks(document) < MOST_VALUES:
        return False
    return _marks(_STRING.sub(b"", document)) >= MOST_VALUES


def _marks(document: bytes) -> int:
    return document.count(b",") + document.count(b"[") + document.count(b"{")


def array_items(path: Path, pieces: Iterator[bytes | Problem]) -> Iterator[tuple[int, Any] | Problem]:
    """The items with their numbers, from 1. All before a broken place are given, then one problem.

    Args:
        path: what to name in problems.
        pieces: the content; a problem ends it.
    """
    text = _Text(path, pieces)
    try:
        number = 0
        text.skip("[")
        while not text.at("]"):
            if number:
                text.skip(",")
            number += 1
            yield number, text.value()
        text.skip("]")
        if text.rest():
            yield Problem(str(path), "not valid JSON: something follows the array", text.line)
    except _BrokenError as broken:
        yield text.failure or Problem(str(path), broken.reason, text.line)


class _BrokenError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Text:
    """What has been read of the file and not been used yet."""

    def __init__(self, path: Path, pieces: Iterator[bytes | Problem]) -> None:
        self._path = path
        self._pieces = pieces
        self._decoder: codecs.IncrementalDecoder | None = None
        self._text = ""
        self._at = 0
        self.line = 1
        self.failure: Problem | None = None

    def at(self, mark: str) -> bool:
        self._skip_space()
        return self._text.startswith(mark, self._at)

    def skip(self, mark: str) -> None:
        if not self.at(mark):
            raise _BrokenError(f"not valid JSON: '{mark}' is missing")
        self._use(self._at + len(mark))

    def rest(self) -> bool:
        self._skip_space()
        return self._at < len(self._text)

    def value(self) -> Any:
        self._skip_space()
        while True:
            try:
                value, end = _scan(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _NEAR_THE_END
                if not is_cut or not self._more():
                    self._use(min(error.pos, len(self._text)))
                    raise _BrokenError(f"not valid JSON: {error.msg}") from None
            except ValueError:
                raise _BrokenError("not valid JSON: a number is too long") from None
            except RecursionError:
                raise _BrokenError("nested too deeply to be a log; the rest of the file is not read") from None
            else:
                is_open = isinstance(value, int | float) and end >= len(self._text) - _NEAR_THE_END
                if not is_open or not self._more():  # a number may go on in the next piece
                    break
        item = self._text[self._at : end]
        self._use(end)
        return decoded(item) if "\\ud" in item.lower() else value

    def _use(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _skip_space(self) -> None:
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None  # noqa: S101 - it matches nothing too
            self._use(found.end())
            if self._at < len(self._text) or not self._more():
                return

    def _more(self) -> bool:
        """Reads at least as much again as is there, so that a large item is not scanned a hundred times."""
        gathered, size, left = [], 0, len(self._text) - self._at
        while size <= left:
            piece = next(self._pieces, None)
            if piece is None or isinstance(piece, Problem):
                self.failure = piece or self.failure
                break
            gathered.append(self._decoded(piece))
            size += len(gathered[-1])
        if not size:
            return False
        self._text, self._at = self._text[self._at :] + "".join(gathered), 0
        if len(self._text) > MOST_ITEM_CHARACTERS:
            raise _BrokenError(f"an item is larger than {MOST_ITEM_CHARACTERS >> 20} MB; export it as lines")
        if len(self._text) > MOST_VALUES and holds_too_much(self._text.encode("utf-8", "replace")):
            raise _BrokenError(TOO_MUCH)
        return True

    def _decoded(self, piece: bytes) -> str:
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(json.detect_encoding(piece[:4]))()
        try:
            return self._decoder.decode(piece)
        except UnicodeDecodeError:
            raise _BrokenError("not valid UTF-8") from None
