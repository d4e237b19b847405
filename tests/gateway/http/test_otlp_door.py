"""OTLP as its official exporter sends it, and as nobody should."""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import zlib

import httpx2 as httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http.trace_exporter import Compression, OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from gateway.rig import CHAT, running
from modicum.calls import Owner, UserError
from modicum.gateway.callers.owners import Caller
from modicum.gateway.http.otlp_bodies import MOST_BYTES, read_spans
from modicum.gateway.http.refusal import Refused
from modicum.ledger.otlp.spans import Received

PROTOBUF = "application/x-protobuf"
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 9}


def received(rig):
    """What the journal of spans holds."""
    journal = rig.folder / "spans" / "gateway.sqlite"
    if not journal.exists():  # it is made when the first span comes
        return []
    base = sqlite3.connect(journal)
    rows = base.execute("SELECT body FROM records WHERE kind = 'spans' ORDER BY seq").fetchall()
    base.close()
    return [span for (body,) in rows for span in msgspec.msgpack.decode(body, type=list[Received])]


def caller(**owner):
    return Caller(Owner(**owner), (), None, "key_1")


@pytest.fixture(scope="module")
def tracing(rig):
    """A tracer whose spans go to the gateway, one request each."""
    exporter = OTLPSpanExporter(f"{rig.url}/v1/traces", headers=rig.headers(), compression=Compression.Gzip)
    provider = TracerProvider(resource=Resource({"service.name": "shop", "deployment.environment.name": "prod"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


def test_spans_of_the_official_exporter_are_calls_with_the_keys_owner(rig, tracing):
    tracer = tracing.get_tracer("test")
    with (
        tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}) as agent,
        tracer.start_as_current_span("chat", attributes=CALL | {"enduser.id": "ann", "session.id": "s-1"}) as chat,
    ):
        chat.set_attribute("gen_ai.usage.output_tokens", 4)
        chat.set_attribute("gen_ai.input.messages", "my secret")

    inner, outer = received(rig)[-2:]

    assert (outer.call, outer.span_id) == (None, f"{agent.context.span_id:016x}")
    assert (inner.parent_id, inner.trace_id) == (outer.span_id, f"{chat.context.trace_id:032x}")
    assert inner.call.call_id == f"otlp:{inner.trace_id}:{inner.span_id}"
    assert inner.call.owner == Owner("platform", "shop", "ann", "ci")
    assert (inner.call.usage.prompt_tokens, inner.call.usage.completion_tokens) == (9, 4)
    assert (inner.call.task, inner.call.tags) == ("s-1", {"environment": "prod"})
    assert b"my secret" not in (rig.folder / "spans" / "gateway.sqlite-wal").read_bytes()


INSTRUMENTED = """
import sys
import openai
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from {module} import OpenAIInstrumentor

tracing = TracerProvider()
tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=tracing)
with openai.OpenAI() as client:
    asked = {chat!r}
    client.chat.completions.create(**asked)
    told = {{"x-fixture": "openai-chat/usage_in_its_own_chunk.sse"}}
    asked |= {{"stream": True, "stream_options": {{"include_usage": True}}}}
    list(client.chat.completions.create(**asked, extra_headers=told))
tracing.shutdown()
"""


@pytest.mark.parametrize("module", ["openinference.instrumentation.openai", "opentelemetry.instrumentation.openai"])
def test_what_an_instrumentation_tells_is_what_the_gateway_counted(rig, module):
    environment = {
        "OPENAI_BASE_URL": f"{rig.url}/v1",
        "OPENAI_API_KEY": rig.key,
        "OTEL_EXPORTER_OTLP_ENDPOINT": rig.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-api-key={rig.key}",
        "OTEL_SERVICE_NAME": "shop",
    }
    code = INSTRUMENTED.format(module=module, chat=CHAT)  # in a process of its own: some leave their wrappers behind
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, check=True)

    spans, calls = [span.call for span in received(rig)[-2:]], rig.records()[-2:]

    for span, call in zip(spans, calls, strict=True):
        assert (span.model, span.usage.prompt_tokens, span.usage.completion_tokens) == (
            call.model,
            call.usage.prompt_tokens,
            call.usage.completion_tokens,
        )
        assert span.usage.prompt_tokens > 0
        assert span.started <= call.started
        assert (span.owner, span.revision < call.revision) == (Owner("platform", "shop", "", "ci"), True)


@pytest.fixture
def post(rig):
    def post(body, kind=PROTOBUF, path="/v1/traces", **headers):
        headers = rig.headers(**headers) | {"content-type": kind}
        return httpx.post(f"{rig.url}{path}", content=body, headers={k: v for k, v in headers.items() if v})

    return post


def document(*spans, **of_each):
    told = {"traceId": "AB" * 16, "spanId": "cd" * 8, "startTimeUnixNano": "1770000000000000000"}
    attributes = [{"key": name, "value": {"stringValue": str(value)}} for name, value in CALL.items()]
    each = [told | {"attributes": attributes} | of_each | span for span in spans]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": each}]}]}).encode()


def test_json_is_taken_too_and_what_cannot_be_read_is_a_partial_success(rig, post):
    bad = [
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "-1"}},
        {"key": "llm.request.type", "value": "chat"},
    ]
    body = document(
        {}, {"traceId": "short"}, {"attributes": [{"key": "llm.request.type", "value": {"stringValue": "chat"}}, *bad]}
    )

    reply = post(body, "application/json")

    partial = reply.json()["partialSuccess"]
    assert (reply.status_code, partial["rejectedSpans"]) == (200, "2")
    assert partial["errorMessage"].startswith("the trace id is not 16 bytes, or the span id not 8; ")
    assert received(rig)[-1].call.call_id == f"otlp:{'ab' * 16}:{'cd' * 8}"
    assert post(document({}), "application/json").json() == {}


def test_spans_that_are_no_calls_are_taken_and_are_not_rejected(post):
    reply = post(document({}, attributes=[]), "application/json")

    assert (reply.status_code, reply.json()) == (200, {})


BOMB = gzip.compress(b"\x00" * (MOST_BYTES + 1), 1)


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400, "no request of OTLP"),
        (b"{", "application/json", 400, "no request of OTLP"),
        (b"[]", "application/json", 400, "no request of OTLP"),
        (b"[" * 100_000, "application/json", 400, "no request of OTLP"),
        (b"\x1f\x8b\xff" * 9, PROTOBUF, 400, "no gzip"),
        (gzip.compress(b"{}", mtime=0)[:-9], "application/json", 400, "no whole gzip"),
        (BOMB, PROTOBUF, 413, "at most 16,777,216 bytes unpacked"),
        (b"\x00" * (MOST_BYTES + 1), PROTOBUF, 413, "at most 16,777,216 bytes unpacked"),
        (b"{}", "text/plain", 415, "application/x-protobuf or application/json"),
        (document(*[{}] * 20_001, attributes=[]), "application/json", 400, "more than 20,000 spans"),
    ],
)
def test_what_is_no_request_is_refused_in_otlps_words(post, body, kind, status, said):
    reply = post(body, kind, content_encoding="gzip" if body.startswith(b"\x1f\x8b") else "")

    assert reply.status_code == status
    assert said.encode() in reply.content
    assert reply.headers["content-type"] == (PROTOBUF if kind == PROTOBUF else "application/json")


def test_it_needs_a_modicum_key(post):
    assert post(b"", authorization="").status_code == 401
    assert post(b"", authorization="Bearer sk-own").status_code == 401
    assert post(b"", authorization="Bearer mk_guess").status_code == 401
    assert post(b"").status_code == 200


def test_other_packings_are_told_what_to_use(post):
    reply = post(zlib.compress(b""), content_encoding="deflate")

    assert (reply.status_code, b"plain or as gzip" in reply.content) == (415, True)


def test_profiles_are_not_taken(post):
    reply = post(b"", path="/v1development/profiles")

    assert (reply.status_code, b"leave profiles out" in reply.content) == (404, True)


def test_the_exporter_understands_a_refusal_and_a_partial_success(rig, tracing, caplog):
    span = tracing.get_tracer("test").start_span("chat", attributes=CALL | {"gen_ai.usage.output_tokens": -4})
    span.end()
    ExportTraceServiceResponse.FromString(
        httpx.post(f"{rig.url}/v1/traces", content=b"", headers=rig.headers(content_type=PROTOBUF)).content
    )
    wrong = OTLPSpanExporter(f"{rig.url}/v1/traces", headers={"authorization": "Bearer mk_wrong"})

    assert wrong.export([span]) is SpanExportResult.FAILURE
    assert "401" in caplog.text
    wrong.shutdown()


def test_a_disk_that_refuses_is_a_503_and_a_full_queue_too(tmp_path):
    with running(tmp_path) as rig:
        headers = rig.headers(content_type="application/json")
        url = f"{rig.url}/v1/traces"
        assert httpx.post(url, content=document({}), headers=headers).status_code == 200
        traces = rig.gateway.parts.otlp_door
        traces._journal._patience_s = 0.05
        commit = traces._journal._commit
        held = threading.Event()
        traces._journal._commit = lambda *batch: (held.wait(10), commit(*batch))
        refused = httpx.post(url, content=document({}), headers=headers)
        held.set()
        traces._waiting = 16
        busy = httpx.post(url, content=document({}), headers=headers)
        traces._waiting = 0

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (busy.status_code, busy.json()["message"]) == (503, "too many requests wait; send it again")


def test_without_the_extra_json_is_taken_and_protobuf_told_what_to_install(post, monkeypatch):
    def absent():
        raise UserError("OTLP over protobuf needs a package: pip install 'modicum[otel]'")

    monkeypatch.setattr("modicum.providers.opentelemetry.otlp_protobuf.messages", absent)

    refused = post(b"")

    assert (refused.status_code, refused.headers["content-type"]) == (415, "application/json")
    assert "pip install 'modicum[otel]', where the gateway runs; or send JSON" in refused.json()["message"]
    assert post(document({}), "application/json").status_code == 200


def test_what_came_is_counted(rig, post):
    def counted():
        text = httpx.get(f"{rig.url}/metrics").text
        lines = [line for line in text.splitlines() if line.startswith("modicum_otel_spans_received_total")]
        return [float(line.rpartition(" ")[2]) for line in lines]

    before = counted()
    post(document({}, {"attributes": []}, {"spanId": "none"}), "application/json")

    assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 1, 1]


def test_names_are_bounded_and_a_keys_owner_stands():
    long = [{"key": name, "value": {"stringValue": "x" * 10_000 + "\n"}} for name in ("session.id", "enduser.id")]
    long += [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]

    told = read_spans(b"application/json", document({}, attributes=long), caller(app="shop", key="ci"))

    call = told.spans[0].call
    assert (len(call.task), len(call.owner.user), call.owner.app, call.owner.key) == (200, 200, "shop", "ci")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "value", "intValue", "stringValue", "arrayValue", "values"]), inner)
    ),
    max_leaves=6,
)
FIELDS = ("traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "attributes", "events", "status")


@given(st.dictionaries(st.sampled_from(FIELDS), ANY), ANY)
def test_whatever_json_comes_it_is_taken_rejected_or_refused(span, resource):
    body = json.loads(document(span, attributes=[{"key": "llm.request.type", "value": {"stringValue": "chat"}}]))
    body["resourceSpans"][0]["resource"] = resource

    try:
        told = read_spans(b"application/json", json.dumps(body).encode(), caller(key="ci"))
    except Refused as refused:
        assert refused.status == 400  # noqa: PT017 - the only refusal there may be
    else:
        assert told.calls + told.rejected <= 1


def test_a_body_that_unpacks_for_ever_is_given_up_at_the_bound():
    packer = zlib.compressobj(wbits=31)
    body = b"".join([packer.compress(b"\x00" * (1 << 20)) for _ in range(64)]) + packer.flush()

    began = time.process_time()
    with pytest.raises(Refused) as refused:
        read_spans(b"application/json", body, caller())

    assert refused.value.status == 413
    assert time.process_time() - began < 5


def test_half_a_character_and_a_time_at_an_end_of_the_calendar_cost_no_other_span(rig, post):
    before = len(received(rig))
    half = [{"key": f"{name}\ud83d", "value": {"stringValue": "\ud83d"}} for name in ("a", "gen_ai.request.model")]
    half += [{"key": name, "value": {"stringValue": f"{value}\udc00"}} for name, value in CALL.items() if value != 9]
    ends = ["9" * 19, "9" * 40, "-1", "1e30", "0001-01-01T00:00:00+14:00"]
    spans = [{"spanId": f"{number:016x}", "startTimeUnixNano": end} for number, end in enumerate(ends)]

    reply = post(document({"name": "x\ud83d", "attributes": half}, *spans, {}), "application/json")

    assert reply.status_code == 200
    assert len(received(rig)) >= before + 2
    assert int(reply.json()["partialSuccess"]["rejectedSpans"]) >= 4
