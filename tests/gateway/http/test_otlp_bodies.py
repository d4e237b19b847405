"""Claude Code's events and counters, as the official exporters send them."""

import json
import sqlite3
from datetime import UTC, datetime

import httpx2 as httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from modicum.calls import Basis, CallStatus, Outcome, Owner
from modicum.gateway.callers.owners import Caller
from modicum.gateway.http.otlp_bodies import read_counters, read_logs
from modicum.gateway.http.refusal import Refused
from modicum.ledger.otlp.spans import Received

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CODE = Resource({"service.name": "claude-code", "service.version": "2.1.260"})
REQUEST = {
    "event.name": "api_request",
    "session.id": "ses-1",
    "user.email": "ann@example.com",
    "organization.id": "org-7",
    "model": "claude-opus-4-5-20251101[1m]",
    "input_tokens": 12,
    "output_tokens": 300,
    "cache_read_tokens": 40_000,
    "cache_creation_tokens": 0,
    "cost_usd": 0.0276,
    "duration_ms": 2500,
    "request_id": "req_1",
    "query_source": "subagent",
    "agent.name": "Explore",
}


def caller(**owner):
    return Caller(Owner(**owner), (), None, "key_1")


def rows(rig, folder, kind, type_):
    journal = rig.folder / folder / "gateway.sqlite"
    if not journal.exists():
        return []
    base = sqlite3.connect(journal)
    bodies = base.execute("SELECT body FROM records WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
    base.close()
    return [msgspec.msgpack.decode(body, type=type_) for (body,) in bodies]


@pytest.fixture
def log(rig):
    """Sends an event as the official exporter does, and gives what the gateway made of it."""
    exporter = OTLPLogExporter(f"{rig.url}/v1/logs", headers=rig.headers(), compression=Compression.Gzip)
    provider = LoggerProvider(resource=CODE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))

    def send(attributes, body=None):
        before = len(rows(rig, "spans", "spans", list[Received]))
        provider.get_logger("com.anthropic.claude_code.events").emit(
            LogRecord(
                timestamp=int(NOON.timestamp() * 1e9),
                severity_number=SeverityNumber.INFO,
                body=body or f"claude_code.{attributes['event.name']}",
                attributes=attributes,
            )
        )
        return [span for told in rows(rig, "spans", "spans", list[Received])[before:] for span in told]

    yield send
    provider.shutdown()


def test_an_event_of_the_official_exporter_is_a_call(log):
    (event,) = log(REQUEST)

    call = event.call
    assert (call.call_id, call.task, call.agent, call.place) == ("otlp:req_1", "ses-1", "Explore", "telemetry")
    assert (call.model, call.provider) == ("claude-opus-4-5-20251101", "anthropic")
    assert (call.usage.input_uncached, call.usage.cache_read, call.usage.output_visible) == (12, 40_000, 300)
    assert (call.usage_basis, call.charges.caveats, str(call.reported_cost_usd)) == (Basis.EXACT, (), "0.0276")
    assert (call.finished, (call.finished - call.started).total_seconds()) == (NOON, 2.5)
    assert call.owner == Owner("platform", "claude-code", "ann@example.com", "ci")
    assert call.tags == {"query_source": "subagent"}


def test_cache_writes_of_an_event_are_of_an_unknown_time_to_live(log):
    (event,) = log(REQUEST | {"cache_creation_tokens": 900, "request_id": "req_2"})

    assert event.call.usage.cache_write_5m == 900
    assert event.call.charges.caveats == ("cache_creation_tokens, for which time to live",)


@pytest.mark.parametrize(
    ("status", "basis", "reason"), [(529, Basis.EXACT, "529"), (None, Basis.UNKNOWN, "")], ids=["refused", "broken off"]
)
def test_an_error_is_a_call_that_cost_nothing_if_it_was_refused(log, status, basis, reason):
    error = {"event.name": "api_error", "session.id": "ses-1", "model": "claude-opus-4-5", "error": "my secret"}
    (event,) = log(error | ({"status_code": status} if status else {}))

    call = event.call
    assert (call.status, call.finish_reason, call.usage.total_tokens) == (CallStatus.ERROR, reason, 0)
    assert (call.usage_basis, call.output_basis) == (basis, basis)
    assert b"my secret" not in msgspec.msgpack.encode(event)


def test_prompts_and_events_of_others_are_taken_and_not_kept(rig, log):
    assert log({"event.name": "user_prompt", "session.id": "ses-1", "prompt": "my secret"}) == []
    assert log({"event.name": "api_request", "prompt": "my secret"}, body="another program") == []
    held = b"".join(path.read_bytes() for path in (rig.folder / "spans").glob("*")) if rig.folder else b""
    assert b"my secret" not in held


def counted(rig, temporality, steps, attributes=None):
    """What the gateway keeps of counters that grow by these steps, one export each."""
    before = len(rows(rig, "journal", "outcome", Outcome))
    exporter = OTLPMetricExporter(
        f"{rig.url}/v1/metrics", headers=rig.headers(), preferred_temporality={Counter: temporality}
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=10**9)
    provider = MeterProvider([reader], resource=CODE)
    meter = provider.get_meter("com.anthropic.claude_code")
    counters = {name: meter.create_counter(f"claude_code.{name}") for name in ("commit.count", "token.usage")}
    lines = meter.create_counter("claude_code.lines_of_code.count")
    for step in steps:
        for counter in counters.values():
            counter.add(step, attributes or {"session.id": "ses-1", "user.id": "u"})
        lines.add(10 * step, {"session.id": "ses-1", "type": "added"})
        provider.force_flush()
    found = rows(rig, "journal", "outcome", Outcome)[before:]
    provider.shutdown()
    return found


@pytest.mark.parametrize("temporality", [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])
def test_counters_add_up_to_what_was_done_whatever_their_temporality(rig, temporality):
    found = counted(rig, temporality, [1, 2])

    standing = {outcome.outcome_id: outcome for outcome in found}  # the last that was sent stands
    sums = {}
    for outcome in standing.values():
        sums[outcome.task, outcome.name] = sums.get((outcome.task, outcome.name), 0) + outcome.value
    assert sums == {("ses-1", "agent_commits"): 3, ("ses-1", "agent_lines_added"): 30}
    assert all(outcome.source.endswith("key ci") for outcome in found)


def test_a_counter_without_session_is_rejected_with_what_to_set(rig):
    point = {"asInt": "1", "timeUnixNano": "1772452800000000000", "attributes": []}
    metric = {"name": "claude_code.commit.count", "sum": {"aggregationTemporality": 1, "dataPoints": [point]}}
    body = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})

    reply = httpx.post(f"{rig.url}/v1/metrics", content=body, headers=rig.headers(content_type="application/json"))

    partial = reply.json()["partialSuccess"]
    assert (reply.status_code, partial["rejectedDataPoints"]) == (200, "1")
    assert "OTEL_METRICS_INCLUDE_SESSION_ID=true" in partial["errorMessage"]


def event(**more):
    about = [{"key": name, "value": {"stringValue": str(value)}} for name, value in (REQUEST | more).items()]
    return {
        "timeUnixNano": "1772452800000000000",
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": about,
    }


def logs(*records):
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()


def test_an_event_in_json_with_counts_as_texts_is_read_alike():
    told = read_logs(b"application/json", logs(event()), caller(key="ci"))

    call = told.spans[0].call
    assert (call.call_id, call.usage.prompt_tokens, call.owner.key) == ("otlp:req_1", 40_012, "ci")


def test_a_count_that_is_none_is_rejected():
    told = read_logs(b"application/json", logs(event(input_tokens=-4), event()), caller(key="ci"))

    assert (told.calls, told.rejected) == (1, 1)
    assert "negative" in told.reasons[0]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "value", "intValue", "dataPoints", "asInt", "timeUnixNano"]), inner)
    ),
    max_leaves=6,
)


@given(ANY, ANY, st.sampled_from(["sum", "gauge"]))
def test_whatever_json_comes_it_is_taken_rejected_or_refused(value, about, kind):
    metric = {"name": "claude_code.commit.count", kind: value}
    metrics = {"resourceMetrics": [{"resource": about, "scopeMetrics": [{"metrics": [metric, about]}]}]}
    for read, body in (
        (read_counters, json.dumps(metrics).encode()),
        (read_logs, logs({**event(), "attributes": about}, value)),
    ):
        try:
            told = read(b"application/json", body, caller(key="ci"))
        except Refused as refused:
            assert refused.status == 400  # noqa: PT017 - the only refusal there may be
        else:
            assert len(told.outcomes) + told.calls + told.rejected <= 4


def test_the_result_of_an_evaluation_is_an_outcome_of_its_conversation_and_of_the_key():
    def field(key, **value):
        return {"key": key, "value": value}

    record = {
        "timeUnixNano": "1772452800000000000",
        "eventName": "gen_ai.evaluation.result",
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "attributes": [
            field("gen_ai.evaluation.name", stringValue="relevance"),
            field("gen_ai.evaluation.score.value", doubleValue=0.75),
            field("gen_ai.evaluation.explanation", stringValue="a text about the reply"),
            field("gen_ai.conversation.id", stringValue="ses-1"),
        ],
    }
    unscored = {**record, "attributes": record["attributes"][:1]}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, unscored]}]}]}
    told = read_logs(b"application/json", json.dumps(body).encode(), Caller(Owner(key="ann"), (), None, "key-1"))

    (outcome,) = told.outcomes
    assert (outcome.task, outcome.name, outcome.value, outcome.time) == ("ses-1", "relevance", 0.75, NOON)
    assert outcome.outcome_id.startswith("gateway:key-1:evaluation|")
    assert outcome.source == "gen_ai.evaluation.result, key ann"
    assert b"a text about" not in msgspec.json.encode(outcome)
    assert told.rejected == 1
    assert told.calls == 0
