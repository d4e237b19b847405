"""HTTP/1.1 as the gateway takes it: how large headers may be, how slowly they may come, and what becomes of a body that
nobody reads.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from modicum.gateway.http.direct_caller import EXTENSION, Connection, DirectCaller
from modicum.gateway.http.repeated_head import LENGTH, HeadBytes, RepeatedRequest, head_bytes
from modicum.gateway.http.unread import UnreadBody
from modicum.gateway.http.upgrades import PlainProtocol

MOST_HEADER_BYTES = 64 * 1024
HEADERS_WITHIN_S = 20.0
LEAVING = "leaving"
"""In the state of the process's server: each connection ends with its next reply."""


class GuardedProtocol(PlainProtocol):
    """uvicorn's protocol, with bounds on how large headers may be and how slowly they may come."""

    _header_bytes = 0
    _in_headers = True
    _header_timer: asyncio.TimerHandle | None = None
    _unread: UnreadBody | None = None
    _direct: DirectCaller | None = None
    _expects_head = True
    """Whether the parser stands between two requests."""
    _head_data: bytes | None = None
    """What has come just now, if a head begins with it."""
    _body_left = 0
    """Bytes that are to come of the body of a request that repeats a head."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._connection = Connection()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._header_timer = self.loop.call_later(HEADERS_WITHIN_S, self._too_slow)

    def data_received(self, data: bytes) -> None:
        if self._unread is not None:
            self._unread.drop(data)
            if self._unread.last:
                return
        if self._body_left:
            data = self._take_body(data)
            if not data:
                return
        known = self._connection.head_bytes
        if known is not None and self._expects_head and (request := known.repeated_in(data)) and self._is_free():
            self._take_repeated(known, request, data)
            return
        self._head_data = data if self._expects_head else None
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > MOST_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def _is_free(self) -> bool:
        """Whether a request that comes now is begun now, and its connection kept."""
        return (
            self.cycle.response_complete
            and self._unread is None
            and LEAVING not in self.app_state
            and not self.transport.is_closing()
        )

    def _take_repeated(self, known: HeadBytes, request: RepeatedRequest, data: bytes) -> None:
        """A request whose head needs no parser. What uvicorn does when it has read one."""
        self._unset_keepalive_if_required()
        scope = self.scope = self._connection.scope.copy()
        scope["headers"] = headers = scope["headers"].copy()
        headers[known.length_place] = (LENGTH, request.length)
        self.cycle = cycle = RequestResponseCycle(
            scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            self.server_state.default_headers,
            asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            on_response=self.on_response_complete,
        )
        self._body_left = int(request.length)
        end = request.body_at + self._body_left
        if end <= len(data):
            self._body_left = 0
            cycle.body = data[request.body_at : end]  # type: ignore[assignment] # nothing is added to it
            cycle.more_body = False
            cycle.message_event.set()
        else:
            self._take_body(data[request.body_at :])
        self._start_asgi_task(cycle, self.app, self._connection.known_head)
        if end < len(data):
            self.data_received(data[end:])

    def _take_body(self, data: bytes) -> bytes:
        """More of the body of such a request; returns what comes behind it."""
        self._unset_keepalive_if_required()
        piece, rest = data[: self._body_left], data[self._body_left :]
        self._body_left -= len(piece)
        self.on_body(piece)
        if not self._body_left:
            self.on_message_complete()
        return rest

    def on_header(self, name: bytes, value: bytes) -> None:
        """What follows a chunked body is no header: nobody in front of us has looked at it."""
        if self._in_headers:
            name = name.lower()
            if name == b"expect":
                super().on_header(name, value)
            else:
                self.headers.append((name, value))

    def on_message_begin(self) -> None:
        self._in_headers, self._expects_head = True, False
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(HEADERS_WITHIN_S, self._too_slow)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._header_bytes = 0
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().on_headers_complete()
        if LEAVING in self.app_state:
            self.cycle.keep_alive = False
        if not self.parser.should_upgrade() and not self.cycle.keep_alive:
            self.cycle.transport = _Last(self)  # type: ignore[assignment]
        data, self._head_data = self._head_data, None
        if data is not None and self._direct is not None and self._direct.is_of(self.cycle) and self.cycle.keep_alive:
            self._direct.head_bytes = head_bytes(data, self.headers)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any, repeated_head: Any = None) -> None:
        """The request's scope gets its caller (`direct_caller`). What answers a HEAD has no body to be written so."""
        self._direct = None
        if cycle.scope["method"] != "HEAD":
            self._direct = DirectCaller(cycle, self._connection, repeated_head)
            cycle.scope["extensions"] = {EXTENSION: self._direct}  # type: ignore[dict-item]
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        self._expects_head = True
        super().on_message_complete()
        if self._unread is not None:
            self._unread.end()
            self._unread = None
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        if self._direct is not None:
            self._direct.end()
        super().on_response_complete()
        if self._answered_early() and self._unread is None and not self.transport.is_closing():
            self._unread = UnreadBody(self.transport, last=False)

    def close_after_reply(self) -> None:
        """Closes a connection that is not kept; if its request has not come in full, only when that was dropped."""
        if self._answered_early() and not self.transport.is_closing():
            self._unread = UnreadBody(self.transport, last=True)
        else:
            self.transport.close()

    def _answered_early(self) -> bool:
        return self.cycle.response_complete and self.cycle.more_body

    def connection_lost(self, exc: Exception | None) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
        if self._unread is not None:
            self._unread.end()
        super().connection_lost(exc)
        if self._direct is not None:
            self._direct.leave()

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class _Last:
    """The connection of a request after which it is closed, as uvicorn's cycle uses it."""

    def __init__(self, protocol: GuardedProtocol) -> None:
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing
        self.abort = protocol.transport.abort
        self.close = protocol.close_after_reply
