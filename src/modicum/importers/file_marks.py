"""Whether a log file is still the one that was read before: unchanged, grown at its end, or another one."""

import hashlib
import os
from pathlib import Path

import msgspec

from modicum.calls.outside.regular_file import open_regular
from modicum.importers.folders import BESIDE_ENDINGS

EDGE_BYTES = 4096
"""Read at either end. A file that was written anew within the same instant, with the same size, differs there."""


class FileMark(msgspec.Struct, frozen=True):
    """What a file looked like before it was read."""

    size: int
    mtime_ns: int
    inode: int
    beside: str
    """Size and time of the parts of a database that lie beside it and are read with it."""
    head: bytes
    tail: bytes


def mark_file(path: Path) -> FileMark | None:
    """The mark of a file; None where it cannot be read, so that nobody takes it for the one of before, or where its
    name is no UTF-8, so that no cache can hold it.
    """
    try:
        str(path).encode()
        with open_regular(path) as file:
            facts = os.fstat(file.fileno())
            head, tail = _edges(file.fileno(), facts.st_size)
        return FileMark(facts.st_size, facts.st_mtime_ns, facts.st_ino, _parts_beside(path), head, tail)
    except (OSError, UnicodeEncodeError):
        return None


def has_only_grown(path: Path, before: FileMark, now: FileMark) -> bool:
    """Whether all that was read then is still there, with more behind it."""
    if now.size <= before.size or now.beside != before.beside:
        return False
    try:
        with open_regular(path) as file:
            return _edges(file.fileno(), before.size) == (before.head, before.tail)
    except OSError:
        return False


def _edges(handle: int, size: int) -> tuple[bytes, bytes]:
    """Digests of the first and the last bytes of a file of that size."""
    length = min(size, EDGE_BYTES)
    return _digest(os.pread(handle, length, 0)), _digest(os.pread(handle, length, size - length))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _parts_beside(path: Path) -> str:
    parts = []
    for ending in BESIDE_ENDINGS:
        try:
            facts = os.stat(f"{path}{ending}")  # noqa: PTH116 - asked for every log, and mostly not there
        except OSError:
            continue
        parts.append(f"{ending} {facts.st_size} {facts.st_mtime_ns}")
    return ", ".join(parts)
