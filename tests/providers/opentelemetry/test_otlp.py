from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.opentelemetry import otlp

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["1772452800000000000", 1772452800000000000, [1772452800, 0], "2026-03-02T12:00:00Z", "2026-03-02T13:00:00+01:00"],
)
def test_times_as_exporters_write_them(written):
    assert otlp.moment(written) == NOON


@pytest.mark.parametrize("written", [None, "", 0, "0"])
def test_no_time_is_none(written):
    assert otlp.moment(written) is None


@pytest.mark.parametrize(
    "written", ["noon", 10**40, "9" * 40, float("inf"), float("nan"), {"a": 1}, [1, "x"], [1e300, 0], True]
)
def test_what_is_no_time_is_a_value_error_or_a_time(written):
    try:
        assert otlp.moment(written).tzinfo is UTC
    except ValueError as error:
        assert "time" in str(error)  # noqa: PT017 - either is right


def test_values_come_out_of_their_wrapping():
    wrapped = {
        "kvlistValue": {
            "values": [
                {"key": "n", "value": {"intValue": "12"}},
                {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"boolValue": False}]}}},
                {"key": "none", "value": {}},
            ]
        }
    }

    assert otlp.value_of(wrapped) == {"n": 12, "list": ["a", False], "none": None}


def test_both_spellings_and_the_old_name_of_scopes_are_read():
    raw = {"trace_id": "t", "span_id": "s", "start_time_unix_nano": "1772452800000000000"}
    document = {"resource_spans": [{"instrumentation_library_spans": [{"spans": [raw]}]}]}

    ((resource, found),) = otlp.raw_spans(document)

    assert otlp.span_from(found, resource).started == NOON


NAMES = """traceId spanId startTimeUnixNano endTimeUnixNano attributes key value stringValue intValue arrayValue values
kvlistValue events status code resource resourceSpans scopeSpans spans body name context"""
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["resourceSpans", "resourceLogs"]), ANYTHING), ANYTHING)
def test_no_document_raises_but_for_value_errors(document, raw):
    leaves = [*otlp.raw_spans(document), *otlp.raw_log_records(document), ({}, raw if isinstance(raw, dict) else {})]
    for resource, leaf in leaves:
        for reader in (otlp.span_from, otlp.log_span_from):
            try:
                assert reader(leaf, resource).started.tzinfo is UTC
            except ValueError:
                continue
