"""What is sent before the body of a request."""

from collections.abc import Sequence
from typing import NamedTuple

from modicum.outbound.hosts import Origin
from modicum.outbound.keepalive import Header


class RequestHead(NamedTuple):
    """The bytes before a body, before and behind the line that says how long it is."""

    before: bytes
    after: bytes

    def with_length(self, length_bytes: int) -> bytes:
        """As it is sent before a body of that size."""
        return b"%bcontent-length: %d%b" % (self.before, length_bytes, self.after)

    def in_chunks(self) -> bytes:
        """As it is sent before a body whose size is not known."""
        return b"%btransfer-encoding: chunked%b" % self


def open_head(method: bytes, target: bytes, origin: Origin, headers: Sequence[Header]) -> RequestHead:
    """A head for bodies of any size. Header values come from a parsed request or from settings, so they hold no line
    ends; it is checked all the same.

    Raises:
        ValueError: a header or the target holds a control character.
    """
    first = b"%s %s HTTP/1.1\r\nhost: %s\r\n" % (method, target, origin.authority)
    others = b"".join([b"\r\n%s: %s" % header for header in headers])
    head, breaks = first + others, len(headers) + 2
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head or b" " in target:
        raise ValueError("a header or the address holds a control character")
    return RequestHead(first, others + b"\r\n\r\n")


def request_head(method: bytes, target: bytes, origin: Origin, headers: Sequence[Header], length: int | None) -> bytes:
    """The bytes before a body; without a length it comes in chunks.

    Raises:
        ValueError: as `open_head`.
    """
    head = open_head(method, target, origin, headers)
    return head.in_chunks() if length is None else head.with_length(length)
