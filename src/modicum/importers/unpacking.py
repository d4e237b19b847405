"""A file's content as UTF-8, whatever it was packed or encoded with: gzip, zstd, UTF-16, a byte order mark.

What a file costs to read is bounded by its size: a small packed file does not become a large one.
"""

import codecs
import gzip
import sys
import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from modicum.calls import Problem
from modicum.calls.outside.regular_file import open_regular

MOST_UNPACKED_TIMES = 200
"""What a packed file may unpack to, in sizes of its own. Logs come to 5 to 50; zeros come to 1,000."""
UNPACKED_FREELY_BYTES = 64 * 1024 * 1024
"""Up to here any packed file may unpack."""
_ZSTD_WINDOW_LOG = 27
"""128 MB, which is what the command-line tool unpacks without being asked to; the usual levels need 8 or less."""
_OR_LARGE = {"gzip": "", "zstd": f", or needs more than {1 << _ZSTD_WINDOW_LOG >> 20} MB to unpack"}
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def plain_name(name: str) -> str:
    """The name of a file without the ending of its packing: `rollout-1.jsonl` for `rollout-1.jsonl.zst`."""
    return name.removesuffix(".gz").removesuffix(".zst")


def pieces(path: Path, most_bytes: int) -> Iterator[bytes | Problem]:
    """The content in pieces of at most about `most_bytes`, as far as it can be read; a problem ends it."""
    found = _raw_pieces(path, most_bytes)
    first = next(found, b"")
    if isinstance(first, Problem):
        yield first
        return
    if encoding := _MARKS.get(first[:2]):
        yield from _as_utf8(path, encoding, first[2:], found)
        return
    if first := first.removeprefix(codecs.BOM_UTF8):
        yield first
    yield from found


def _as_utf8(path: Path, encoding: str, first: bytes, others: Iterator[bytes | Problem]) -> Iterator[bytes | Problem]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    if text := decoder.decode(first):
        yield text.encode()
    for piece in others:
        if isinstance(piece, Problem):
            yield piece
        elif text := decoder.decode(piece):
            yield text.encode("utf-8", "replace")
    if decoder.decode(b"", final=True):
        yield Problem(str(path), "the file ends in the middle of a UTF-16 character")


def _raw_pieces(path: Path, most_bytes: int) -> Iterator[bytes | Problem]:
    try:
        with open_regular(path) as stream:
            start = stream.read(4)
            stream.seek(0)
            if start.startswith(_GZIP):
                yield from _unpacked(path, gzip.GzipFile(fileobj=stream), "gzip", most_bytes)
            elif start == _ZSTD:
                yield from _unpacked(path, _zstd_stream(stream), "zstd", most_bytes)
            else:
                while piece := stream.read(most_bytes):
                    yield piece
    except OSError as error:
        yield Problem(str(path), f"cannot be read: {error.strerror or error}")


def load_zstd() -> Any:
    """The module, which few bills need: part of Python since 3.14."""
    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _zstd_stream(stream: IO[bytes]) -> IO[bytes]:
    zstd = load_zstd()
    unpacked: IO[bytes] = zstd.ZstdFile(stream, options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
    return unpacked


def _unpacked(path: Path, stream: Any, packing: str, most_bytes: int) -> Iterator[bytes | Problem]:
    """Small reads, so that all before a damaged place is kept."""
    most = max(UNPACKED_FREELY_BYTES, MOST_UNPACKED_TIMES * path.stat().st_size)
    damaging = (gzip.BadGzipFile, zlib.error) if packing == "gzip" else (load_zstd().ZstdError,)
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
        damage = f"the {packing} file is cut off; what could be unpacked was read"
    except damaging:
        damage = f"the {packing} file is damaged{_OR_LARGE[packing]}; what could be unpacked was read"
    if kept:
        yield b"".join(kept)
    if damage:
        yield Problem(str(path), damage)
