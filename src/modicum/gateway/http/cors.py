"""Pages of other origins that may call from a browser (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).

Off unless the settings list origins. Who calls shows a key in a header, never a cookie, so replies are never readable
with a browser's credentials and no origin is ever `*`. A page whose origin is not listed gets no word of CORS.
"""

import re
from collections.abc import Iterable

from modicum.gateway.http.client import Client, Message, Send
from modicum.gateway.http.refusal import Refused
from modicum.outbound.keepalive import Header

METHODS = b"GET, POST"
REMEMBERED_S = 600
"""How long a browser may rely on one preflight."""
_HEADER_NAMES = re.compile(rb"[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*", re.ASCII)
_VARY: Header = (b"vary", b"Origin")


class Cors:
    """Which pages may call from a browser.

    Args:
        origins: as browsers write them: `https://app.example.com`.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.encode("ascii") for origin in origins)
        self.marks_replies = bool(self._origins)
        """Whether replies get headers of ours."""

    def check_socket(self, headers: dict[bytes, bytes]) -> None:
        """Whether a WebSocket may be opened, which browsers ask no leave for: a page's origin must be listed.

        Raises:
            Refused: it is not.
        """
        if b"origin" in headers and headers[b"origin"] not in self._origins:
            raise Refused(403, "this origin is not listed in gateway.cors_origins of modicum.toml", "foreign_origin")

    def marked(self, headers: Iterable[Header], send: Send) -> Send:
        """What sends a reply, errors included, so that the page which asked for it may read it."""
        if not self._origins:
            return send
        origins = [value for name, value in headers if name == b"origin"]
        allowed = origins[0] if len(origins) == 1 and origins[0] in self._origins else None

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_reply_headers(allowed, message["headers"])]
            await send(message)

        return send_marked

    def is_preflight(self, method: str, headers: dict[bytes, bytes]) -> bool:
        """Whether a browser asks what it may send. With no origins listed it gets the answer that everybody gets."""
        asks = method == "OPTIONS" and b"access-control-request-method" in headers
        return asks and b"origin" in headers and bool(self._origins)

    async def answer_preflight(self, headers: dict[bytes, bytes], client: Client) -> None:
        """Says that the page may send what it asked for: which paths, methods and headers are served is decided as for
        anybody else.

        Raises:
            Refused: its origin is not listed, or what it asks for are no headers.
        """
        if headers[b"origin"] not in self._origins:
            raise Refused(403, "this origin is not listed in gateway.cors_origins of modicum.toml", "foreign_origin")
        answer = [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-max-age", b"%d" % REMEMBERED_S),
            (b"vary", b"Access-Control-Request-Headers"),
        ]
        if requested := headers.get(b"access-control-request-headers", b"").strip():
            if not _HEADER_NAMES.fullmatch(requested):
                raise Refused(400, "access-control-request-headers is no list of names", "invalid_request")
            answer.append((b"access-control-allow-headers", requested))
        if headers.get(b"access-control-request-private-network") == b"true":
            # A page from the internet that calls this machine or its network: it is listed, so somebody wants that.
            answer.append((b"access-control-allow-private-network", b"true"))
        client.prepare(200, answer)
        await client.finish(b"")


def _reply_headers(allowed: bytes | None, headers: list[Header]) -> list[Header]:
    if allowed is None:
        return [_VARY]  # the same address has another answer for another origin
    readable = b", ".join(
        dict.fromkeys(name for name, _ in headers if name != b"vary" and not name.startswith(b"access-control-"))
    )
    return [_VARY, (b"access-control-allow-origin", allowed), (b"access-control-expose-headers", readable)]
