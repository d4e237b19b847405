"""OTLP's protobuf: requests of exporters, read and written.

Source: https://github.com/open-telemetry/opentelemetry-proto (trace, logs and metrics, and their collectors). The
messages are those of the package opentelemetry-proto, an extra: `pip install 'modicum[otel]'`.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from modicum.calls.extras import load_extra
from modicum.calls.outside.storable import storable
from modicum.providers.opentelemetry.otel import Attributes, Event, Point, Span, is_read
from modicum.providers.opentelemetry.otlp import EPOCH

if TYPE_CHECKING:
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

Choice = Callable[[str], bool]
MOST_SPANS = 20_000
"""Or log records, or values of metrics, in one request. An empty span is two bytes on the wire and eighty times as much
in memory."""


NO_REQUEST = "it is no request of OTLP"


class Pb2(NamedTuple):
    service: Any
    trace: Any
    logs: Any
    metrics: Any
    delta: Any
    decode_error: type[Exception]


@cache
def messages() -> Pb2:
    """The classes of the messages.

    Raises:
        UserError: the extra is not installed.
    """
    service, trace, logs, metrics, metric, message = (
        load_extra("otel", "OTLP over protobuf", module)
        for module in (
            "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
            "opentelemetry.proto.trace.v1.trace_pb2",
            "opentelemetry.proto.collector.logs.v1.logs_service_pb2",
            "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2",
            "opentelemetry.proto.metrics.v1.metrics_pb2",
            "google.protobuf.message",
        )
    )
    return Pb2(service, trace, logs, metrics, metric.AGGREGATION_TEMPORALITY_DELTA, message.DecodeError)


def spans_in(body: bytes) -> Iterator[Span | str]:
    """The spans of a request with the attributes that are understood, or why one is none.

    Raises:
        ValueError: it is no such request, or holds more spans than are taken.
        UserError: the extra is not installed.
    """
    request: trace_service_pb2.ExportTraceServiceRequest = _decoded(
        messages().service.ExportTraceServiceRequest, body, "spans", _TREE
    )
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for raw in scope.spans:
                try:
                    yield _span(raw, resource)
                except ValueError as error:
                    yield str(error)


def log_spans_in(body: bytes, is_chosen: Choice) -> Iterator[Span | str]:
    """The log records of a request, each as the span that it tells of and with the attributes that are chosen, or why
    one is none.

    Raises:
        ValueError: it is no such request, or holds more records than are taken.
        UserError: the extra is not installed.
    """
    request: logs_service_pb2.ExportLogsServiceRequest = _decoded(
        messages().logs.ExportLogsServiceRequest, body, "log records", _TREE
    )
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes, is_chosen)
        for scope in group.scope_logs:
            for raw in scope.log_records:
                at = raw.time_unix_nano or raw.observed_time_unix_nano
                if not at:
                    yield "the log record has no time"
                    continue
                found = _attributes(raw.attributes, is_chosen)
                name = getattr(raw, "event_name", "") or found.get("event.name") or raw.body.string_value
                yield Span(
                    trace_id=raw.trace_id.hex(),
                    span_id=raw.span_id.hex(),
                    name=storable(str(name)),
                    started=_moment(at),
                    attributes=found,
                    resource=resource,
                )


def points_in(body: bytes, metrics: Container[str], is_chosen: Choice) -> Iterator[Point | str]:
    """The values of the counters in a request that have these names, or why one is none.

    Raises:
        ValueError: it is no such request, or holds more values than are taken.
        UserError: the extra is not installed.
    """
    names, delta = messages().metrics, messages().delta
    request: metrics_service_pb2.ExportMetricsServiceRequest = _decoded(
        names.ExportMetricsServiceRequest, body, "values", (*_TREE, _DATA, _POINTS)
    )
    for group in request.resource_metrics:
        resource = _attributes(group.resource.attributes, is_chosen)
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                if metric.name not in metrics or metric.WhichOneof("data") != "sum":
                    continue
                for raw in metric.sum.data_points:
                    if not raw.time_unix_nano:
                        yield "the value has no time"
                        continue
                    yield Point(
                        metric=metric.name,
                        value=raw.as_int if raw.WhichOneof("value") == "as_int" else raw.as_double,
                        is_delta=metric.sum.aggregation_temporality == delta,
                        started=_moment(raw.start_time_unix_nano) if raw.start_time_unix_nano else None,
                        at=_moment(raw.time_unix_nano),
                        attributes={**resource, **_attributes(raw.attributes, is_chosen)},
                    )


def request_of(groups: Sequence[tuple[Attributes, Sequence[Span]]], version: str) -> bytes:
    """A request with these spans, each group with the attributes of what sent it.

    Raises:
        UserError: the extra is not installed.
    """
    service, trace = messages().service, messages().trace
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
    """The answer to a request: how many spans were not taken, and why. Those for logs and metrics are the same on the
    wire.
    """
    response = messages().service.ExportTraceServiceResponse()
    if rejected or message:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = message
    encoded: bytes = response.SerializeToString()
    return encoded


def rejected_in(answer: bytes) -> tuple[int, str]:
    """How many spans an endpoint did not take, and its reason. An answer that is none says nothing."""
    try:
        response = messages().service.ExportTraceServiceResponse.FromString(answer)
    except messages().decode_error:
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


def _attributes(pairs: "Sequence[common_pb2.KeyValue]", is_chosen: Choice = is_read) -> dict[str, Any]:
    """Those that are chosen: a prompt that stands in another is not even decoded."""
    return {pair.key: _value(pair.value) for pair in pairs if is_chosen(pair.key)}


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


_TREE = ((1,), (2,), (2,))
"""The fields that lead from a request to its spans, log records or metrics."""
_DATA, _POINTS = (5, 7, 9, 10, 11), (1,)
"""Those that lead from a metric to its values: gauge, sum, the two histograms, summary."""


def _decoded(message: Any, body: bytes, what: str, tree: Sequence[tuple[int, ...]]) -> Any:
    if _count(memoryview(body), tree, 0) > MOST_SPANS:
        raise ValueError(f"more than {MOST_SPANS:,} {what} in one request")
    try:
        return message.FromString(body)
    except (messages().decode_error, RecursionError):
        raise ValueError(NO_REQUEST) from None


def _count(message: memoryview, tree: Sequence[tuple[int, ...]], count: int) -> int:
    """How many messages a request holds, or more than are taken, from the wire alone: nothing is built for it."""
    for inner in _inner(message, tree[0]):
        count += 1
        if len(tree) > 1:
            count = _count(inner, tree[1:], count)
        if count > MOST_SPANS:
            break
    return count


def _inner(message: memoryview, fields: tuple[int, ...]) -> Iterator[memoryview]:
    """The messages of these fields. Wire format: https://protobuf.dev/programming-guides/encoding/.

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
            if tag >> 3 in fields:
                yield message[at : at + length]
            at += length
        elif kind in {1, 5}:
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(NO_REQUEST)


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError(NO_REQUEST)
