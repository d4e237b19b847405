import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from modicum.calls import UserError
from modicum.providers.opentelemetry import otlp_protobuf
from modicum.providers.opentelemetry.otel import Span
from modicum.providers.opentelemetry.otlp_protobuf import (
    MOST_SPANS,
    answer_of,
    points_in,
    rejected_in,
    request_of,
    spans_in,
    status_of,
)

AT = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def span(**fields):
    told = {"trace_id": "a" * 32, "span_id": "b" * 16, "name": "chat", "started": AT, "finished": AT}
    return Span(**told | fields)


def test_what_is_written_is_read_back():
    told = span(
        parent_id="c" * 16,
        finished=AT + timedelta(seconds=1.5),
        failed=True,
        attributes={
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 7,
            "modicum.cost_usd": 0.25,
            "gen_ai.response.finish_reasons": ["stop"],
        },
        resource={"service.name": "shop"},
    )

    assert list(spans_in(request_of([(told.resource, [told])], "1"))) == [told]


def test_texts_of_prompts_are_not_even_decoded():
    told = span(attributes={"gen_ai.input.messages": "my secret", "gen_ai.request.model": "m"})

    (found,) = spans_in(request_of([({}, [told])], "1"))

    assert found.attributes == {"gen_ai.request.model": "m"}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"trace_id": b""}, "no trace id"),
        ({"start_time_unix_nano": 0}, "no start"),
    ],
)
def test_a_span_that_is_none_costs_itself_alone(fault, said):
    request = ExportTraceServiceRequest.FromString(request_of([({}, [span(), span()])], "1"))
    for name, value in fault.items():
        setattr(request.resource_spans[0].scope_spans[0].spans[0], name, value)

    bad, good = spans_in(request.SerializeToString())

    assert said in bad
    assert good == span()


def test_more_spans_than_are_taken_are_refused_before_they_are_built():
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for _ in range(MOST_SPANS + 1):
        spans.add()

    with pytest.raises(ValueError, match="more than 20,000 spans"):
        list(spans_in(request.SerializeToString()))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_request_are_bad_data_and_nothing_else(body):
    try:
        list(spans_in(body))
    except ValueError as error:
        assert "OTLP" in str(error) or "spans" in str(error)  # noqa: PT017 - the only error there may be


@given(st.data())
def test_a_request_that_is_cut_or_changed_is_bad_data_or_spans(data):
    body = bytearray(request_of([({"service.name": "x"}, [span(attributes={"gen_ai.request.model": "m"})])], "1"))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    try:
        assert all(isinstance(found, Span | str) for found in spans_in(cut))
    except ValueError:
        return


def test_nothing_is_a_request_without_spans():
    assert list(spans_in(b"")) == []


def test_a_partial_success_is_written_and_read():
    assert rejected_in(answer_of(2, "no start")) == (2, "no start")
    assert (answer_of(0, ""), rejected_in(b""), rejected_in(b"\xff")) == (b"", (0, ""), (0, ""))


def test_a_refusal_has_the_fields_of_googles_status():
    from google.rpc.status_pb2 import Status

    status = Status.FromString(status_of(16, "a key is needed"))

    assert (status.code, status.message) == (16, "a key is needed")


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch):
    otlp_protobuf.messages.cache_clear()
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.trace.v1.trace_service_pb2", None)
    with pytest.raises(UserError, match=r"pip install .*\[otel\]'"):
        otlp_protobuf.messages()
    otlp_protobuf.messages.cache_clear()


def test_values_of_metrics_are_counted_before_any_is_built():
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="a text \x0b that is no message")
    for _ in range(MOST_SPANS):
        metric.gauge.data_points.add()

    with pytest.raises(ValueError, match="more than 20,000 values"):
        list(points_in(request.SerializeToString(), {"a"}, str.isascii))
