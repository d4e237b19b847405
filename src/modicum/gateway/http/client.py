"""The caller's side of one exchange: its reply, written as the server wants it."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

from modicum.gateway.exchange import Exchange
from modicum.gateway.http.direct_caller import DirectCaller
from modicum.gateway.http.refusal import ClientGone
from modicum.outbound.keepalive import Header
from modicum.providers.dialect import Dialect

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_JSON: Header = (b"content-type", b"application/json")
_RETRY_AFTER_S = {"overloaded": 1, "bodies_full": 1, "upstream_full": 1, "out_of_files": 1, "unavailable": 5}
"""Refusals that pass, and how soon it is worth to try again."""


def retry_header(kind: str, seconds: int | None = None) -> list[Header]:
    """The header that says when to try again; none where that would not help. `seconds` stand above the usual ones."""
    seconds = _RETRY_AFTER_S.get(kind) if seconds is None else seconds
    return [] if seconds is None else [(b"retry-after", b"%d" % seconds)]


class PieceCopy(Protocol):
    """Keeps a copy of what is passed on to a caller."""

    def add(self, piece: bytes) -> None: ...


class Client:
    """The caller's end of a request: what is sent to it, and whether it is still there.

    Args:
        receive, send: the server's two ends (ASGI).
        slow_s: how long it may stop reading its reply.
        direct: its connection, where the server gives it.
    """

    __slots__ = (
        "_direct",
        "_headers",
        "_receive",
        "_send",
        "_slow_s",
        "_status",
        "copy",
        "error_body",
        "exchange",
        "gone",
        "started",
    )

    def __init__(self, receive: Receive, send: Send, slow_s: float, direct: DirectCaller | None = None) -> None:
        self._receive, self._send, self._slow_s, self._direct = receive, send, slow_s, direct
        self._status, self._headers = 500, [_JSON]
        self.error_body = b""
        self.started = False
        """Whether a part of the reply has gone out."""
        self.gone = False
        self.copy: PieceCopy | None = None
        """Who keeps a copy of the pieces that are passed on."""
        self.exchange: Exchange | None = None

    def watch(self, exchange: Exchange) -> None:
        """Tells the exchange when the caller leaves."""
        self.exchange = exchange
        if self._direct is not None:
            self._direct.watch(self._leave)
            return
        task = asyncio.ensure_future(self._receive())
        task.add_done_callback(self._left)

    @property
    def content_type(self) -> bytes:
        """Of the reply that was prepared or has begun."""
        return next((value for name, value in self._headers if name == b"content-type"), _JSON[1])

    def prepare(self, status: int, headers: list[Header]) -> None:
        """How the reply will begin, once `finish` has the whole of it. A status that HTTP does not know is a 502."""
        self._status, self._headers = status if status < 600 else 502, headers

    def prepare_error(
        self,
        dialect: Dialect,
        status: int,
        message: str,
        kind: str,
        retry_after_s: int | None = None,
        more: Sequence[Header] = (),
    ) -> None:
        self.prepare(status, [_JSON, *retry_header(kind, retry_after_s), *more])
        self.error_body = dialect.error(status, message, kind)

    async def refuse(
        self,
        dialect: Dialect,
        status: int,
        message: str,
        kind: str,
        retry_after_s: int | None = None,
        more: Sequence[Header] = (),
    ) -> None:
        self.prepare_error(dialect, status, message, kind, retry_after_s, more)
        await self.finish(self.error_body)

    async def start(self, status: int, headers: list[Header]) -> None:
        """Begins a reply that is passed on in pieces."""
        self.started = True
        self._status, self._headers = status, headers
        if self._direct is not None and self._direct.is_ready:
            self._direct.begin(status, self._marked(headers))
            return
        await self._write({"type": "http.response.start", "status": status, "headers": self._marked(headers)})

    async def pass_on(self, piece: bytes) -> None:
        """Sends a piece of the reply, and waits while the caller does not read.

        Raises:
            ClientGone: it left, or has not read for too long.
        """
        if self.gone:
            raise ClientGone
        if self.copy is not None:
            self.copy.add(piece)
        if self._direct is not None and self._direct.is_ready:
            self._direct.write(piece, is_last=False)
            return
        await self._write({"type": "http.response.body", "body": piece, "more_body": True})

    async def finish(self, end: bytes) -> None:
        """The last piece, or all of the reply."""
        if self.gone:
            return
        if self._direct is not None and self._direct.is_ready:
            if self.started:
                self._direct.write(end, is_last=True)
            else:
                self.started = True
                self._direct.reply(self._status, self._marked(self._headers), end)
            return
        if not self.started:
            self.started = True
            headers = [*self._marked(self._headers), (b"content-length", b"%d" % len(end))]
            # The server keeps the head until there is a body, so this waits for nobody.
            await self._send({"type": "http.response.start", "status": self._status, "headers": headers})
        await self._write({"type": "http.response.body", "body": end, "more_body": False})

    async def break_off(self, dialect: Dialect) -> None:
        """The reply may not be finished: an error, where there is still room for one; else the connection is cut."""
        message = "this call could not be recorded, so its reply is withheld"
        if not self.started:
            await self.refuse(dialect, 503, message, "not_recorded")
        elif not self.gone:
            await self._write(
                {"type": "http.response.body", "body": dialect.error_event(503, message, "x"), "more_body": True}
            )

    def _marked(self, headers: list[Header]) -> list[Header]:
        if self.exchange is None:
            return headers
        if self.exchange.limit_headers is not None and (ours := self.exchange.limit_headers()):
            # In the place of the provider's, which are of all its callers.
            prefix = ours[0][0].rpartition(b"ratelimit-")[0] + b"ratelimit-"
            headers = [header for header in headers if not header[0].startswith(prefix)] + ours
        marked = [*headers, (b"x-modicum-call", self.exchange.number.encode("ascii"))]
        if self.exchange.attempts > 1:
            marked.append((b"x-modicum-attempts", b"%d" % self.exchange.attempts))
        if self.exchange.left_out:
            marked.append((b"x-modicum-left-out", ", ".join(self.exchange.left_out).encode("ascii", "replace")))
        if self.exchange.mark:
            marked.append((b"x-modicum-plan", self.exchange.mark.encode("ascii", "replace")))
        if self.exchange.budget_left is not None and (left := self.exchange.budget_left.text()):
            marked.append((b"x-modicum-budget-left", left.encode("ascii", "replace")))
        if self.exchange.ceiling is not None:
            marked.append((b"x-modicum-output-ceiling", self.exchange.ceiling.text.encode("ascii", "replace")))
        if self.exchange.downgraded_to:
            marked.append((b"x-modicum-downgraded-to", self.exchange.downgraded_to.encode("ascii", "replace")))
        return marked

    async def _write(self, message: Message) -> None:
        timer = asyncio.get_running_loop().call_later(self._slow_s, self._too_slow, asyncio.current_task())
        try:
            await self._send(message)
        except asyncio.CancelledError:
            if self.gone:
                raise ClientGone from None
            raise
        finally:
            timer.cancel()

    def _too_slow(self, task: "asyncio.Task[None] | None") -> None:
        self.gone = True
        if self._direct is not None:
            self._direct.cut()
        if task is not None:
            task.cancel()

    def _left(self, task: "asyncio.Future[Message]") -> None:
        if not task.cancelled():
            self._leave()

    def _leave(self) -> None:
        if self.exchange is not None and self.exchange.finished is None:
            self.gone = True
            self.exchange.client_left()
