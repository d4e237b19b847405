"""What is left of a request that was answered before it had come in full: a stranger's, one that is too large or slow.

Nothing of it is kept. It is read and dropped for a while, since many clients send all of a request before they look at
the reply, and a connection that is closed with bytes unread is reset, which may cost them the reply. Who sends on is
cut off.
"""

import asyncio

MOST_BYTES = 16 * 1024 * 1024
WITHIN_S = 5.0


class UnreadBody:
    """The rest of one request.

    Args:
        transport: the connection; closed when too much comes, or for too long.
        last: whether it is closed after this request in any case. Its reply has then been ended, so that a caller who
            waits for that leaves.
    """

    def __init__(self, transport: asyncio.Transport, *, last: bool, within_s: float = WITHIN_S) -> None:
        self.last = last
        self._transport = transport
        self._left_bytes = MOST_BYTES
        self._timer = asyncio.get_running_loop().call_later(within_s, self._cut)
        if last and transport.can_write_eof():
            transport.write_eof()

    def drop(self, data: bytes) -> None:
        """A piece of it has come."""
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._cut()

    def end(self) -> None:
        """It is over: all has come, or the connection is lost."""
        self._timer.cancel()

    def _cut(self) -> None:
        self._timer.cancel()
        if not self._transport.is_closing():
            self._transport.close()
