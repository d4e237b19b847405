"""HTTP/1.1 as the gateway takes it: how large headers may be, how slowly they may come, and what becomes of a body that
nobody reads.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from modicum.gateway.http.direct_caller import EXTENSION, Connection, DirectCaller
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
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > MOST_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """What follows a chunked body is no header: nobody in front of us has looked at it."""
        if self._in_headers:
            name = name.lower()
            if name == b"expect":
                super().on_header(name, value)
            else:
                self.headers.append((name, value))

    def on_message_begin(self) -> None:
        self._in_headers = True
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

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """The request's scope gets its caller (`direct_caller`). What answers a HEAD has no body to be written so."""
        self._direct = None
        if cycle.scope["method"] != "HEAD":
            self._direct = DirectCaller(cycle, self._connection)
            cycle.scope["extensions"] = {EXTENSION: self._direct}  # type: ignore[dict-item]
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
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
