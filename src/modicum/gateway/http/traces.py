"""POST /v1/traces: the calls that programs tell of in OpenTelemetry spans. A door beside the gateway and the importers.

Needs a modicum key, as `/outcomes` does. What a request holds of calls is on the disk before it is answered; the ledger
process books it (`modicum.ledger.spans`). Of a span only what `modicum.providers.otel` reads is looked at: no prompt is
kept. Spans are taken apart in a thread, one request at a time, which gives way to the calls under way.

Answers are OTLP's (https://opentelemetry.io/docs/specs/otlp/#otlphttp): what cannot be read is a partial success.
"""

import asyncio
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from modicum.calls import Call, Owner, UserError
from modicum.gateway.callers.attribution import short
from modicum.gateway.callers.owners import Caller, Owners
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.metrics import Metrics
from modicum.ledger.journal import Journal, NotDurable, Record
from modicum.ledger.spans import Received
from modicum.providers import otlp, otlp_protobuf
from modicum.providers.json_values import tolerant
from modicum.providers.otel import Span, call_from, is_inference

SOURCE = "otlp"
TRACES = "/v1/traces"
OTHER_SIGNALS = frozenset({"/v1/metrics", "/v1/logs", "/v1development/profiles"})
PATHS = frozenset({TRACES}) | OTHER_SIGNALS
MOST_BYTES = 16 * 1024 * 1024
"""Of a request, unpacked. Protobuf takes up to 26 times as much in memory."""
KEPT_REQUESTS = 500
"""That the ledger has; a request may hold hundreds of calls."""
MOST_WAITING = 16
"""Requests that wait to be taken apart."""
GIVE_WAY_EVERY = 16
MOST_REASONS = 3
_NAMES = ("model", "task", "conversation", "agent", "project", "finish_reason")
_PROTOBUF, _JSON = b"application/x-protobuf", b"application/json"
_GZIP = b"\x1f\x8b"
_PLACE = re.compile(r"[0-9a-f]{32}:[0-9a-f]{16}")
_pack = msgspec.msgpack.Encoder().encode


class ParsedSpans(msgspec.Struct):
    """The spans of one request, and the calls in them."""

    spans: list[Received] = []
    calls: int = 0
    rejected: int = 0
    """Spans of calls that cannot be read."""
    reasons: list[str] = []


class Traces:
    """Takes spans over OTLP: key, bounds, calls, durable before the answer.

    Args:
        journal: the journal of this process's calls; what comes in here is kept beside it.
    """

    def __init__(self, journal: Path, metrics: Metrics) -> None:
        self._place, self._metrics = spans_folder(journal.parent), metrics
        self._name = journal.stem
        self._journal: Journal | None = None
        self._thread = ThreadPoolExecutor(1, "spans")
        self._waiting = 0

    async def take(
        self,
        owners: Owners,
        method: str,
        path: str,
        headers: Mapping[bytes, bytes],
        read: Callable[[], Awaitable[bytes]],
        client: Client,
    ) -> None:
        """Answers when the spans are durable. The body is read once the sender is known."""
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        try:
            caller = _checked(owners, method, path, headers)
            result = await self._parse(caller.owner, kind, await read())
            if result.spans:
                await self._opened().append(Record("", "spans", _pack(result.spans)))
        except Refused as refusal:
            self._metrics.refused(refusal.kind)
            await _refuse(client, kind, refusal)
        except NotDurable:
            await _refuse(client, kind, Refused(503, "the spans could not be recorded; send them again", "unavailable"))
        else:
            self._metrics.spans_received(result.calls, len(result.spans) - result.calls, result.rejected)
            await _answer(client, kind, result)

    @property
    def trouble(self) -> str:
        """Why spans cannot be recorded; empty if they can, or none has come."""
        return self._journal.reason if self._journal is not None else ""

    def close(self) -> None:
        self._thread.shutdown()
        if self._journal is not None:
            self._journal.close()

    async def _parse(self, owner: Owner, kind: bytes, body: bytes) -> ParsedSpans:
        if kind not in {_PROTOBUF, _JSON}:
            raise Refused(415, "OTLP comes as application/x-protobuf or application/json", "invalid_request")
        if self._waiting >= MOST_WAITING:
            raise Refused(503, "too many requests wait; send it again", "overloaded")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, read, kind, body, owner)
        finally:
            self._waiting -= 1

    def _opened(self) -> Journal:
        if self._journal is None:
            try:
                self._journal = Journal(self._place, self._name, slots=1, kept=KEPT_REQUESTS)
            except UserError:
                raise Refused(503, "the spans cannot be recorded at the moment", "unavailable") from None
        return self._journal


def spans_folder(journals: Path) -> Path:
    """Where what came in over OTLP is kept, beside the journals of calls."""
    return journals.parent / "spans"


def read(kind: bytes, body: bytes, owner: Owner) -> ParsedSpans:
    """What a request tells, in a thread. A key's own team, app and user stand above what its spans say.

    Raises:
        Refused: it is no request of OTLP, or unpacks to more than is taken.
    """
    result = ParsedSpans()
    try:
        for number, found in enumerate(_spans(kind, _unpacked(body))):
            if number % GIVE_WAY_EVERY == 0:
                time.sleep(0)  # the thread that serves calls may go first
            if isinstance(found, Span):
                _take(found, owner, result)
            else:
                _reject(found, result)
    except UserError as error:
        raise Refused(415, f"{error}, where the gateway runs; or send JSON", "invalid_request") from None
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) and not isinstance(error, msgspec.MsgspecError) else ""
        raise Refused(400, reason or "it is no trace request of OTLP", "invalid_request") from None
    return result


def _spans(kind: bytes, body: bytes) -> Iterator[Span | str]:
    if kind == _PROTOBUF:
        yield from otlp_protobuf.spans_in(body)
        return
    document = tolerant(msgspec.json.decode)(body)
    if not isinstance(document, dict):
        raise ValueError("it is no trace request of OTLP")  # noqa: TRY004 - bad data
    for number, (resource, raw) in enumerate(otlp.raw_spans(document)):
        if number >= otlp_protobuf.MOST_SPANS:
            raise ValueError(f"more than {otlp_protobuf.MOST_SPANS:,} spans in one request")
        try:
            yield otlp.span_from(raw, resource)
        except ValueError as error:
            yield str(error)


def _take(span: Span, owner: Owner, result: ParsedSpans) -> None:
    try:
        call = call_from(span, SOURCE)
    except ValueError as error:
        if is_inference(span.attributes):
            _reject(str(error), result)
        return
    if not _PLACE.fullmatch(f"{span.trace_id}:{span.span_id}"):
        _reject("the trace id is not 16 bytes, or the span id not 8", result)
        return
    owned = None if call is None else _owned(call, owner)
    result.spans.append(Received(span.trace_id, span.span_id, short(span.parent_id), owned))
    result.calls += call is not None


def _owned(call: Call, owner: Owner) -> Call:
    """The call with the key's owner, and with names that are bounded: they become columns of the ledger."""
    owner_of_span = call.owner
    of_key = Owner(
        owner.team or short(owner_of_span.team),
        owner.app or short(owner_of_span.app),
        owner.user or short(owner_of_span.user),
        owner.key,
    )
    names = {name: short(getattr(call, name)) for name in _NAMES}
    tags = {name: short(value) for name, value in call.tags.items()}
    return msgspec.structs.replace(call, owner=of_key, tags=tags, **names)


def _reject(reason: str, result: ParsedSpans) -> None:
    result.rejected += 1
    if reason not in result.reasons and len(result.reasons) < MOST_REASONS:
        result.reasons.append(reason)


def _unpacked(body: bytes) -> bytes:
    """Unpacks a body whose packing shows in its first bytes, which neither protobuf nor JSON can have.

    Raises:
        Refused: it unpacks to more than is taken, or not at all.
    """
    too_large = Refused(413, f"a request may have at most {MOST_BYTES:,} bytes unpacked; send fewer spans", "too_large")
    if not body.startswith(_GZIP):
        if len(body) > MOST_BYTES:
            raise too_large
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MOST_BYTES)
    except zlib.error:
        raise Refused(400, "the body is no gzip", "invalid_request") from None
    if unpacker.unconsumed_tail:
        raise too_large
    if not unpacker.eof:
        raise Refused(400, "the body is no whole gzip", "invalid_request")
    return unpacked


def _checked(owners: Owners, method: str, path: str, headers: Mapping[bytes, bytes]) -> Caller:
    if path in OTHER_SIGNALS:
        signal = path.rpartition("/")[2]
        raise Refused(404, f"modicum takes traces only; set OTEL_{signal.upper()}_EXPORTER=none", "unknown_path")
    if method != "POST":
        raise Refused(405, f"{TRACES} takes POST", "method_not_allowed")
    if headers.get(b"content-encoding", b"identity").lower() not in {b"identity", b"gzip"}:
        raise Refused(415, "OTLP comes plain or as gzip", "invalid_request")
    caller = owners.identify(headers, b"")
    if caller.own_key is not None:
        raise Refused(401, "traces need a modicum key; 'modicum key create NAME' makes one", "unknown_key")
    return caller


async def _answer(client: Client, kind: bytes, result: ParsedSpans) -> None:
    message = "; ".join(result.reasons)
    if kind == _PROTOBUF:
        body = otlp_protobuf.answer_of(result.rejected, message)
    elif result.rejected:
        partial = {"rejectedSpans": str(result.rejected), "errorMessage": message}
        body = msgspec.json.encode({"partialSuccess": partial})
    else:
        body = b"{}"
    client.prepare(200, [(b"content-type", kind)])
    await client.finish(body)


async def _refuse(client: Client, kind: bytes, refusal: Refused) -> None:
    """Answers with a refusal as `google.rpc.Status`, in the sender's encoding if it can be had."""
    code = _CODES.get(refusal.status, 3)
    try:
        body = otlp_protobuf.status_of(code, refusal.message) if kind == _PROTOBUF else b""
    except UserError:
        body = b""
    if not body:
        kind, body = _JSON, msgspec.json.encode({"code": code, "message": refusal.message})
    headers = [(b"content-type", kind)]
    if refusal.status == 503:
        headers.append((b"retry-after", b"5"))
    client.prepare(refusal.status, headers)
    await client.finish(body)


_CODES = {401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 503: 14}
"""https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto"""
