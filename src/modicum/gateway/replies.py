"""Replies passed on, and their usage taken as they go by. The end of a reply is held back: it waits for the journal."""

import asyncio
from collections.abc import Iterator, Sequence
from time import time

import msgspec

from modicum.calls import OURSELVES, CallStatus, Usage
from modicum.gateway.budgets.output_ceilings import CUT_OFF, keeper_of
from modicum.gateway.crossed_headers import crossed_headers
from modicum.gateway.exchange import Exchange, OwnReply
from modicum.gateway.failures import Failed
from modicum.gateway.http.client import Client
from modicum.gateway.http.codings import CODINGS, BadCodingError, Unpacker, coding_of, without_coding
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.listening import pass_chunk
from modicum.gateway.process.log import log
from modicum.gateway.relaying.fair_turns import FairTurns
from modicum.gateway.sending import passes_back
from modicum.outbound.keepalive import Answer, Header
from modicum.outbound.phases import PhaseTimedOut
from modicum.outbound.unreachable import TooSlow, Unreachable, Untrusted
from modicum.providers.dialects import DIALECTS
from modicum.providers.event_stream import PassingBuffer
from modicum.providers.facts import DialectError, ReplyFacts, StreamTail
from modicum.providers.json_values import mended
from modicum.providers.own_tools.shape import CallHops
from modicum.providers.translation.translation import StreamTranslation

MOST_REPLY_BYTES = 256 * 1024 * 1024
MOST_HELD_BYTES = 4 * 1024 * 1024
"""Of an event of a stream that does not end; then it is passed on as it comes."""
_PIECE_BYTES = 256
_LEFTOVER_S = 2.0
"""How long an upstream may take to end a stream whose last event has come."""
_LONGEST_END = max(len(end) for dialect in DIALECTS.values() for end in dialect.stream_ends)
_JSON: Header = (b"content-type", b"application/json")
_EVENTS: Header = (b"content-type", b"text/event-stream; charset=utf-8")


def own(exchange: Exchange, reply: OwnReply, client: Client) -> bytes:
    """A reply that the gateway gives itself: usage is zero, since no model was asked."""
    exchange.reply = ReplyFacts(
        model=exchange.facts.model,
        usage=Usage(),
        usage_final=True,
        complete=not reply.refused,
        finish_reason="" if reply.refused else "stop",
        error_kind=reply.refused,
    )
    exchange.answered_by = OURSELVES
    exchange.status = CallStatus.ERROR if reply.refused else CallStatus.OK
    if client.exchange is None:
        client.watch(exchange)
    client.prepare(reply.status, [(b"content-type", reply.content_type), *reply.headers])
    return reply.body


async def whole(exchange: Exchange, client: Client, body: bytes | None = None) -> bytes:
    """A reply that comes in one piece, or an error: read in full, then handed over as the end. `body` is what `rest`
    has read of it already.

    Raises:
        ConnectionError: it broke off.
        DialectError: it cannot be translated.
    """
    answer = exchange.answer
    assert answer is not None  # noqa: S101 - it was sent
    body = await rest(exchange) if body is None else body
    headers = passes_back(answer)
    if coding_of(headers) in CODINGS:
        headers = without_coding(headers)
    exchange.reply = _facts(exchange, headers, body)
    fine = answer.status == 200 and not exchange.reply.error_kind
    exchange.status = CallStatus.ERROR if not fine else CallStatus.UNKNOWN if exchange.reply.pending else CallStatus.OK
    status = answer.status
    if exchange.translation is not None:
        headers = [_JSON, *_crossed(exchange, headers)]
        if fine:
            body = exchange.translation.reply(body, int(time()), exchange.custom_tools)
        else:
            status, body = exchange.translation.error(status, body)
    client.prepare(status, headers)
    return body if exchange.redaction is None else exchange.redaction.restore(body)


async def rest(exchange: Exchange) -> bytes:
    """All of a reply, in plain bytes unless it is packed in a way that nobody here knows.

    Raises:
        ConnectionError: it broke off.
    """
    answer = exchange.answer
    assert answer is not None  # noqa: S101 - it was sent
    body, coding = await answer.rest(MOST_REPLY_BYTES), coding_of(answer.headers)
    return _unpacked(coding, body) if coding in CODINGS else body


def streams(exchange: Exchange) -> bool:
    """Whether the reply comes as events. Some servers answer in one piece whatever was asked; some APIs stream JSON."""
    answer = exchange.answer
    if not exchange.facts.stream or answer is None or answer.status != 200:
        return False
    kind = _kind(answer.headers)
    if kind == b"text/html":  # of a proxy that answers in the upstream's place
        return False
    return kind != b"application/json" or exchange.upstream_dialect.streams_json


def _facts(exchange: Exchange, headers: Sequence[Header], body: bytes) -> ReplyFacts:
    """What a whole reply tells, even if it consists of events that nobody asked for."""
    dialect = exchange.upstream_dialect
    if _kind(headers) == b"text/event-stream":
        tail = dialect.tail(usage_asked=True)
        tail.feed(body)
        tail.end()
        return tail.facts()
    facts = dialect.reply(body)
    return facts if facts.usage is not None or b"\\u" not in body else dialect.reply(mended(body))


def _kind(headers: Sequence[Header]) -> bytes:
    for name, value in headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""


async def stream(exchange: Exchange, client: Client, failed: Failed, turns: FairTurns) -> bytes:
    """Passes on all of a stream but its end. `failed` counts the failures of who listens; pieces that come
    fast take `turns`.

    Raises:
        ConnectionError: it broke off.
        ClientGone: nobody reads it any more.
    """
    answer = exchange.answer
    assert answer is not None  # noqa: S101 - it was sent
    translated, usage_asked = None, exchange.facts.usage_asked
    if exchange.translation is not None:
        translated = exchange.translation.stream(usage_asked, int(time()), exchange.custom_tools)
    exchange.tail = tail = exchange.upstream_dialect.tail(usage_asked or translated is not None)
    ends = exchange.upstream_dialect.stream_ends
    headers = passes_back(answer)
    source: Answer | _Unpacked = answer
    if coding_of(headers) in CODINGS:
        headers, source = without_coding(headers), _Unpacked(answer, coding_of(headers))
    await _begin(client, headers if translated is None else [_EVENTS, *_crossed(exchange, headers)])
    is_json = translated is None and _kind(headers) == b"application/json"
    passing = _Passing(exchange, translated, is_json=is_json)
    is_sound = _kind(headers).startswith(b"audio/") or _kind(headers) == b"application/octet-stream"
    window = held = b""
    while chunk := await source.chunk():
        if not exchange.timing.first_token_s:
            exchange.timing.first_token_s = exchange.timing.now_s()
        await turns.wait(len(chunk))
        pass_chunk(exchange, chunk, failed)
        # Whole events only: should the upstream break off, an error can follow without half an event before it.
        if is_sound:
            await client.pass_on(chunk)
            continue
        passed = b"".join(passing.feed(tail.feed(piece)) for piece in passing.pieces_of(chunk))
        if ends:
            window = window[-_LONGEST_END:] + chunk
            if _holds_any(window, ends) and tail.facts().complete:
                held = passed
                asyncio.get_running_loop().call_later(_LEFTOVER_S, answer.close)
                break
        if passing.is_over:
            answer.close()
            exchange.reply = msgspec.structs.replace(tail.facts(), finish_reason=CUT_OFF)
            exchange.status = CallStatus.ABORTED
            return passed + passing.cut()
        if passed:
            await client.pass_on(passed)
    held += passing.end(tail)
    exchange.reply = ReplyFacts(complete=True) if is_sound else tail.facts()
    exchange.status = _status_of(exchange.reply)
    return held


async def _begin(client: Client, headers: list[Header]) -> None:
    """Begins the caller's stream, unless it goes on behind a call of a tool of ours."""
    if not client.started:
        await client.start(200, headers)


class _Passing:
    """What a stream goes through on its way to its caller."""

    def __init__(self, exchange: Exchange, translated: StreamTranslation | None, *, is_json: bool) -> None:
        self._buffer = PassingBuffer(MOST_HELD_BYTES, by_lines=is_json)
        self._is_framed = translated is None and exchange.upstream_dialect.streams_frames  # whole ones come already
        self._translated, self._hops, redaction = translated, exchange.of(CallHops), exchange.redaction
        self._restorer = None if redaction is None else redaction.restorer(exchange.request.served.dialect)
        self._ceiling = None if exchange.ceiling is None else keeper_of(exchange)

    def feed(self, piece: bytes) -> bytes:
        """What can be passed on now."""
        if self._is_framed:
            return piece
        passed = self._buffer.feed(piece if self._translated is None else self._translated.feed(piece))
        if self._restorer is not None:
            passed = self._restorer.feed(passed)
        if self._ceiling is not None:
            passed = self._ceiling.feed(passed)
        return passed if self._hops is None else self._hops.feed(passed)

    def pieces_of(self, chunk: bytes) -> Iterator[bytes]:
        """What of a chunk is looked at: all of it; where its budgets leave it only so much, about an event at a time,
        and nothing beyond that.
        """
        step = len(chunk) if self._ceiling is None else _PIECE_BYTES
        for at in range(0, len(chunk), step):
            if self.is_over:
                return
            yield chunk[at : at + step]

    @property
    def is_over(self) -> bool:
        """Whether more has come than its budgets leave it."""
        return self._ceiling is not None and self._ceiling.is_over

    def cut(self) -> bytes:
        """Ends the stream before its upstream does."""
        assert self._ceiling is not None  # noqa: S101 - `is_over` says so
        held = b"" if self._restorer is None else self._ceiling.feed(self._restorer.end())
        held += self._ceiling.end()
        return held if self._hops is None else self._hops.feed(held)

    def end(self, tail: StreamTail) -> bytes:
        """What was held back."""
        held = self._buffer.end() + tail.end()
        if self._translated is not None:
            held += self._translated.end()
        if self._restorer is not None:
            held = self._restorer.feed(held) + self._restorer.end()
        if self._ceiling is not None:
            held = self._ceiling.feed(held)
        return held if self._hops is None else self._hops.feed(held)


def _crossed(exchange: Exchange, headers: Sequence[Header]) -> list[Header]:
    return crossed_headers(headers, exchange.upstream_dialect, exchange.request.served.dialect)


def _holds_any(window: bytes, ends: Sequence[bytes]) -> bool:
    for end in ends:  # noqa: SIM110 - a generator takes three times as long, and this is run for every chunk
        if end in window:
            return True
    return False


def _status_of(streamed: ReplyFacts) -> CallStatus:
    if streamed.error_kind:
        return CallStatus.ERROR
    if streamed.pending:
        return CallStatus.UNKNOWN
    return CallStatus.OK if streamed.complete else CallStatus.ABORTED


def trouble(exchange: Exchange, client: Client, error: Exception) -> bytes:
    """A call that did not go well: what is known of it, and how its reply ends."""
    dialect = exchange.request.served.dialect
    _take_what_came(exchange)
    if exchange.client_gone or isinstance(error, ClientGone):
        exchange.client_left()
        exchange.status = CallStatus.ABORTED
        return b""
    if isinstance(error, Refused | DialectError):
        exchange.status = CallStatus.ERROR
        client.prepare_error(dialect, error.status, error.message, error.kind, getattr(error, "retry_after_s", None))
        return client.error_body
    if client.started:
        exchange.status = CallStatus.ABORTED
        held = b"" if exchange.redaction is None else exchange.redaction.take_held()
        return held + dialect.error_event(502, "the upstream broke off", "upstream_broke_off")
    exchange.status = CallStatus.ABORTED if exchange.answer is not None and exchange.answer.status else CallStatus.ERROR
    if isinstance(error, TooSlow | PhaseTimedOut):
        client.prepare_error(dialect, 504, "the upstream took longer than it may", "upstream_timeout")
        return client.error_body
    message = why_unreachable(error) if isinstance(error, Unreachable) else "the upstream broke off"
    client.prepare_error(dialect, 502, message, "upstream_unreachable")
    return client.error_body


def why_unreachable(error: Exception) -> str:
    """For the caller; what only the operator can mend is logged."""
    if not isinstance(error, Untrusted):
        return "the upstream does not answer"
    log("upstream_not_trusted", problem=str(error), next="an authority of your own is named in the upstream's ca_file")
    return "the upstream's certificate is not trusted; the gateway's log says why"


def cut(exchange: Exchange) -> None:
    """A call that we end ourselves: what is known of it, and no more of it from upstream."""
    _take_what_came(exchange)
    exchange.status = CallStatus.ABORTED
    if exchange.answer is not None:
        exchange.answer.close()


def _take_what_came(exchange: Exchange) -> None:
    if exchange.tail is not None:
        exchange.tail.end()
        exchange.reply = exchange.tail.facts()


class _Unpacked:
    """A reply that came compressed although nobody asked for it, in plain pieces."""

    def __init__(self, answer: Answer, coding: bytes) -> None:
        self._answer = answer
        self._unpacker = Unpacker(coding)
        self._pieces: Iterator[bytes] = iter(())

    async def chunk(self) -> bytes:
        """The next piece; empty at the end.

        Raises:
            ConnectionError: it broke off, or cannot be unpacked.
        """
        while True:
            try:
                piece = next(self._pieces, b"")
            except BadCodingError as error:
                raise ConnectionError(f"the reply cannot be unpacked: {error}") from None
            if piece:
                return piece
            data = await self._answer.chunk()
            if not data:
                return b""
            self._pieces = self._unpacker.pieces(data)


def _unpacked(coding: bytes, body: bytes) -> bytes:
    """A whole reply that came compressed, in plain bytes.

    Raises:
        ConnectionError: it is broken, or unpacks to more than is read.
    """
    parts: list[bytes] = []
    size = 0
    try:
        for piece in Unpacker(coding).pieces(body):
            parts.append(piece)
            size += len(piece)
            if size > MOST_REPLY_BYTES:
                raise ConnectionError("the reply unpacks to more than is read")
    except BadCodingError as error:
        raise ConnectionError(f"the reply cannot be unpacked: {error}") from None
    return b"".join(parts)
