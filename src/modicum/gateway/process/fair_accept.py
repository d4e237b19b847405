"""Connections taken from the listening socket, one at a time where several workers share it.

A server of asyncio takes all that wait whenever it wakes, so that one worker ends up with every connection of a burst;
and when no more files can be opened it closes them without a byte. Here each of several workers takes one at a time,
one that has more connections than another leaves it a moment to be faster, and whom nobody can serve is told so.
There is one queue for all (SO_REUSEPORT would give each worker its own): what waits while a worker is started again is
taken by another, and nothing depends on how the system spreads connections over sockets.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from modicum.gateway.http.unread import UnreadBody
from modicum.gateway.process.log import log
from modicum.gateway.process.open_files import Shortage
from modicum.gateway.process.tls import HANDSHAKE_WITHIN_S
from modicum.gateway.process.workers import Board
from modicum.outbound.open_files import out_of_files

BACKLOG = 2048
YIELD_S = 0.002
"""How long a connection is left to workers that have fewer."""
PAUSE_S = 0.1
"""How long to wait when the system gives out no more handles."""
MOST_TURNED_AWAY = 24
"""At a time; others wait in the queue meanwhile. Each needs an open file of those that are held in reserve."""
MOST_AT_ONCE = 16
"""In one round of the event loop, where there is no other worker to leave them to."""
MOST_UNSENT_BYTES = 128 * 1024
"""That the system holds of a reply beyond what is on its way. With its usual megabytes, streams that nobody reads are
looked through, and held, for long before the first wait for a reader.
"""
_UNSENT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_GONE_WITHIN_S = 1.0
_CLOSED_WITHIN_S = 0.01
"""How soon after its protocol has heard of its end a connection's file is closed."""
_BODY = (
    b'{"type":"error","error":{"message":"the gateway has as many connections as its limit of open files allows; try '
    b'again","type":"out_of_files","code":"out_of_files"}}'
)
_REPLY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Accepting:
    """A listening socket in the shape in which a server knows its own.

    Args:
        bound: the socket, which others may listen on, too.
        protocol: makes the protocol of a connection.
        board: what is known of the other workers.
        connections: how many this one has.
        shortage: how many it may have, and who counts those that are turned away.
        tls: what callers agree on keys with; None: nothing is encrypted.
    """

    def __init__(
        self,
        bound: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        board: Board,
        connections: Callable[[], int],
        shortage: Shortage,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.sockets = [bound]
        self._bound, self._protocol, self._board, self._connections = bound, protocol, board, connections
        self._shortage = shortage
        self._most = shortage.files.most_callers
        self._turned_away = 0
        self._spare = _spare()
        self._tls = tls
        self._yielded = False
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        bound.settimeout(0)
        bound.listen(BACKLOG)
        self._resume()

    def stop(self) -> None:
        """Takes no more; who is connecting is let in."""
        if self._bound.fileno() >= 0:
            self._loop.remove_reader(self._bound)
            self._bound.close()
            self._give_spare()

    @property
    def is_connecting(self) -> bool:
        """Whether a connection was taken that is not made yet."""
        return bool(self._connecting)

    def close(self) -> None:
        """Takes no more."""
        self.stop()
        if self._tls is not None:
            for task in self._connecting:
                task.cancel()  # who has not yet agreed on keys could keep us waiting

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def _resume(self) -> None:
        if self._bound.fileno() >= 0:
            self._loop.add_reader(self._bound, self._take)

    def _take(self) -> None:
        """Takes who waits, a few at a time: while streams keep the loop busy, its rounds are long."""
        for _ in range(1 if self._board.others() else MOST_AT_ONCE):
            if not self._take_one():
                return

    def _take_one(self) -> bool:
        """Whether there may be more to take now."""
        connections = self._connections() + len(self._connecting)
        full = connections >= self._most
        if (full or not self._yielded) and self._board.others_have_fewer(connections):
            self._yielded = True
            self._pause(YIELD_S)
            return False
        self._yielded = False
        if self._turned_away >= MOST_TURNED_AWAY:
            self._pause(YIELD_S)
            return False
        try:
            connection = self._accepted()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False  # nobody waits, another worker was faster, or the caller has left
        except OSError as error:
            if not out_of_files(error):
                log("no_more_connections", error=type(error).__name__)
                self._pause(PAUSE_S)
                return False
            connection, full = self._accepted_with_spare(), True
        if connection is None:
            self._pause(PAUSE_S)
            return False
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _UNSENT is not None:
            connection.setsockopt(socket.IPPROTO_TCP, _UNSENT, MOST_UNSENT_BYTES)
        self._start(connection, turned_away=full)
        return not full

    def _accepted(self) -> socket.socket | None:
        return self._bound.accept()[0]

    def _accepted_with_spare(self) -> socket.socket | None:
        """The next caller in the place of the file that is held back for this; None: it was used already."""
        if self._spare is None:
            self._spare = _spare()
        self._give_spare()
        try:
            return self._accepted()
        except OSError:
            return None

    def _start(self, connection: socket.socket, *, turned_away: bool) -> None:
        if turned_away:
            self._turned_away += 1
            self._shortage.callers()
        task = self._loop.create_task(self._connect(connection, turned_away=turned_away))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        self._board.tell_connections(self._connections() + len(self._connecting))

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._bound)
        self._loop.call_later(seconds, self._resume)

    async def _connect(self, connection: socket.socket, *, turned_away: bool) -> None:
        protocol = (lambda: _TurnedAway(self._left)) if turned_away else self._protocol
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(protocol, connection)
            else:
                within_s = _GONE_WITHIN_S if turned_away else HANDSHAKE_WITHIN_S
                await self._loop.connect_accepted_socket(
                    protocol, connection, ssl=self._tls, ssl_handshake_timeout=within_s
                )
        except OSError:
            connection.close()
            if turned_away:
                self._left()

    def _left(self) -> None:
        """One that was turned away is gone."""
        self._turned_away -= 1
        self._loop.call_later(_CLOSED_WITHIN_S, self._hold_spare)

    def _hold_spare(self) -> None:
        if self._spare is None and self._bound.fileno() >= 0:
            self._spare = _spare()

    def _give_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None


class _TurnedAway(asyncio.Protocol):
    """Refuses a caller that cannot be served, whatever it asks."""

    def __init__(self, left: Callable[[], None]) -> None:
        self._left = left
        self._unread: UnreadBody

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.write(_REPLY)
        self._unread = UnreadBody(transport, last=True, within_s=_GONE_WITHIN_S)

    def data_received(self, data: bytes) -> None:
        self._unread.drop(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's interface
        self._unread.end()
        self._left()


def _spare() -> int | None:
    """An open file that is held back; None: none can be had."""
    with suppress(OSError):
        return os.open(os.devnull, os.O_RDONLY)
    return None
