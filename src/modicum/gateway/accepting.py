"""Connections taken from a socket that several workers listen on, one at a time.

A server of asyncio takes all that wait whenever it wakes, so that one worker ends up with every connection of a burst.
Here each takes one at a time, and one that has more connections than another leaves it a moment to be faster.
There is one queue for all (SO_REUSEPORT would give each worker its own): what waits while a worker is started again is
taken by another, and nothing depends on how the system spreads connections over sockets.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable

from modicum.gateway.log import log
from modicum.gateway.tls import HANDSHAKE_WITHIN_S
from modicum.gateway.workers import Board

BACKLOG = 2048
YIELD_S = 0.002
"""How long a connection is left to workers that have fewer."""
PAUSE_S = 0.1
"""How long to wait when the system gives out no more handles."""


class Accepting:
    """A listening socket in the shape in which a server knows its own.

    Args:
        bound: the socket, which others may listen on, too.
        protocol: makes the protocol of a connection.
        board: what is known of the other workers.
        connections: how many this one has.
        tls: what callers agree on keys with; None: nothing is encrypted.
    """

    def __init__(
        self,
        bound: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        board: Board,
        connections: Callable[[], int],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.sockets = [bound]
        self._bound, self._protocol, self._board, self._connections = bound, protocol, board, connections
        self._tls = tls
        self._yielded = False
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        bound.settimeout(0)
        bound.listen(BACKLOG)
        self._resume()

    def close(self) -> None:
        """Takes no more."""
        if self._bound.fileno() >= 0:
            self._loop.remove_reader(self._bound)
            self._bound.close()
        if self._tls is not None:
            for task in self._connecting:
                task.cancel()  # who has not yet agreed on keys could keep us waiting

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def _resume(self) -> None:
        if self._bound.fileno() >= 0:
            self._loop.add_reader(self._bound, self._take)

    def _take(self) -> None:
        if not self._yielded and self._board.others_have_fewer(self._connections() + len(self._connecting)):
            self._yielded = True
            self._pause(YIELD_S)
            return
        self._yielded = False
        try:
            connection, _ = self._bound.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the caller has left
        except OSError as error:
            log("no_more_connections", error=type(error).__name__)
            self._pause(PAUSE_S)
            return
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._connect(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        self._board.tell_connections(self._connections() + len(self._connecting))

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._bound)
        self._loop.call_later(seconds, self._resume)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(self._protocol, connection)
            else:
                await self._loop.connect_accepted_socket(
                    self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_WITHIN_S
                )
        except OSError:
            connection.close()
