"""A request's body that goes on as it comes: a file of a gigabyte takes no more memory than one of a megabyte."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from modicum.gateway.http.refusal import ClientGone, Refused

HELD_BYTES = 1024 * 1024
"""A body that is no larger is read first, as any other."""


class Upload:
    """A body that has not come yet. `piece` gives it as it goes onto the wire.

    Args:
        receive: the server's end (ASGI).
        length_bytes: of all of it, as the caller says; None: it comes in chunks.
        most_bytes: how large it may be.
        slow_s: how long the caller may send nothing.
    """

    __slots__ = ("_has_ended", "_most_bytes", "_receive", "_slow_s", "is_over", "length_bytes", "passed_bytes")

    def __init__(
        self,
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        length_bytes: int | None,
        most_bytes: int,
        slow_s: float,
    ) -> None:
        self._receive, self._most_bytes, self._slow_s = receive, most_bytes, slow_s
        self.length_bytes = length_bytes
        self.is_over = self._has_ended = False
        self.passed_bytes = 0

    async def piece(self) -> bytes:
        """The next piece, in chunks' framing where the length is not known; empty: it is over.

        Raises:
            ClientGone: the caller left.
            Refused: it is too large, or comes too slowly.
        """
        data = b""
        while not data and not self.is_over:
            data = await self._next()
        self.passed_bytes += len(data)
        if self.passed_bytes > self._most_bytes:
            raise too_large(self._most_bytes)
        if self.length_bytes is not None or self._has_ended:
            return data
        self._has_ended = self.is_over
        chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        return chunk + b"0\r\n\r\n" if self._has_ended else chunk

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._slow_s):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, "the request did not come in time", "too_slow") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        self.is_over = not message["more_body"]
        data: bytes = message["body"]
        return data


def too_large(most_bytes: int) -> Refused:
    """The answer to an upload that is larger than it may be."""
    return Refused(413, f"an upload may have at most {most_bytes:,} bytes (gateway.most_upload_mb)", "too_large")
