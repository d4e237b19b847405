"""Compressed bodies, unpacked piece by piece so that a small one cannot become a large one unseen.

gzip and deflate (RFC 9110), zstd with windows of at most 8 MiB (RFC 9659). Brotli is refused: there is no decoder in
the standard library, and clients that send it send gzip as well.
"""

import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from modicum.outbound.keepalive import Header

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODINGS = frozenset({b"gzip", b"x-gzip", b"deflate", b"zstd"})
PIECE_BYTES = 1024 * 1024
_ZSTD_WINDOW_LOG = 23
_ZLIB_OR_GZIP, _RAW = 47, -15


class BadCodingError(ValueError):
    """The bytes are not what their content-encoding says."""


class _Decompressor(Protocol):
    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Unpacker:
    """Unpacks one compressed body, piece by piece as it comes.

    Args:
        coding: one of CODINGS.
    """

    def __init__(self, coding: bytes) -> None:
        self._zstd = coding == b"zstd"
        self._raw = coding == b"deflate"
        self._current: _Decompressor | None = None
        self._in_part = False

    @property
    def complete(self) -> bool:
        """Whether the body may end here."""
        return not self._in_part

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What `data` unpacks to, together with what came before it; each piece at most PIECE_BYTES.

        Raises:
            BadCodingError: it is broken.
        """
        while data:
            if self._current is None:
                self._current = self._fresh(data)
                self._in_part = True
            current = self._current
            try:
                piece = current.decompress(data, PIECE_BYTES)
                while piece:
                    yield piece
                    if current.eof:
                        break
                    piece = current.decompress(_rest(current), PIECE_BYTES)
            except _errors() as error:
                raise BadCodingError(str(error)) from None
            data = b""
            if current.eof:  # another part may follow: gzip members and zstd frames are strung together
                data, self._current, self._in_part = current.unused_data, None, False

    def _fresh(self, data: bytes) -> Any:
        if self._zstd:
            return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
        # Some send deflate without the wrapper that the standard wants: its first byte tells (RFC 1950).
        return zlib.decompressobj(_RAW if self._raw and data[0] & 0x0F != 8 else _ZLIB_OR_GZIP)


def coding_of(headers: Sequence[Header]) -> bytes:
    """The content-encoding of a reply, of all its headers together; empty: none."""
    found = [value for name, value in headers if name == b"content-encoding"]
    if not found:
        return b""
    coding = b", ".join(found).strip().lower()
    return b"" if coding == b"identity" else coding


def without_coding(headers: Sequence[Header]) -> list[Header]:
    return [header for header in headers if header[0] != b"content-encoding"]


def _rest(current: Any) -> bytes:
    """What was handed over and not yet read: zlib gives it back, zstd keeps it."""
    rest: bytes = getattr(current, "unconsumed_tail", b"")
    return rest


def _errors() -> tuple[type[Exception], ...]:
    return zlib.error, zstd.ZstdError
