"""What a request of OTLP tells: calls in spans and in log records, outcomes in counters. Run in a thread.

Of a span or record only what `modicum.providers` reads is looked at: no prompt is kept, and of protobuf none is even
decoded.
"""

import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from modicum.calls import Call, Outcome, Owner, UserError
from modicum.gateway.callers.attribution import short
from modicum.gateway.callers.owners import Caller
from modicum.gateway.http.refusal import Refused
from modicum.ledger.otlp.spans import Received
from modicum.providers.json_values import tolerant
from modicum.providers.opentelemetry import claude_code_telemetry, evaluation_event, otlp, otlp_protobuf
from modicum.providers.opentelemetry.otel import Point, Span, call_from, is_inference

SOURCE = "otlp"
MOST_BYTES = 16 * 1024 * 1024
"""Of a request, unpacked. Protobuf takes up to 26 times as much in memory."""
GIVE_WAY_EVERY = 16
MOST_REASONS = 3
PROTOBUF, JSON = b"application/x-protobuf", b"application/json"
MOST_ID_CHARACTERS = 400
_NAMES = ("model", "task", "conversation", "agent", "project", "finish_reason")
_READ = claude_code_telemetry.READ | evaluation_event.READ
_GZIP = b"\x1f\x8b"
_PLACE = re.compile(r"[0-9a-f]{32}:[0-9a-f]{16}")


class Parsed(msgspec.Struct):
    """What one request told."""

    spans: list[Received] = []
    outcomes: list[Outcome] = []
    calls: int = 0
    rejected: int = 0
    """Spans, records or values that cannot be read."""
    reasons: list[str] = []


def read_spans(kind: bytes, body: bytes, caller: Caller) -> Parsed:
    """The calls of a request for traces. A key's own team, app and user stand above what its spans say.

    Raises:
        Refused: it is no request of OTLP, or unpacks to more than is taken.
    """
    result = Parsed()
    for found in _items(_spans, kind, body):
        if isinstance(found, str):
            _reject(found, result)
        else:
            _take_span(found, caller.owner, result)
    return result


def read_logs(kind: bytes, body: bytes, caller: Caller) -> Parsed:
    """What a request for logs tells: calls in Claude Code's events, outcomes in results of evaluations. Other GenAI
    events are told in spans as well, which alone say what stands inside what.

    Raises:
        Refused: as `read_spans`.
    """
    result = Parsed()
    for found in _items(_log_spans, kind, body):
        if isinstance(found, str):
            _reject(found, result)
        elif claude_code_telemetry.is_call(found):
            _take_event(found, caller.owner, result)
        elif evaluation_event.is_evaluation(found):
            _take_evaluation(found, caller, result)
    return result


def read_counters(kind: bytes, body: bytes, caller: Caller) -> Parsed:
    """The outcomes of a request for metrics. They belong to the key that sent them, as those of `/outcomes`.

    Raises:
        Refused: as `read_spans`.
    """
    result = Parsed()
    points = _items(_points, kind, body)
    for found in claude_code_telemetry.outcomes_from(points, f"gateway:{caller.key_id}:telemetry|"):
        if isinstance(found, str):
            _reject(found, result)
        else:
            named = msgspec.structs.replace(found, task=short(found.task))
            result.outcomes.append(msgspec.structs.replace(named, source=f"{named.source}, key {caller.owner.key}"))
    return result


def _items(read: Callable[[bytes, bytes], Iterator[Any]], kind: bytes, body: bytes) -> Iterator[Any]:
    try:
        for number, found in enumerate(read(kind, _unpacked(body))):
            if number % GIVE_WAY_EVERY == 0:
                time.sleep(0)  # the thread that serves calls may go first
            yield found
    except UserError as error:
        raise Refused(415, f"{error}, where the gateway runs; or send JSON", "invalid_request") from None
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) and not isinstance(error, msgspec.MsgspecError) else ""
        raise Refused(400, reason or otlp_protobuf.NO_REQUEST, "invalid_request") from None


def _spans(kind: bytes, body: bytes) -> Iterator[Span | str]:
    if kind == PROTOBUF:
        yield from otlp_protobuf.spans_in(body)
        return
    for resource, raw in _bounded(otlp.raw_spans(_document(body)), "spans"):
        try:
            yield otlp.span_from(raw, resource)
        except ValueError as error:
            yield str(error)


def _log_spans(kind: bytes, body: bytes) -> Iterator[Span | str]:
    if kind == PROTOBUF:
        yield from otlp_protobuf.log_spans_in(body, _READ.__contains__)
        return
    for resource, raw in _bounded(otlp.raw_log_records(_document(body)), "log records"):
        try:
            yield otlp.log_span_from(raw, resource)
        except ValueError as error:
            yield str(error)


def _points(kind: bytes, body: bytes) -> Iterator[Point | str]:
    counters = claude_code_telemetry.COUNTERS
    if kind == PROTOBUF:
        yield from otlp_protobuf.points_in(body, counters, claude_code_telemetry.READ.__contains__)
        return
    for resource, metric in _bounded(otlp.raw_metrics(_document(body)), "metrics"):
        if otlp.metric_name(metric) in counters:
            yield from otlp.points_in(resource, metric)


def _document(body: bytes) -> Mapping[str, Any]:
    document = tolerant(msgspec.json.decode)(body)
    if not isinstance(document, dict):
        raise ValueError(otlp_protobuf.NO_REQUEST)  # noqa: TRY004 - bad data
    return document


def _bounded(found: Iterator[tuple[Any, Any]], what: str) -> Iterator[tuple[Any, Any]]:
    for number, one in enumerate(found):
        if number >= otlp_protobuf.MOST_SPANS:
            raise ValueError(f"more than {otlp_protobuf.MOST_SPANS:,} {what} in one request")
        yield one


def _take_span(span: Span, owner: Owner, result: Parsed) -> None:
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


def _take_event(span: Span, owner: Owner, result: Parsed) -> None:
    try:
        call = _owned(claude_code_telemetry.call_from_event(span, SOURCE), owner)
    except ValueError as error:
        _reject(str(error), result)
        return
    call = msgspec.structs.replace(call, call_id=call.call_id[:MOST_ID_CHARACTERS])
    # The session stands for the trace that an event has not: what is sent again is known in it.
    result.spans.append(Received(f"session:{call.task}", call.call_id, "", call))
    result.calls += 1


def _take_evaluation(span: Span, caller: Caller, result: Parsed) -> None:
    try:
        outcome = evaluation_event.outcome_from_event(span, f"gateway:{caller.key_id}:evaluation|")
    except ValueError as error:
        _reject(str(error), result)
        return
    source = f"{outcome.source}, key {caller.owner.key}"
    result.outcomes.append(
        msgspec.structs.replace(outcome, task=short(outcome.task), name=short(outcome.name), source=source)
    )


def _owned(call: Call, owner: Owner) -> Call:
    """With the key's owner, and with names that are bounded: they become columns of the ledger."""
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


def _reject(reason: str, result: Parsed) -> None:
    result.rejected += 1
    if reason not in result.reasons and len(result.reasons) < MOST_REASONS:
        result.reasons.append(reason)


def _unpacked(body: bytes) -> bytes:
    """Told from the first bytes, which neither protobuf nor JSON can have.

    Raises:
        Refused: it unpacks to more than is taken, or not at all.
    """
    too_large = Refused(
        413, f"a request may have at most {MOST_BYTES:,} bytes unpacked; send less at once", "too_large"
    )
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
