"""OTLP's JSON: the requests of an exporter, and the single spans that file exporters of some languages write.

Source: https://github.com/open-telemetry/opentelemetry-proto (JSON mapping: field names in lowerCamelCase, ids in hex,
64-bit numbers as text).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from modicum.calls.outside.storable import storable
from modicum.providers.fields import LAST_YEAR
from modicum.providers.opentelemetry.otel import Attributes, Event, Point, Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Raw = Mapping[str, Any]
_HEX = re.compile("[0-9a-fA-F]+")
CONTEXTS = ("context", "spanContext", "_spanContext")
"""Where the exporters of Python and JavaScript put the ids of a span that they write alone."""


def raw_spans(document: Raw) -> Iterator[tuple[Attributes, Raw]]:
    """The spans of a request, each with the attributes of what sent it."""
    yield from _records(document, "resourceSpans", ("scopeSpans", "instrumentationLibrarySpans"), "spans")


def raw_log_records(document: Raw) -> Iterator[tuple[Attributes, Raw]]:
    """The log records of a request, each with the attributes of what sent it."""
    yield from _records(document, "resourceLogs", ("scopeLogs", "instrumentationLibraryLogs"), "logRecords")


def raw_metrics(document: Raw) -> Iterator[tuple[Attributes, Raw]]:
    """The metrics of a request, each with the attributes of what sent it."""
    yield from _records(document, "resourceMetrics", ("scopeMetrics", "instrumentationLibraryMetrics"), "metrics")


def points_in(resource: Attributes, metric: Raw) -> Iterator[Point | str]:
    """The values of a counter, or why one is none; nothing of other metrics."""
    counter = _either(metric, "sum")
    if not isinstance(counter, Mapping):
        return
    is_delta = _either(counter, "aggregationTemporality") in DELTA
    for raw in _items(_either(counter, "dataPoints")):
        if not isinstance(raw, Mapping):
            continue
        about = {**resource, **attributes(raw.get("attributes"))}
        try:
            yield Point(
                metric=metric_name(metric),
                value=_number(raw),
                is_delta=is_delta,
                started=moment(_either(raw, "startTimeUnixNano")),
                at=_point_time(raw),
                attributes=about,
            )
        except ValueError as error:
            yield str(error)


DELTA = (1, "1", "AGGREGATION_TEMPORALITY_DELTA")


def metric_name(metric: Raw) -> str:
    return _text(metric, "name")


def _point_time(raw: Raw) -> datetime:
    at = moment(_either(raw, "timeUnixNano"))
    if at is None:
        raise ValueError("the value has no time")
    return at


def _number(raw: Raw) -> float:
    for name in ("asInt", "asDouble"):
        value = _either(raw, name)
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            try:
                return float(value)
            except (ValueError, OverflowError):
                break
    raise ValueError("the value is no number")


def span_from(raw: Raw, resource: Attributes) -> Span:
    """A span of a request, or one written alone by a file or console exporter.

    Raises:
        ValueError: it has no ids or no time.
    """
    ids = next((raw[name] for name in CONTEXTS if isinstance(raw.get(name), Mapping)), raw)
    parent = raw.get("parentSpanContext")
    trace_id, span_id = (_identity(_text(ids, name)) for name in ("traceId", "spanId"))
    if not trace_id or not span_id:
        raise ValueError("the span has no trace id or no span id")
    started = moment(_either(raw, "startTimeUnixNano") or _either(raw, "startTime") or raw.get("hrTime"))
    if started is None:
        raise ValueError("the span has no start")
    status = raw.get("status")
    code = status.get("code", status.get("status_code")) if isinstance(status, Mapping) else status
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=_identity(
            _text(parent, "spanId")
            if isinstance(parent, Mapping)
            else _text(raw, "parentSpanId") or _text(raw, "parentId")
        ),
        name=_text(raw, "name"),
        started=started,
        finished=moment(_either(raw, "endTimeUnixNano") or _either(raw, "endTime")),
        failed=code in {2, "2", "ERROR", "STATUS_CODE_ERROR"} if isinstance(code, str | int) else False,
        attributes=attributes(raw.get("attributes")),
        resource=resource or _resource(raw),
        events=tuple(_event(event) for event in _items(raw.get("events")) if isinstance(event, Mapping)),
    )


def log_span_from(raw: Raw, resource: Attributes) -> Span:
    """A log record as the span that it tells of; it has no end.

    Raises:
        ValueError: it has no time.
    """
    at = moment(_either(raw, "timeUnixNano") or _either(raw, "observedTimeUnixNano"))
    if at is None:
        raise ValueError("the log record has no time")
    body = value_of(raw.get("body"))
    found = dict(attributes(raw.get("attributes")))
    if isinstance(body, Mapping):
        found = {**body, **found}
    name = _text(raw, "eventName") or str(found.get("event.name") or "") or (body if isinstance(body, str) else "")
    return Span(
        trace_id=_text(raw, "traceId"),
        span_id=_text(raw, "spanId"),
        name=name,
        started=at,
        attributes=found,
        resource=resource,
    )


def attributes(raw: Any) -> Attributes:
    """Attributes as a mapping, from OTLP's list of keys and values or from a mapping."""
    if isinstance(raw, Mapping):
        return raw
    return {
        pair["key"]: value_of(pair.get("value"))
        for pair in _items(raw)
        if isinstance(pair, Mapping) and isinstance(pair.get("key"), str)
    }


def value_of(raw: Any) -> Any:
    """A value out of its OTLP wrapping."""
    if not isinstance(raw, Mapping):
        return raw
    for name in ("stringValue", "boolValue", "doubleValue", "bytesValue"):
        if (found := _either(raw, name)) is not None:
            return found
    if (whole := _either(raw, "intValue")) is not None:
        return (
            int(whole) if isinstance(whole, str) and whole.removeprefix("-").isdecimal() and len(whole) < 20 else whole
        )
    if isinstance(array := _either(raw, "arrayValue"), Mapping):
        return [value_of(item) for item in _items(array.get("values"))]
    if isinstance(pairs := _either(raw, "kvlistValue"), Mapping):
        return attributes(pairs.get("values"))
    return None


def moment(raw: Any) -> datetime | None:
    """A time: nanoseconds since 1970 (OTLP), a pair of seconds and nanoseconds, or ISO 8601. None for none.

    Raises:
        ValueError: it is no time, or one at an end of the calendar, where nothing can be added to it.
    """
    if not raw or raw == "0":
        return None
    try:
        at = _moment(raw)
    except (ValueError, TypeError, OverflowError):
        raise ValueError("the time is none") from None
    if not EPOCH.year <= at.year < LAST_YEAR:
        raise ValueError("the time is none")
    return at


def _moment(raw: Any) -> datetime:
    if isinstance(raw, list) and len(raw) == 2:
        return EPOCH + timedelta(seconds=raw[0], microseconds=raw[1] // 1000)
    if isinstance(raw, str) and not raw.isdecimal():
        at = datetime.fromisoformat(raw)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return EPOCH + timedelta(microseconds=int(raw) // 1000)


def _records(document: Raw, groups: str, scopes: tuple[str, ...], leaves: str) -> Iterator[tuple[Attributes, Raw]]:
    for group in _items(_either(document, groups)):
        if not isinstance(group, Mapping):
            continue
        resource = _resource(group)
        for scope in (scope for name in scopes for scope in _items(_either(group, name))):
            if isinstance(scope, Mapping):
                yield from ((resource, raw) for raw in _items(_either(scope, leaves)) if isinstance(raw, Mapping))


def _resource(holder: Raw) -> Attributes:
    resource = holder.get("resource")
    return attributes(resource.get("attributes")) if isinstance(resource, Mapping) else {}


def _event(raw: Raw) -> Event:
    at = _either(raw, "timeUnixNano") or raw.get("timestamp") or raw.get("time")
    return Event(_text(raw, "name"), moment(at), attributes(raw.get("attributes")))


def _either(raw: Raw, name: str) -> Any:
    """A field by its JSON name or by its name in the protocol's own spelling, which some writers keep."""
    found = raw.get(name)
    return found if found is not None else raw.get("".join(f"_{c.lower()}" if c.isupper() else c for c in name))


def _identity(text: str) -> str:
    """Hex is the same in either case; other writings of an id are left alone."""
    return text.lower() if _HEX.fullmatch(text) else text


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(raw: Raw, name: str) -> str:
    found = _either(raw, name)
    return storable(found) if isinstance(found, str) else ""
