"""Spans on their way out: to a collector that misbehaves, and to a second modicum."""

import asyncio
import gzip
import threading
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2 as httpx
import msgspec
import openai
import pytest
import uvicorn
import uvloop
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.rig import CHAT, running
from ledger.faults import GARBAGE, Backup, garbage, left_open
from ledger.test_shipper import write
from ledger_process.rig import LedgerProcess, until
from modicum.calls import Anatomy, Call, CallStatus, Charges, OtherModel, Usage
from modicum.gateway.process.mock import MockApp
from modicum.ledger import positions
from modicum.ledger.journal import Journal, Record
from modicum.ledger.journals import opened_journal
from modicum.ledger_process import exporting
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.exporting import READER, SpanExport, span_of, stop_exporting
from modicum.ledger_process.ledger_thread import LedgerThread
from modicum.ledger_process.metrics import ExportMetrics
from modicum.ledger_process.otel_endpoint import Endpoint
from modicum.ledger_process.running import find
from modicum.metering.prices import PriceBook
from modicum.outbound.listener import bind_listener
from modicum.providers.mock.provider import MockProvider
from modicum.providers.opentelemetry.otlp_protobuf import answer_of, spans_in
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def call(number, **more):
    told = {
        "source": "gateway",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "started": NOON,
        "usage": Usage(1000, 50),
    }
    return Call(call_id=f"gateway:{number}", finished=NOON + timedelta(seconds=1), **told | more)


class Collector:
    """Takes spans and answers as it is told: a status, or a status with a body or headers."""

    def __init__(self):
        self.answers = []
        self.asked = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.asked.append((self.path, self.headers, body))
                status, answer, headers = collector.answers.pop(0) if collector.answers else (200, b"", {})
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def names(self):
        """The ids of the calls of each request that came."""
        return [
            [span.attributes["modicum.call.id"] for span in spans_in(gzip.decompress(body))]
            for _, _, body in self.asked
        ]


@pytest.fixture
def collector():
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join()


class Rig:
    """A journal that the ledger has, and what exports it."""

    def __init__(self, folder, collector):
        self.folder, self.collector = folder, collector
        self.said = []
        self.journal = folder / "gateway.sqlite"
        self.thread = LedgerThread(":memory:", folder, folder / "events.sqlite", PriceBook(), self.said.append)
        self.metrics = ExportMetrics(self.thread)
        self.export = None
        self.made()

    def close(self):
        self.export.close()
        asyncio.run(self.thread.close())

    def made(self, **more):
        if self.export is not None:
            self.export.close()
        self.export = SpanExport(
            Endpoint(self.collector.url, {"x-tenant": "a"}, **more),
            self.folder,
            PriceBook(),
            self.said.append,
            self.metrics,
        )

    def journaled(self, *calls, kind="call", shipped=True):
        async def write():
            journal = Journal(self.folder)
            for one in calls:
                body = one if isinstance(one, bytes) else msgspec.msgpack.encode(one)
                await journal.append(Record("1", kind, body))
            before = positions.read(self.journal, "shipped")
            self.written = (before.record if before else 0) + len(calls)
            journal.close()

        asyncio.run(write())
        if shipped:
            with opened_journal(self.journal) as base:
                positions.write(self.journal, "shipped", positions.at(base, self.written))

    def run_until(self, condition):
        async def aside(work):
            return work()

        async def run():
            running = asyncio.create_task(self.export.run(aside))
            async with asyncio.timeout(10):
                while not condition():  # noqa: ASYNC110 - another thread's doing
                    await asyncio.sleep(0.01)
            running.cancel()

        asyncio.run(run())

    def done(self):
        position = positions.read(self.journal, READER)
        return position and position.record

    def count(self, name):
        line = next(line for line in self.metrics.text().splitlines() if line.startswith(name + " "))
        return float(line.rpartition(" ")[2])


@pytest.fixture
def rig(tmp_path, collector, monkeypatch):
    monkeypatch.setattr(exporting, "EVERY_S", 0.01)
    made = Rig(tmp_path / "journal", collector)
    yield made
    made.close()


def test_what_the_ledger_has_is_sent_once_with_the_settings_headers(rig, collector):
    rig.journaled(call("1"), call("2"))
    rig.journaled(call("3"), shipped=False)

    rig.run_until(lambda: rig.done() == 2)
    rig.run_until(lambda: rig.export.next_batch() is None)

    assert collector.names() == [["gateway:1", "gateway:2"]]
    path, headers, body = collector.asked[0]
    assert (path, headers["x-tenant"], headers["Content-Type"]) == ("/v1/traces", "a", "application/x-protobuf")
    (group,) = ExportTraceServiceRequest.FromString(gzip.decompress(body)).resource_spans
    assert {pair.key: pair.value.string_value for pair in group.resource.attributes}["service.name"] == "modicum"
    assert rig.count("modicum_otel_spans_exported_total") == 2


def test_an_endpoint_that_is_away_loses_nothing(rig, collector):
    rig.journaled(call("1"))
    collector.answers = [(503, b"", {"retry-after": "0"}), (401, b"", {}), (404, b"", {}), (429, b"", {})]

    rig.run_until(lambda: rig.done() == 1)

    assert collector.names() == [["gateway:1"]] * 5
    assert rig.count("modicum_otel_export_failures_total") == 4
    assert [line.replace(collector.url, "URL") for line in rig.said] == [
        "spans cannot be sent to URL (status 503); they wait in the journal",
        "spans go to URL again",
    ]


def test_nobody_listening_is_waited_for(rig, collector):
    rig.export._endpoint = Endpoint("http://127.0.0.1:1/v1/traces", {})
    rig.journaled(call("1"))

    rig.run_until(lambda: rig.said)

    assert "(no answer)" in rig.said[0]
    assert rig.done() is None


def test_what_is_refused_for_good_is_counted_and_does_not_stop_the_rest(rig, collector):
    rig.journaled(call("1"))
    collector.answers = [(400, b"my secret", {})]
    rig.run_until(lambda: rig.done() == 1)
    rig.journaled(call("2"), call("3"))
    collector.answers = [(200, answer_of(1, "no such tenant"), {})]
    rig.run_until(lambda: rig.done() == 3)

    assert rig.count('modicum_otel_spans_dropped_total{why="refused"}') == 2
    assert rig.count("modicum_otel_spans_exported_total") == 1
    assert [line.replace(collector.url, "URL") for line in rig.said] == [
        "URL refused 1 span with status 400",
        "URL did not take 1 of 2 spans: 'no such tenant'",
    ]


def test_what_is_too_large_is_sent_in_halves(rig, collector):
    rig.journaled(*(call(f"{number}") for number in range(4)))
    collector.answers = [(413, b"", {}), (413, b"", {})]

    rig.run_until(lambda: rig.done() == 4)

    assert [len(names) for names in collector.names()] == [4, 2, 1, 1, 1, 1]


def test_what_the_journal_has_forgotten_is_counted_as_lost(rig):
    rig.journaled(*(call(f"{number}") for number in range(5)))
    import sqlite3

    base = sqlite3.connect(rig.journal)
    base.execute("DELETE FROM records WHERE seq <= 3")
    base.commit()
    base.close()

    rig.run_until(lambda: rig.done() == 5)

    assert rig.count('modicum_otel_spans_dropped_total{why="lost"}') == 3
    assert rig.count("modicum_otel_spans_exported_total") == 2


def test_calls_after_the_journal_was_set_back_are_all_sent(rig, collector):
    rig.journaled(call("1"))
    backup = Backup(rig.journal)
    rig.journaled(call("2"), call("3"))
    rig.run_until(lambda: rig.done() == 3)
    backup.restore()
    rig.journaled(call("4"), call("5"), call("6"), shipped=False)
    with opened_journal(rig.journal) as base:
        positions.write(rig.journal, "shipped", positions.at(base, 4))

    rig.run_until(lambda: rig.done() == 4)

    assert {name for names in collector.names() for name in names} == {f"gateway:{number}" for number in range(1, 7)}
    assert ["was set back" in line for line in rig.said] == [True]


def test_the_position_of_the_version_before_is_gone_on_from(rig, collector):
    rig.journaled(call("1"), call("2"), call("3"))
    rig.journal.with_suffix(".exported").write_text("2")

    rig.run_until(lambda: rig.done() == 3)

    assert collector.names() == [["gateway:3"]]


@pytest.mark.parametrize("name", GARBAGE)
def test_a_garbage_journal_keeps_no_span_of_another(rig, collector, name):
    path = garbage(rig.folder, name)
    path.with_suffix(".shipped").write_text("100")
    rig.made()
    rig.journaled(call("1"))

    rig.run_until(lambda: rig.done() == 1)

    assert collector.names() == [["gateway:1"]]


def test_records_that_are_no_calls_are_passed_over(rig, collector):
    rig.journaled(Anatomy(0, 0, ()), kind="anatomy")
    rig.journaled(b"\xc1")

    rig.run_until(lambda: rig.done() == 2)

    assert collector.asked == []


def test_it_begins_with_what_comes_after_it_was_turned_on(rig, collector):
    rig.journaled(call("1"))
    rig.made()
    rig.journaled(call("2"))
    rig.run_until(lambda: rig.done() == 2)
    stop_exporting(rig.folder)
    rig.journaled(call("3"))
    rig.made()
    rig.journaled(call("4"))
    rig.run_until(lambda: rig.done() == 4)

    assert collector.names() == [["gateway:2"], ["gateway:4"]]


def test_a_fault_of_ours_is_told_and_tried_again(rig, monkeypatch):
    rig.journaled(call("1"))
    faults = [KeyError("my secret")]
    real = exporting.request_of
    monkeypatch.setattr(exporting, "request_of", lambda *all_: raised(faults.pop()) if faults else real(*all_))

    rig.run_until(lambda: rig.done() == 1)

    assert "(KeyError at test_exporting.py:" in rig.said[0]


def raised(error):
    raise error


@pytest.mark.parametrize(
    ("flags", "unsampled", "is_sent"), [("01", False, True), ("00", False, False), ("00", True, True)]
)
def test_a_span_is_the_child_of_the_callers_and_follows_its_decision(flags, unsampled, is_sent):
    told = call("1", tags={"traceparent": f"00-{TRACE}-{PARENT}-{flags}"})

    span = span_of(told, PriceBook(), Endpoint("", {}, unsampled=unsampled))

    assert (span is not None) is is_sent
    if span is not None:
        assert (span.trace_id, span.parent_id, len(span.span_id)) == (TRACE, PARENT, 16)


def test_unsampled_calls_are_counted(rig):
    rig.journaled(call("1", tags={"traceparent": f"00-{TRACE}-{PARENT}-00"}))

    rig.run_until(lambda: rig.done() == 1)

    assert rig.count('modicum_otel_spans_dropped_total{why="unsampled"}') == 1


def test_a_stopped_agent_that_was_answered_without_a_model_is_no_span(rig, collector):
    rig.journaled(call("1", calls_count=0), call("2"))

    rig.run_until(lambda: rig.done() == 2)

    assert collector.names() == [["gateway:2"]]
    assert rig.count("modicum_otel_spans_exported_total") == 1


def test_a_call_has_the_same_ids_whenever_it_is_sent_and_another_has_others():
    one, again, other = (span_of(call(n), PriceBook(), Endpoint("", {})) for n in ("1", "1", "2"))

    assert (one.trace_id, one.span_id) == (again.trace_id, again.span_id)
    assert {one.trace_id, one.span_id}.isdisjoint({other.trace_id, other.span_id})


def test_a_call_that_failed_is_a_span_that_failed():
    told = call("1", status=CallStatus.ERROR, finish_reason="rate_limited")

    span = span_of(told, PriceBook(), Endpoint("", {}))

    assert (span.failed, span.attributes["error.type"]) == (True, "rate_limited")


def test_the_process_closes_all_that_it_opened_when_it_ends(tmp_path, collector, monkeypatch):
    def run_once():
        with LedgerProcess(tmp_path, export=Endpoint(collector.url, {})):
            (tmp_path / "journal").mkdir(exist_ok=True)
            write(tmp_path / "journal", ("1", "call", call("1")))
            until(collector.names)

    assert left_open(monkeypatch, run_once) == 0


# From gateway to gateway


@pytest.fixture(scope="module")
def mock_url():
    config = uvicorn.Config(MockApp(MockProvider()), http="httptools", lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    bound = bind_listener("test", "127.0.0.1", 0)
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[bound])))
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@contextmanager
def modicum(folder, mock_url, export=None):
    """A gateway before the mock provider, with its ledger process."""

    def settings(_):
        upstreams = {
            name: UpstreamSettings(
                url=f"{mock_url}/{version}",
                speaks=name,
                models=(models,),
                provider=provider,
                pass_headers=("x-mock-*",),
            )
            for name, version, models, provider in (
                ("openai", "v1", "gpt-*", "openai"),
                ("anthropic", "v1", "claude-*", "anthropic"),
                ("gemini", "v1beta", "gemini-*", "google"),
            )
        }
        return Settings(gateway=GatewaySettings(listen="127.0.0.1:0"), upstreams=upstreams)

    with running(folder, settings) as rig, LedgerProcess(folder, export) as ledger:
        rig.store = LedgerProcessStore(find(folder))
        rig.ledger = ledger
        yield rig


def entries(rig):
    return {entry.call.call_id: entry for batch in rig.store.entries() for entry in batch}


def test_what_one_modicum_exports_another_books_as_it_was(tmp_path, mock_url, monkeypatch):
    monkeypatch.setattr("modicum.ledger.otlp.spans.HOLD_S", 0.1)
    monkeypatch.setattr(exporting, "EVERY_S", 0.05)
    with ExitStack() as both:
        second = both.enter_context(modicum(tmp_path / "second", mock_url))
        endpoint = Endpoint(f"{second.url}/v1/traces", {"authorization": f"Bearer {second.key}"})
        first = both.enter_context(modicum(tmp_path / "first", mock_url, endpoint))
        ask(first)
        want = until(lambda: len(found := entries(first)) == 4 and found)
        got = until(lambda: len(found := entries(second)) == 4 and found)

    assert {told.call.provider for told in want.values()} == {"openai", "anthropic", "google"}
    for identity, told in want.items():
        mine, theirs = told.call, got[identity].call
        assert (theirs.usage, theirs.model, theirs.provider) == (mine.usage, mine.model, mine.provider)
        assert (theirs.started, theirs.first_token, theirs.finished) == (mine.started, mine.first_token, mine.finished)
        assert (theirs.status, theirs.task) == (mine.status, mine.task)
        assert got[identity].cost == told.cost


def ask(rig):
    """A cached call, a stream, another provider's, and one that fails."""
    post = {"headers": rig.headers(x_modicum_task="PR-1"), "timeout": 10}
    long = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "a long prompt " * 2000}]}
    chat = f"{rig.url}/v1/chat/completions"
    assert httpx.post(chat, json=long | {"stream": True}, **post).status_code == 200
    fault = {**post["headers"], "x-mock-fault": "rate_limited"}
    assert httpx.post(chat, json=CHAT, headers=fault, timeout=10).status_code == 429
    told = {"model": "claude-sonnet-4-6", "max_tokens": 9, "messages": CHAT["messages"]}
    assert httpx.post(f"{rig.url}/v1/messages", json=told, **post).status_code == 200
    told = {"contents": [{"parts": [{"text": "hi"}]}]}
    asked = f"{rig.url}/v1beta/models/gemini-2.5-flash:generateContent"
    assert httpx.post(asked, json=told, **post).status_code == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of their own code
@pytest.mark.parametrize("propagated", [False, True])
def test_instrumented_calls_that_go_through_the_gateway_are_counted_once(tmp_path, mock_url, monkeypatch, propagated):
    monkeypatch.setattr("modicum.ledger.otlp.spans.HOLD_S", 0.1)
    with modicum(tmp_path, mock_url) as rig:
        tracing = TracerProvider()
        tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{rig.url}/v1/traces", headers=rig.headers())))
        OpenInference().instrument(tracer_provider=tracing)
        try:
            direct = openai.OpenAI(base_url=f"{mock_url}/v1", api_key="own")
            through = openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key)
            with direct, through, tracing.get_tracer("app").start_as_current_span("agent"):
                headers = {}
                if propagated:
                    TraceContextTextMapPropagator().inject(headers)
                for client in (through, direct, through):
                    client.chat.completions.create(**CHAT, extra_headers=headers)
        finally:
            OpenInference().uninstrument()
            tracing.shutdown()
        booked = until(lambda: len(found := entries(rig)) == 3 and found)
        until(lambda: rig.ledger.metric("modicum_otel_calls_repeated") == 2)

    assert sorted(entry.call.source for entry in booked.values()) == ["gateway", "gateway", "otlp"]
    assert len({entry.call.usage.total_tokens for entry in booked.values()}) == 1


def test_a_span_costs_what_its_call_did_with_other_models_in_it():
    advised = Charges(others=(OtherModel("claude-opus-4-7", Usage(150_000, output_visible=8_000)),))
    told = {"provider": "anthropic", "model": "claude-sonnet-4-6", "usage": Usage(4, output_visible=500)}

    span = span_of(call("1", **told, charges=advised), PriceBook(), Endpoint("", {}))

    assert span.attributes["modicum.cost_usd"] == 0.957512
    assert span.attributes["gen_ai.usage.output_tokens"] == 500
