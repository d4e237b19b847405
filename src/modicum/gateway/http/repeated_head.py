"""Heads of requests that repeat, byte for byte, that of another request of their connection: they need no parser.

Clients send the same head with every call; what differs is the length of the body. The parser reads a head once. Bytes
that are the same where it expects a head mean the same, so only the length is read of them, and behind it the body.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from modicum.outbound.keepalive import Header

LENGTH = b"content-length"
_LENGTH_LINE = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)\r\n", re.IGNORECASE)
_MOST_DIGITS = 15
MOST_HELD_BYTES = 8 * 1024
"""Of a head that is remembered: thousands of connections may be idle."""
_END = b"\r\n\r\n"


class RepeatedRequest(NamedTuple):
    """What is read of a request that repeats a head."""

    length: bytes
    """Of its body, as it is written."""
    body_at: int
    """Where its body begins."""


class HeadBytes(NamedTuple):
    """A head, before and behind the digits of its length."""

    before: bytes
    after: bytes
    length_place: int
    """Which of its headers says the length."""

    def repeated_in(self, data: bytes) -> RepeatedRequest | None:
        """What is in data that begins with this head; None: it begins with another, or with only a part of one."""
        if not data.startswith(self.before):
            return None
        start = len(self.before)
        end = data.find(b"\r", start, start + _MOST_DIGITS + 1)
        length = data[start:end]
        if not length.isdigit() or not data.startswith(self.after, end):
            return None
        return RepeatedRequest(length, end + len(self.after))


def head_bytes(data: bytes, headers: Sequence[Header]) -> HeadBytes | None:
    """The head that data begins with; None: no other can be told by its bytes.

    Args:
        data: from the first byte of a head to its end at least.
        headers: what the parser has read of it: had it seen another end or other lines, these would be others.
    """
    names = [name for name, _ in headers]
    if names.count(LENGTH) != 1 or b"transfer-encoding" in names or b"expect" in names or b"upgrade" in names:
        return None
    end = data.find(_END) + len(_END)
    head = data[:end]
    lengths = _LENGTH_LINE.findall(head)
    lines = len(headers) + 2  # the first, and the empty one
    if len(head) > MOST_HELD_BYTES or len(lengths) != 1 or head.count(b"\n") != lines or head.count(b"\r") != lines:
        return None
    start, stop = _LENGTH_LINE.search(head).span(1)  # type: ignore[union-attr]
    return HeadBytes(head[:start], head[stop:], names.index(LENGTH))
