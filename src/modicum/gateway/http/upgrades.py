"""Other protocols that a caller would rather speak on its connection. Nearly always HTTP/1.1 goes on.

An `Upgrade` may be ignored (RFC 9110, 7.8), so a request that asks for HTTP/2 over plain text is served as it came.
A WebSocket has no such second meaning: but for the paths that have one (`gateway/websocket/`), its handshake is refused
at once, with the status that tells clients to use HTTP.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modicum.gateway.http.client import Client
from modicum.gateway.http.paths import has_websocket
from modicum.outbound.keepalive import Header
from modicum.providers.dialect import Dialect

if TYPE_CHECKING:
    from array import array

NO_WEBSOCKET = "no_websocket"
_HTTP_ONLY = 'no WebSocket is spoken here; send the request over HTTP: POST, with "stream": true for a stream'
_REFUSAL: list[Header] = [
    (b"content-type", b"application/json"),
    (b"upgrade", b"HTTP/1.1"),
    (b"connection", b"upgrade"),
]


class PlainParser(httptools.HttpRequestParser):
    """Reads every request as plain HTTP/1.1.

    llhttp takes what follows the head of a request with an `Upgrade` for another protocol, the request's own body with
    it. So such a head is read a second time without that header, and its body as one. `protocol` must take no notice of
    the first time (`should_upgrade` says which it is) and puts the header back.
    """

    def __init__(self, protocol: HttpToolsProtocol, takes_websocket: Callable[[], bool] = lambda: False) -> None:
        super().__init__(protocol)
        self._takes_websocket = takes_websocket
        self._protocol = protocol
        self._left_out: list[Header] = []

    def feed_data(self, data: "bytes | bytearray | memoryview[int] | array[int]") -> None:
        while True:
            try:
                super().feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self._takes_websocket():
                    raise
                if self.get_method() == b"CONNECT":  # it would be one for ever
                    raise httptools.HttpParserError("no tunnels here") from None
                data = self._plain_head() + bytes(data[upgrade.args[0] :])
            else:
                return

    def take_left_out(self) -> list[Header]:
        """What the head that is read just now had besides, once."""
        left_out, self._left_out = self._left_out, []
        return left_out

    def _plain_head(self) -> bytes:
        """The head that was read, as uvicorn writes one for a WebSocket."""
        lines = [b"%s %s HTTP/%s" % (self.get_method(), self._protocol.url, self.get_http_version().encode("ascii"))]
        for header in self._protocol.headers:
            if header[0] == b"upgrade":
                self._left_out.append(header)
            elif header[0] != b"http2-settings":  # means nothing without it, and must not be sent on
                lines.append(b"%s: %s" % header)
        return b"\r\n".join([*lines, b"", b""])


class PlainProtocol(HttpToolsProtocol):
    """uvicorn's protocol, to which every request is plain HTTP/1.1."""

    parser: PlainParser

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.parser = PlainParser(self, self.takes_websocket)
        # As uvicorn has it: what follows a `connection: close` is not read, and no fault of what came before.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def takes_websocket(self) -> bool:
        """Whether this head opens a WebSocket that is served here: then the server's protocol for these takes over."""
        if self.ws_protocol_class is None or self.scope["method"] != "GET":
            return False
        upgrade = next((value for name, value in self.headers if name == b"upgrade"), b"")
        path = unquote(httptools.parse_url(self.url).path.decode("ascii", "replace"))
        return upgrade.strip().lower() == b"websocket" and has_websocket(path)

    def _should_upgrade(self) -> bool:
        """Whether this head is none yet: the parser reads it a second time, without the upgrade."""
        return True

    def on_headers_complete(self) -> None:
        self.headers += self.parser.take_left_out()
        super().on_headers_complete()


def asks_for_websocket(method: str, headers: dict[bytes, bytes]) -> bool:
    return method == "GET" and headers.get(b"upgrade", b"").strip().lower() == b"websocket"


async def refuse_websocket(client: Client, dialect: Dialect) -> None:
    """426 with what is spoken instead, as the status wants it. The connection stays open for HTTP."""
    client.prepare(426, _REFUSAL)
    await client.finish(dialect.error(426, _HTTP_ONLY, NO_WEBSOCKET))
