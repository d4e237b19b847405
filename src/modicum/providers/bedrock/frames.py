"""Event streams of AWS: frames with headers, a payload and two checksums.

A frame is: its length, the length of its headers, a checksum of these eight bytes, headers, payload, a checksum of all
before it. Numbers are big-endian. Source: https://smithy.io/2.0/aws/amazon-eventstream.html (2026-11). The signer's
package has a parser, but comes with an extra, which calls with a bearer's key need not, and it writes no frames.
"""

import zlib
from collections.abc import Iterator, Mapping
from struct import Struct
from typing import NamedTuple

CONTENT_TYPE = "application/vnd.amazon.eventstream"
MOST_FRAME_BYTES = 32 * 1024 * 1024
"""AWS sends less than 25 MB in one."""
_PRELUDE = Struct(">III")
_CHECKSUM = Struct(">I")
_TEXT = 7
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value, by its type; texts and bytes (6, 7) say theirs."""


class Frame(NamedTuple):
    headers: Mapping[str, str]
    """Those that are texts."""
    payload: bytes

    @property
    def kind(self) -> str:
        """What it is: the type of its event, or of the exception that ended the stream."""
        return self.headers.get(":event-type") or self.headers.get(":exception-type") or ""

    @property
    def is_exception(self) -> bool:
        return self.headers.get(":message-type", "event") != "event"


def write_frame(kind: str, payload: bytes, *, is_exception: bool = False) -> bytes:
    """A frame as Bedrock writes it."""
    word = "exception" if is_exception else "event"
    headers = {f":{word}-type": kind, ":content-type": "application/json", ":message-type": word}
    written = b"".join(_written(name, value) for name, value in headers.items())
    sizes = Struct(">II").pack(_PRELUDE.size + len(written) + len(payload) + _CHECKSUM.size, len(written))
    head = sizes + _CHECKSUM.pack(zlib.crc32(sizes)) + written + payload
    return head + _CHECKSUM.pack(zlib.crc32(head))


def _written(name: str, value: str) -> bytes:
    key, text = name.encode("ascii"), value.encode("utf-8")
    return bytes([len(key)]) + key + bytes([_TEXT]) + len(text).to_bytes(2, "big") + text


def read_frame(raw: bytes) -> Frame | None:
    """What a whole frame holds; None: its checksums or its headers are wrong."""
    if len(raw) < _PRELUDE.size + _CHECKSUM.size:
        return None
    _, size, _ = _PRELUDE.unpack_from(raw)
    end = len(raw) - _CHECKSUM.size
    start = _PRELUDE.size + size
    if start > end or _CHECKSUM.unpack_from(raw, end)[0] != zlib.crc32(raw[:end]):
        return None
    try:
        return Frame(dict(_headers(raw[_PRELUDE.size : start])), raw[start:end])
    except (KeyError, IndexError, UnicodeDecodeError):
        return None


def _headers(raw: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(raw):
        name_end = at + 1 + raw[at]
        name, kind, at = raw[at + 1 : name_end].decode("ascii"), raw[name_end], name_end + 1
        if kind in {6, _TEXT}:
            size = int.from_bytes(raw[at : at + 2], "big")
            at += 2
            if kind == _TEXT:
                yield name, raw[at : at + size].decode("utf-8")
            at += size
        else:
            at += _SIZES[kind]


class FrameBuffer:
    """Whole frames out of chunks that were cut anywhere."""

    def __init__(self) -> None:
        self._waiting = b""
        self.is_broken = False
        """What came is no stream of frames: it is passed on, and nobody reads it."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that this chunk makes whole, as they came."""
        raw, at = self._waiting + chunk if self._waiting else chunk, 0
        whole: list[bytes] = []
        while not self.is_broken and len(raw) - at >= _PRELUDE.size:
            size, headers, checksum = _PRELUDE.unpack_from(raw, at)
            least = _PRELUDE.size + headers + _CHECKSUM.size
            if not least <= size <= MOST_FRAME_BYTES or zlib.crc32(raw[at : at + 8]) != checksum:
                self.is_broken = True
            elif len(raw) - at < size:
                break
            else:
                whole.append(raw[at : at + size])
                at += size
        self._waiting = raw[at:]
        if self.is_broken and self._waiting:
            whole.append(self._waiting)
            self._waiting = b""
        return whole

    def end(self) -> bytes:
        """What came last and is no whole frame."""
        rest, self._waiting = self._waiting, b""
        return rest
