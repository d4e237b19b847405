"""OTLP's protobuf: requests of exporters, read and written.

Source: https://github.com/open-telemetry/opentelemetry-proto (trace/v1/trace.proto, collector/trace/v1). The messages
are those of the package opentelemetry-proto, an extra: `pip install 'modicum[otel]'`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from modicum.calls.extras import load_extra
from modicum.calls.storable import storable
from modicum.providers.otel import READ, Attributes, Event, Span
from modicum.providers.otlp import EPOCH

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

MOST_SPANS = 20_000
"""In one request. An empty span is two bytes on the wire and eighty times as much in memory."""


class Pb2(NamedTuple):
    service: Any
    trace: Any
    decode_error: type[Exception]


@cache
def messages() -> Pb2:
    """The classes of the messages.

    Raises:
        UserError: the extra is not installed.
    """
    service, trace, message = (
        load_extra("otel", "OTLP over protobuf", module)
        for module in (
            "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
            "opentelemetry.proto.trace.v1.trace_pb2",
            "google.protobuf.message",
        )
    )
    return Pb2(service, trace, message.DecodeError)


def spans_in(body: bytes) -> Iterator[Span | str]:
    """The spans of a request with the attributes that are understood, or why one is none.

    Raises:
        ValueError: it is no such request, or holds more spans than are taken.
        UserError: the extra is not installed.
    """
    service, _, decode_error = messages()
    if _spans(body) > MOST_SPANS:
        raise ValueError(f"more than {MOST_SPANS:,} spans in one request")
    try:
        request: trace_service_pb2.ExportTraceServiceRequest = service.ExportTraceServiceRequest.FromString(body)
    except (decode_error, RecursionError):
        raise ValueError("it is no trace request of OTLP") from None
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for raw in scope.spans:
                try:
                    yield _span(raw, resource)
                except ValueError as error:
                    yield str(error)


def request_of(groups: Sequence[tuple[Attributes, Sequence[Span]]], version: str) -> bytes:
    """A request with these spans, each group with the attributes of what sent it.

    Raises:
        UserError: the extra is not installed.
    """
    service, trace, _ = messages()
    request: trace_service_pb2.ExportTraceServiceRequest = service.ExportTraceServiceRequest()
    for resource, spans in groups:
        group = request.resource_spans.add()
        _fill(group.resource.attributes, resource)
        scope = group.scope_spans.add()
        scope.scope.name, scope.scope.version = "modicum", version
        for span in spans:
            raw = scope.spans.add()
            raw.trace_id, raw.span_id = bytes.fromhex(span.trace_id), bytes.fromhex(span.span_id)
            raw.parent_span_id = bytes.fromhex(span.parent_id)
            raw.name, raw.kind = span.name, trace.Span.SPAN_KIND_CLIENT
            raw.start_time_unix_nano = _nanoseconds(span.started)
            raw.end_time_unix_nano = _nanoseconds(span.finished or span.started)
            if span.failed:
                raw.status.code = trace.Status.STATUS_CODE_ERROR
            _fill(raw.attributes, span.attributes)
    encoded: bytes = request.SerializeToString()
    return encoded


def answer_of(rejected: int, message: str) -> bytes:
    """The answer to a request: how many spans were not taken, and why."""
    response = messages().service.ExportTraceServiceResponse()
    if rejected or message:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = message
    encoded: bytes = response.SerializeToString()
    return encoded


def rejected_in(answer: bytes) -> tuple[int, str]:
    """How many spans an endpoint did not take, and its reason. An answer that is none says nothing."""
    service, _, decode_error = messages()
    try:
        response = service.ExportTraceServiceResponse.FromString(answer)
    except decode_error:
        return 0, ""
    return response.partial_success.rejected_spans, response.partial_success.error_message


def status_of(code: int, message: str) -> bytes:
    """A refusal, as `google.rpc.Status`. Its first fields are on the wire what those of a partial success are."""
    partial = messages().service.ExportTracePartialSuccess(rejected_spans=code, error_message=message)
    encoded: bytes = partial.SerializeToString()
    return encoded


def _span(raw: "trace_pb2.Span", resource: Attributes) -> Span:
    if not raw.trace_id or not raw.span_id:
        raise ValueError("the span has no trace id or no span id")
    if not raw.start_time_unix_nano:
        raise ValueError("the span has no start")
    return Span(
        trace_id=raw.trace_id.hex(),
        span_id=raw.span_id.hex(),
        parent_id=raw.parent_span_id.hex(),
        name=raw.name,
        started=_moment(raw.start_time_unix_nano),
        finished=_moment(raw.end_time_unix_nano) if raw.end_time_unix_nano else None,
        failed=raw.status.code == messages().trace.Status.STATUS_CODE_ERROR,
        attributes=_attributes(raw.attributes),
        resource=resource,
        events=tuple(
            Event(event.name, _moment(event.time_unix_nano) if event.time_unix_nano else None, {})
            for event in raw.events
        ),
    )


def _attributes(pairs: "Sequence[common_pb2.KeyValue]") -> Attributes:
    """Those that `providers.otel` reads: a prompt that stands in another is not even decoded."""
    return {pair.key: _value(pair.value) for pair in pairs if pair.key in READ}


def _value(value: "common_pb2.AnyValue") -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values[:1]]  # the first is all that is read
    if kind is None or kind == "kvlist_value":
        return None
    found = getattr(value, kind)
    return storable(found) if isinstance(found, str) else found


def _fill(pairs: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        pair = pairs.add()
        pair.key = name
        if isinstance(value, str):
            pair.value.string_value = storable(value)
        elif isinstance(value, int):
            pair.value.int_value = value
        elif isinstance(value, float):
            pair.value.double_value = value
        else:
            for item in value:
                pair.value.array_value.values.add().string_value = storable(str(item))


def _moment(nanoseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _nanoseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def _spans(body: bytes) -> int:
    """How many spans a request holds, or more than are taken, from the wire alone: nothing is built for it."""
    count = 0
    for group in _inner(memoryview(body), 1):
        count += 1
        for scope in _inner(group, 2):
            count += 1
            for _ in _inner(scope, 2):
                count += 1
                if count > MOST_SPANS:
                    return count
    return count


def _inner(message: memoryview, field: int) -> Iterator[memoryview]:
    """The messages of a field. Wire format: https://protobuf.dev/programming-guides/encoding/.

    Raises:
        ValueError: it is no protobuf.
    """
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(message, at)
        elif kind == 2:
            length, at = _varint(message, at)
            if tag >> 3 == field:
                yield message[at : at + length]
            at += length
        elif kind in {1, 5}:
            at += 8 if kind == 1 else 4
        else:
            raise ValueError("it is no trace request of OTLP")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("it is no trace request of OTLP")
