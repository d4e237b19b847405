"""The caller's connection without ASGI's messages, for whatever need not wait.

A body that has come already, a reply that the caller is ready to read, and the moment in which it leaves: for these
ASGI wants a message each, a timer, and a task that waits. Where something has to be waited for, the ASGI way is gone.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from modicum.gateway.http.repeated_head import HeadBytes
from modicum.outbound.keepalive import Header

EXTENSION = "modicum.direct"
"""The name in the `extensions` of a request's scope."""
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Connection:
    """What requests of one connection have in common.

    Attributes:
        head_bytes: of a request that was let in; None: none was, or no other can be told by them.
        known_head: what came of that head (`known_head.KnownHead`).
        scope: what the server has read of it.
    """

    __slots__ = ("head_bytes", "known_head", "scope")

    def __init__(self) -> None:
        self.head_bytes: HeadBytes | None = None
        self.known_head: Any = None
        self.scope: Any = None


class DirectCaller:
    """One request's caller.

    Args:
        cycle: the server's view of the request and its reply.
        connection: what the connection has in common with its other requests.
        repeated_head: what came of the same head before (`known_head.KnownHead`); None: it is not the same.
    """

    __slots__ = ("_connection", "_cycle", "_on_leave", "head_bytes", "repeated_head", "takes_chunks")

    def __init__(self, cycle: RequestResponseCycle, connection: "Connection", repeated_head: Any = None) -> None:
        self._cycle, self._connection, self.repeated_head = cycle, connection, repeated_head
        self.head_bytes: HeadBytes | None = None
        """Of this request, where others can be told by them."""
        self.takes_chunks = cycle.scope.get("http_version") != "1.0"
        """Whether a reply may come in chunks; else the end of the connection is its end."""
        self._on_leave: Callable[[], None] | None = None

    def remember(self, known_head: Any) -> None:
        """This request was let in: what came of its head holds for those that repeat it."""
        connection, is_told = self._connection, self.head_bytes is not None
        connection.head_bytes = self.head_bytes
        connection.known_head, connection.scope = (known_head, self._cycle.scope) if is_told else (None, None)

    def is_of(self, cycle: RequestResponseCycle) -> bool:
        """Whether it is the caller of a request."""
        return cycle is self._cycle

    @property
    def is_ready(self) -> bool:
        """Whether what is written now is taken at once."""
        cycle = self._cycle
        return not (cycle.disconnected or cycle.flow.write_paused)

    def watch(self, on_leave: Callable[[], None]) -> None:
        """`on_leave` is called when the caller leaves before its reply is complete."""
        self._on_leave = on_leave
        if self._cycle.disconnected:
            on_leave()
        elif self._cycle.flow.read_paused:
            self._cycle.flow.resume_reading()  # who does not read does not see the end

    def take_body(self) -> bytes | None:
        """All of the request's body, if it has come; None: it has to be waited for."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        body, cycle.body = bytes(cycle.body), b""  # type: ignore[assignment] # a copy where it came in pieces
        cycle.message_event.clear()
        if cycle.flow.read_paused:
            cycle.flow.resume_reading()
        return body

    def cut(self) -> None:
        """Gives up a caller that does not read: what waits for it would be held for as long as it stays."""
        self._cycle.transport.abort()

    def leave(self) -> None:
        """The caller has left."""
        if self._on_leave is not None and not self._cycle.response_complete:
            self._on_leave()
        self.end()

    def end(self) -> None:
        """There is nothing more to say. Nothing holds itself from then on, so that no call leaves garbage."""
        self._on_leave = None
        self._cycle.scope.pop("extensions", None)

    def begin(self, status: int, headers: Sequence[Header]) -> None:
        """Begins a reply that comes in pieces."""
        self._cycle.chunked_encoding = True
        more = [(b"transfer-encoding", b"chunked")] if self.takes_chunks else []
        self._cycle.transport.write(self._head(status, [*headers, *more]))

    def write(self, piece: bytes, *, is_last: bool) -> None:
        """A piece of the reply that was begun."""
        if not self.takes_chunks:
            self._cycle.transport.write(piece)
        elif piece:
            end = b"\r\n0\r\n\r\n" if is_last else b"\r\n"
            self._cycle.transport.write(b"%x\r\n%b%b" % (len(piece), piece, end))
        elif is_last:
            self._cycle.transport.write(b"0\r\n\r\n")
        if is_last:
            self._complete()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """As ASGI has it, for a caller that takes no chunks: to the server every reply without a length has some."""
        cycle = self._cycle
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        if message["type"] == "http.response.start":
            cycle.transport.write(self._head(message["status"], message["headers"]))
        else:
            self.write(message["body"], is_last=not message["more_body"])

    def reply(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """All of a reply."""
        head = self._head(status, [*headers, (b"content-length", b"%d" % len(body))])
        self._cycle.transport.write(head + body)
        self._complete()

    def _head(self, status: int, headers: Sequence[Header]) -> bytes:
        cycle = self._cycle
        lines = [b"%b: %b\r\n" % header for header in headers]
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join((STATUS_LINE[status], *lines, b"\r\n"))
        breaks = len(lines) + 2
        if head.count(b"\n") != breaks or head.count(b"\r") != breaks or _CONTROL.search(head):
            raise ValueError("a header of the reply holds a control character")
        cycle.response_started = True
        return head

    def _complete(self) -> None:
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


def direct_caller(scope: Mapping[str, Any]) -> DirectCaller | None:
    """The caller of a request, where the server gives it directly."""
    extensions = scope.get("extensions")
    found: DirectCaller | None = extensions.get(EXTENSION) if extensions else None
    return found
