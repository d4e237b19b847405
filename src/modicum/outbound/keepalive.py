"""Kept-alive HTTP/1.1 connections: small, streamed, with back-pressure.

It costs a third of the processor time of the general clients that were measured
beside it (docs/gateway.md), because it does one thing: send a whole body, pass the reply on as it comes. The HTTP
parser is llhttp (httptools); TLS is asyncio's. Redirects are not followed, cookies are not kept, no proxy is taken
from the environment.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import httptools

from modicum.calls.containment import undo_if_failed
from modicum.outbound.hosts import Origin
from modicum.outbound.open_files import OutOfFiles, out_of_files
from modicum.outbound.phases import PhaseTimedOut, PhaseTimeouts
from modicum.outbound.unreachable import TooSlow, Unreachable, Untrusted

Header = tuple[bytes, bytes]
Pieces = Callable[[], Awaitable[bytes]]
"""Gives the next piece of a body, as it goes onto the wire; empty: it is over."""

MOST_WAITING_BYTES = 64 * 1024
"""A reply is no longer read from the socket while this much of it waits for a slow reader."""
MOST_HEADER_BYTES = 128 * 1024
MOST_CHUNK_BYTES = 64 * 1024
"""Of small pieces that have come together: who looks through a chunk holds up all others meanwhile."""
STALE_IDLE_S = 1.0
STALE_LOST_WITHIN_S = 0.5


class Connections:
    """The pool. `send` gives an `Answer` whose status and headers have come; its body is read by chunks.

    Args:
        idle_s: how long an unused connection is kept. Shorter than what servers allow, so that they rarely close first.
        connect_s: how long connecting may take.
        silence_s: how long an upstream may say nothing within a reply.
        out_of_files: is called when no connection could be made for want of an open file.
    """

    def __init__(
        self,
        *,
        idle_s: float = 15.0,
        connect_s: float = 10.0,
        silence_s: float = 600.0,
        out_of_files: Callable[[], None] = lambda: None,
    ) -> None:
        self._out_of_files = out_of_files
        self._idle_s, self._connect_s, self._silence_s = idle_s, connect_s, silence_s
        self._idle: dict[Origin, deque[_Connection]] = {}
        self._open: set[_Connection] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def send(
        self,
        origin: Origin,
        head: bytes,
        body: bytes,
        sent: "Callable[[Answer], None] | None" = None,
        timeouts: PhaseTimeouts | None = None,
        more: Pieces | None = None,
    ) -> "Answer":
        """Sends one request; `head` is everything up to and with the blank line. `sent` gets the answer as soon as it
        is waited for, so that somebody else can close it. `timeouts` stand above those of the pool. `more` gives what
        of the body comes behind `body`: as fast as the upstream takes it, on a connection of its own.

        A request is sent a second time in one case: the connection had been idle, and was lost at once and without a
        byte of a reply. It had then been closed for idleness while the request was on its way.

        Raises:
            Unreachable: no connection, or it broke before the reply's headers had come; `OutOfFiles` if that is our own
            fault.
        """
        while True:
            connection = self._idle_connection(origin) if more is None else None
            reused = connection is not None
            if connection is None:
                connection = await self._connect(origin, timeouts)
            answer = connection.exchange(head, body, timeouts)
            if sent is not None:
                sent(answer)
            try:
                with undo_if_failed(connection.abort):  # it is of no use to others
                    if more is not None:
                        await connection.send_more(more, answer)
                    await answer.wait_for_head()
            except ConnectionError as error:
                if reused and connection.was_stale and not answer.closed:
                    continue
                trouble = TooSlow if isinstance(error, PhaseTimedOut) else Unreachable
                raise trouble(f"{origin.host}:{origin.port}: no answer ({error})") from None
            return answer

    async def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in tuple(self._open):
            connection.abort()

    def _idle_connection(self, origin: Origin) -> "_Connection | None":
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, origin: Origin, timeouts: PhaseTimeouts | None) -> "_Connection":
        loop = asyncio.get_running_loop()
        if self._sweeper is None:
            self._sweeper = loop.create_task(self._sweep())
        try:
            async with asyncio.timeout((timeouts.connect_s if timeouts is not None else 0) or self._connect_s):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self, origin), origin.host, origin.port, ssl=origin.trust
                )
        except ssl.SSLCertVerificationError as error:
            if out_of_files(error):  # nor could the authorities be read
                raise self._no_file_for(origin) from None
            raise Untrusted(f"{origin.host}:{origin.port}: {error.verify_message}") from None
        except (OSError, TimeoutError) as error:
            if not isinstance(error, TimeoutError) and out_of_files(error):
                raise self._no_file_for(origin) from None
            raise Unreachable(f"{origin.host}:{origin.port}: no connection ({type(error).__name__})") from None
        self._open.add(connection)
        return connection

    def _no_file_for(self, origin: Origin) -> OutOfFiles:
        self._out_of_files()
        return OutOfFiles(f"{origin.host}:{origin.port}: no connection (too many open files)")

    def put_back(self, connection: "_Connection") -> None:
        self._idle.setdefault(connection.origin, deque()).append(connection)

    def forget(self, connection: "_Connection") -> None:
        self._open.discard(connection)

    async def _sweep(self) -> None:
        """One timer for all connections instead of one each."""
        while True:
            await asyncio.sleep(1.0)
            now = monotonic()
            for connection in tuple(self._open):
                connection.check(now, self._idle_s, self._silence_s)
            for idle in self._idle.values():
                while idle and not idle[0].usable:
                    idle.popleft()


class Answer:
    """A reply as it comes."""

    __slots__ = (
        "_chunks",
        "_connection",
        "_error",
        "_waiter",
        "_waiting_bytes",
        "closed",
        "complete",
        "headers",
        "status",
    )

    def __init__(self, connection: "_Connection") -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.complete = False
        """The whole body has come."""
        self.closed = False
        """Somebody here gave it up."""
        self._connection: _Connection | None = connection
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._error: ConnectionError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def wait_for_head(self) -> None:
        """Returns when status and headers are there.

        Raises:
            ConnectionError: the connection broke first.
        """
        while not self.status:
            if self._error is not None:
                raise self._error
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    async def chunk(self) -> bytes:
        """The next bytes of the body; empty at its end.

        Raises:
            ConnectionError: the reply broke off.
        """
        while not self._chunks:
            if self.complete:
                return b""
            await self._wait_for_data()
        data = self._chunks.popleft()
        if self._chunks and len(data) < MOST_CHUNK_BYTES:
            data = self._joined(data)
        was_full = self._waiting_bytes > MOST_WAITING_BYTES
        self._waiting_bytes -= len(data)
        if was_full and self._waiting_bytes <= MOST_WAITING_BYTES and self._connection is not None:
            self._connection.resume()
        return data

    def _joined(self, first: bytes) -> bytes:
        """With as much of what waits as makes a chunk."""
        parts, size = [first], len(first)
        while self._chunks and size < MOST_CHUNK_BYTES:
            parts.append(self._chunks.popleft())
            size += len(parts[-1])
        return b"".join(parts)

    async def wait_for_body(self) -> bytes:
        """Returns when the first bytes of the body are there, and what is there; it is read all the same. Empty: there
        is no body.

        Raises:
            ConnectionError: the reply broke off before.
        """
        while not self._chunks and not self.complete:
            await self._wait_for_data()
        return self._chunks[0] if self._chunks else b""

    async def rest(self, most_bytes: int) -> bytes:
        """The body from here to its end.

        Raises:
            ConnectionError: the reply broke off, or is larger than `most_bytes`.
        """
        first = await self.chunk()
        if self.complete and not self._chunks:
            return first
        parts, size = [first], len(first)
        while part := await self.chunk():
            parts.append(part)
            size += len(part)
            if size > most_bytes:
                self.close()
                raise ConnectionError(f"the reply is larger than {most_bytes:,} bytes")
        return b"".join(parts)

    def close(self) -> None:
        """Gives up a reply that has not come in full; its connection is cut."""
        self.closed = True
        if not self.complete and self._connection is not None:
            self._connection.abort()

    async def _wait_for_data(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def on_body(self, data: bytes) -> bool:
        """Takes a piece of the body in; says whether there is more than enough for now."""
        self._chunks.append(data)
        self._waiting_bytes += len(data)
        self._wake()
        return self._waiting_bytes > MOST_WAITING_BYTES

    def on_head(self, status: int) -> None:
        self.status = status
        self._wake()

    def on_end(self) -> None:
        self.complete = True
        self._connection = None
        self._wake()

    def on_error(self, error: ConnectionError) -> None:
        self._error = error
        self._connection = None
        self._wake()


class _TimedAnswer(Answer):
    """A reply with limits of its own on how long it may take. Others have no timer."""

    __slots__ = ("_first_byte", "_whole")

    def __init__(self, connection: "_Connection", timeouts: PhaseTimeouts) -> None:
        super().__init__(connection)
        self._first_byte = self._timer(timeouts.first_byte_s, "no first byte within")
        self._whole = self._timer(timeouts.whole_s, "not complete within")

    def _timer(self, seconds: float, reason: str) -> asyncio.TimerHandle | None:
        if not seconds:
            return None
        return asyncio.get_running_loop().call_later(seconds, self._expire, f"{reason} {seconds:g} s")

    def _expire(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.fail(PhaseTimedOut(reason))

    def on_body(self, data: bytes) -> bool:
        if self._first_byte is not None:
            self._first_byte.cancel()
            self._first_byte = None
        return super().on_body(data)

    def on_end(self) -> None:
        self._stop_timers()
        super().on_end()

    def on_error(self, error: ConnectionError) -> None:
        self._stop_timers()
        super().on_error(error)

    def _stop_timers(self) -> None:
        for timer in (self._first_byte, self._whole):
            if timer is not None:
                timer.cancel()


class _Connection(asyncio.Protocol):
    """One socket: one exchange at a time."""

    def __init__(self, pool: Connections, origin: Origin) -> None:
        self.origin = origin
        self.was_stale = False
        """It was lost as connections are that a server has closed for idleness."""
        self._nothing_received = True
        self._idle_before = 0.0
        self._pool = pool
        self._transport: Any = None
        self._parser: Any = None
        self._answer: Answer | None = None
        self._header_bytes = 0
        self._until_close = False
        self._silence_s = 0.0
        self._last = monotonic()
        self._keeps = True
        self._writable: asyncio.Future[None] | None = None
        """While the upstream does not read what is sent."""

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def exchange(self, head: bytes, body: bytes, timeouts: PhaseTimeouts | None = None) -> Answer:
        if timeouts is None:
            self._answer, self._silence_s = Answer(self), 0.0
        else:
            self._answer, self._silence_s = _TimedAnswer(self, timeouts), timeouts.silence_s
        answer = self._answer
        self._parser = httptools.HttpResponseParser(self)
        self._nothing_received, self._until_close, self._header_bytes = True, True, 0
        now = monotonic()
        self._idle_before, self._last = now - self._last, now
        if len(body) < 65536:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return answer

    async def send_more(self, more: Pieces, answer: Answer) -> None:
        """The rest of a request's body, as fast as it is read. Who answers before it has all of it gets no more; so the
        connection is not used again.
        """
        self._keeps = False
        while not answer.status and (piece := await more()):
            if self._transport is None:
                return  # what became of it stands in the answer
            self._last = monotonic()  # who takes a long body in is not silent
            self._transport.write(piece)
            if self._writable is not None:
                await self._writable

    def check(self, now: float, idle_s: float, silence_s: float) -> None:
        quiet = now - self._last
        if self._answer is None:
            if quiet > idle_s:
                self.abort()
        elif quiet > (self._silence_s or silence_s) and self._transport is not None and self._transport.is_reading():
            reason = f"silent for {quiet:.0f} s"
            self.fail(PhaseTimedOut(reason) if self._silence_s else ConnectionError(reason))

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # asyncio's side

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._last = monotonic()
        self._nothing_received = False
        if self._answer is None:  # bytes that nobody asked for
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(ConnectionError(f"it does not speak HTTP/1.1 ({type(error).__name__})"))

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.resume_writing()
        self._pool.forget(self)
        answer, self._answer = self._answer, None
        if answer is None:
            return
        at_once = monotonic() - self._last < STALE_LOST_WITHIN_S
        self.was_stale = self._nothing_received and at_once and self._idle_before > STALE_IDLE_S
        if answer.status and self._until_close and exc is None:
            answer.on_end()
        else:
            answer.on_error(ConnectionError("the connection broke off"))

    # the parser's side

    def on_header(self, name: bytes, value: bytes) -> None:
        assert self._answer is not None  # noqa: S101 - the parser runs only within an exchange
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MOST_HEADER_BYTES:
            raise ValueError("headers too large")
        name = name.lower()
        if name == b"content-length" or (name == b"transfer-encoding" and b"chunked" in value.lower()):
            self._until_close = False
        self._answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        assert self._answer is not None  # noqa: S101 - as above
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer: the real one follows
            self._answer.headers.clear()
            self._until_close = True
            return
        if status in {204, 304}:
            self._until_close = False
        self._answer.on_head(status)

    def on_body(self, data: bytes) -> None:
        assert self._answer is not None  # noqa: S101 - as above
        if self._answer.on_body(data):
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        answer = self._answer
        if answer is None or not answer.status:
            return
        keep = self._keeps and self._parser.should_keep_alive() and not self._until_close
        self._answer = None
        answer.on_end()
        if keep and self.usable:
            if not self._transport.is_reading():
                self._transport.resume_reading()
            self._pool.put_back(self)
        elif self._transport is not None:
            self._transport.close()

    def fail(self, error: ConnectionError) -> None:
        """Gives up the reply that is under way."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.on_error(error)
        self.abort()
