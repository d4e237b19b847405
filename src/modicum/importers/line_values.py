"""What stands on a line of a log that was not written in peace: holes, values without a line end between them, halves.

A machine that loses power leaves NUL bytes where rows were to stand. Two processes that write into one file, or one
that died in the middle of a row, leave several values on a line, the first of which may be half.
"""

import re

import msgspec

HOLE = "NUL bytes, as a crash leaves them: what was written there is lost, what stands beside them is read"
NO_OBJECT = "no JSON object on this line"
SPACE = b" \t\r\n\x00"
MOST_HALVES = 100
"""On one line; behind so many, it is no line of rows."""

_GLUE = rb"\}[ \t\r]*\{"
_FIRST_NAME = rb'\{\s*"[^"\\]{1,60}"\s*:'
_TRAILING = r"trailing characters \(byte (\d+)\)"
# Patterns are compiled at their first use: a bill of sound logs needs none.
_check_value = msgspec.json.Decoder(msgspec.Raw).decode


def values(line: bytes) -> list[bytes]:
    """The values on a line, nearly always one. Where one is broken, it is given as it is, apart from the others."""
    parts = line.split(b"\x00") if b"\x00" in line else [line]
    found: list[bytes] = []
    for part in parts:
        if stripped := part.strip(SPACE):
            found += _separated(stripped) if _may_hold_several(stripped) else [stripped]
    return found


def reason_unread(line: bytes) -> str:
    """Why a line without usage is no row; empty where it looks like one. It is not decoded: a bill needs no more, and
    all who read a file are to say the same of it.
    """
    return "" if line.startswith(b"{") and line.endswith(b"}") else NO_OBJECT


def _may_hold_several(part: bytes) -> bool:
    """Whether an object ends and another begins, or a row begins once more: rows of one writer begin with one name."""
    if re.search(_GLUE, part):
        return True
    name = re.match(_FIRST_NAME, part)
    return name is not None and part.find(name[0], name.end()) >= 0


def _separated(part: bytes) -> list[bytes]:
    found: list[bytes] = []
    rest, halves = memoryview(part), 0
    while rest and halves < MOST_HALVES:
        try:
            _check_value(rest)
        except (ValueError, RecursionError) as error:
            if trailing := re.search(_TRAILING, str(error)):
                end = int(trailing[1]) - 1  # it counts from 1
            else:
                start = len(part) - len(rest)
                end, halves = _end_of_half(part, start, str(error)), halves + 1
        else:
            break
        found.append(bytes(rest[:end]).strip(SPACE))
        rest = rest[end:]
    if rest:
        found.append(bytes(rest).strip(SPACE))
    return found


def _end_of_half(part: bytes, start: int, error: str) -> int:
    """How long the half value at `start` is: to where a row begins as this one did, or to the end of the line.

    One that only wants its end may hold objects that begin with the same name: it is half, and they are its own.
    """
    name = None if "truncated" in error else re.match(_FIRST_NAME, part[start : start + 100])
    again = part.find(name[0], start + name.end()) if name else -1
    return (again if again > 0 else len(part)) - start
