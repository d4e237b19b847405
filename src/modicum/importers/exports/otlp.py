"""OpenTelemetry: GenAI spans as OTLP JSON (a collector's file exporter, one request a line, or a document), and the
single spans that file and console exporters write, such as GitHub Copilot's.

Traps, each with a fixture:

- Spans of agents, workflows and tools carry the sums of the model calls below them, and are no calls.
- A framework and its client may both be instrumented: of two calls inside each other the inner one stands.
- Input includes cached tokens by the convention; what contradicts itself is read by `modicum.providers.token_buckets`.
- Claude Code's log records `claude_code.api_request` are calls too (`claude_code_telemetry`); those
  whose session's transcript is read too are left out.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from modicum.calls import Call, Problem
from modicum.importers.exports.export_record import Record, Recorded, export_records, fields_in, gather
from modicum.importers.exports.span_messages import context_of, reply_of
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.opentelemetry import claude_code_telemetry
from modicum.providers.opentelemetry.otel import Span, call_from, is_inference
from modicum.providers.opentelemetry.otlp import attributes, log_span_from, raw_log_records, raw_spans, span_from

NAME = "otlp"
MARKS = (b"gen_ai.", b'"llm.', b'"ai.operationId"', b"claude_code.api_request", b"traceloop.")


def read(path: Path, reading: Reading) -> Found:
    yield from gather(path, reading, _recorded(path))


def _recorded(path: Path) -> Iterator[Recorded | Problem]:
    for found in export_records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, record = found
        try:
            for reason_or_record in _in_record(record):
                if isinstance(reason_or_record, str):
                    yield Problem(str(path), f"not counted: {reason_or_record}", number)
                else:
                    yield reason_or_record
        except RecursionError:
            yield Problem(str(path), "not counted: nested too deeply to be a span", number)


def _in_record(record: Record) -> Iterator[Recorded | str]:
    """What one line or document holds: requests with many spans or log records, or one span alone."""
    is_request = False
    for name in record:
        is_request |= name.replace("_", "").lower() in {"resourcespans", "resourcelogs", "resourcemetrics"}
    if not is_request and ("attributes" in record or "context" in record):
        yield from _span(record, {})
        return
    for resource, raw in raw_spans(record):
        yield from _span(raw, resource)
    for resource, raw in raw_log_records(record):
        yield from _log_record(raw, resource)


def _span(raw: Record, resource: Mapping[str, object]) -> Iterator[Recorded | str]:
    try:
        span = span_from(raw, resource)
        call = call_from(span, NAME)
    except ValueError as error:
        if is_inference(attributes(raw.get("attributes"))):
            yield str(error)
        return
    yield _with_context(span, call)


def _with_context(span: Span, call: Call | None) -> Recorded:
    above = f"{span.trace_id}:{span.parent_id}" if span.parent_id else ""
    place = f"{span.trace_id}:{span.span_id}"
    if call is None:
        return Recorded(None, span=place, parent=above)
    messages, tools, system = context_of(span)
    return Recorded(call, messages, tools, system, span=place, parent=above, reply=reply_of(span))


def _log_record(raw: Record, resource: Mapping[str, object]) -> Iterator[Recorded | str]:
    """Calls that a log record describes: Claude Code's, and GenAI events that stand without a span."""
    try:
        span = log_span_from(raw, resource)
        if claude_code_telemetry.is_call(span):
            yield Recorded(claude_code_telemetry.call_from_event(span, NAME))
            return
        call = call_from(span, NAME) if span.trace_id and span.span_id else None
    except ValueError as error:
        yield str(error)
        return
    if call is not None:
        yield Recorded(call, *context_of(span), reply=reply_of(span))


def recognises(path: Path, start_of_file: bytes) -> bool:
    """Requests of OTLP, or single spans of model calls."""
    del path
    names = fields_in(start_of_file)
    if names & {"resourceSpans", "resource_spans", "resourceLogs", "resource_logs"}:
        return True
    has_ids = bool(names & {"traceId", "trace_id"}) and bool(names & {"spanId", "span_id"})
    return has_ids and "attributes" in names and any(mark in start_of_file for mark in MARKS)


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """Where GitHub Copilot writes its spans, if it is set up to."""
    found = [home / ".copilot" / "otel"]
    if chosen := environment.get("COPILOT_OTEL_FILE_EXPORTER_PATH"):
        found.append(Path(chosen))
    return found


FORMAT = LogFormat(
    name=NAME,
    title="OpenTelemetry GenAI spans (OTLP JSON)",
    recognises=recognises,
    read=read,
    checked_against="documentation",
    places=places,
)
