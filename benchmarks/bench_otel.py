"""What OpenTelemetry costs: CPU per span that goes out or comes in, and per call that has a traceparent."""

import argparse
import asyncio
import json
import tempfile
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from measured import machine, median, report
from modicum.calls import Basis, Call, Owner, Usage
from modicum.gateway.callers.attribution import attribution
from modicum.gateway.callers.owners import Caller
from modicum.gateway.http.otlp_bodies import read_spans
from modicum.ledger.journal import Journal, Record
from modicum.ledger.otlp.spans import Received, SpanShipper
from modicum.ledger_process.exporting import span_of
from modicum.ledger_process.otel_endpoint import Endpoint
from modicum.metering.prices import PriceBook
from modicum.providers.facts import RequestFacts
from modicum.providers.opentelemetry.otel import Span
from modicum.providers.opentelemetry.otlp_protobuf import request_of

SPANS = 512
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PROMPT = "what an application puts beside its counts. " * 230
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
pack = msgspec.msgpack.Encoder().encode


def call(number: int) -> Call:
    return Call(
        call_id=f"gateway:0123456789abcdef-{number:x}",
        source="gateway",
        provider="openai",
        model="gpt-4o-mini-2024-07-18",
        started=START + timedelta(seconds=number),
        first_token=START + timedelta(seconds=number + 0.4),
        finished=START + timedelta(seconds=number + 2),
        finish_reason="stop",
        usage=Usage(1_000 + number, 3_000, output_visible=250, output_reasoning=30),
        usage_basis=Basis.EXACT,
        task="PR-12",
        conversation="c-12",
        agent="coder",
        owner=Owner("platform", "reviewer", "ann", "ci"),
        tags={"traceparent": PARENT},
    )


def cpu_us(work: Callable[[], object], each: int, times: int) -> float:
    """Median CPU microseconds per item."""

    def once() -> float:
        began = time.process_time()
        work()
        return (time.process_time() - began) * 1e6 / each

    once()
    return median([once() for _ in range(times)])


def exported(names: str, times: int) -> tuple[float, int]:
    """CPU per span from a journal's record to the packed request, and bytes per span on the wire."""
    prices, endpoint = PriceBook(), Endpoint("http://127.0.0.1:4318/v1/traces", {}, names)  # type: ignore[arg-type]
    records, decoder = [pack(call(number)) for number in range(SPANS)], msgspec.msgpack.Decoder(Call)

    def work() -> bytes:
        spans = [span for body in records if (span := span_of(decoder.decode(body), prices, endpoint)) is not None]
        return zlib.compress(request_of([({"service.name": "modicum"}, spans)], "0"), 1, wbits=31)

    return cpu_us(work, SPANS, times), len(work()) // SPANS


def told(is_call: bool, number: int) -> Span:
    attributes = {"http.request.method": "POST", "url.full": "http://10.0.0.1/x"}
    if is_call:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.model": "gpt-4o-mini",
            "gen_ai.usage.input_tokens": 4_000,  # type: ignore[dict-item]
            "gen_ai.usage.output_tokens": 250,  # type: ignore[dict-item]
            "gen_ai.input.messages": PROMPT,
        }
    at = START + timedelta(seconds=number)
    place = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": f"{number + 1:016x}"}
    return Span(**place, name="span", started=at, finished=at, attributes=attributes)


def as_json(spans: list[Span]) -> bytes:
    def value(found: object) -> dict[str, str]:
        return {"intValue": str(found)} if isinstance(found, int) else {"stringValue": str(found)}

    rows = [
        {
            "traceId": span.trace_id,
            "spanId": span.span_id,
            "name": span.name,
            "startTimeUnixNano": str(int(span.started.timestamp()) * 10**9),
            "endTimeUnixNano": str(int(span.started.timestamp()) * 10**9),
            "attributes": [{"key": name, "value": value(found)} for name, found in span.attributes.items()],
        }
        for span in spans
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": rows}]}]}).encode()


def received(times: int) -> dict[str, float]:
    """CPU per span in the gateway's thread, up to the record of the journal."""
    calls = [told(is_call=True, number=number) for number in range(SPANS)]
    others = [told(is_call=False, number=number) for number in range(SPANS)]
    bodies = {
        "spans of calls, 10 KB of prompt each, protobuf": (b"application/x-protobuf", request_of([({}, calls)], "0")),
        "the same in JSON": (b"application/json", as_json(calls)),
        "spans of other things, protobuf": (b"application/x-protobuf", request_of([({}, others)], "0")),
    }
    return {
        name: cpu_us(
            lambda kind=kind, body=body: pack(read_spans(kind, body, Caller(Owner(key="ci"), (), None)).spans),
            SPANS,
            times,
        )
        for name, (kind, body) in bodies.items()
    }


def settled(times: int) -> float:
    """CPU per span of a call in the ledger process: read, found to be counted once, priced; without the store."""

    class Nowhere:
        def append(self, entries: object) -> None: ...

    async def write(folder: Path) -> None:
        journal = Journal(folder, slots=1)
        spans = [Received(f"{number:032x}", "a" * 16, "", call(number)) for number in range(SPANS)]
        await journal.append(Record("", "spans", pack(spans)))
        journal.close()

    with tempfile.TemporaryDirectory() as folder:
        spans, calls = Path(folder) / "spans", Path(folder) / "calls"
        asyncio.run(write(spans))
        prices = PriceBook()

        def work() -> None:
            shipper = SpanShipper(spans, calls, Nowhere(), prices, 0.0)  # type: ignore[arg-type]
            assert len(shipper.ship().entries) == SPANS
            shipper.close()
            (spans / "gateway.shipped").unlink()

        return cpu_us(work, SPANS, times)


def traceparent(times: int) -> float:
    """What the header adds to a call's attribution."""
    facts = RequestFacts(model="gpt-4o-mini")
    plain = {b"authorization": b"Bearer x", b"x-modicum-task": b"PR-12", b"content-type": b"application/json"}
    traced = plain | {b"traceparent": PARENT.encode()}
    without, with_it = (
        cpu_us(lambda headers=headers: [attribution(headers, facts, Owner()) for _ in range(1_000)], 1_000, times)
        for headers in (plain, traced)
    )
    return with_it - without


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used: calls and spans are synthetic")
    options = parser.parse_args()
    figures: dict[str, float] = {"gateway: a call with traceparent, more": traceparent(options.times)}
    for names in ("new", "old", "both"):
        figures[f"ledger process: a span exported, {names} names"], size = exported(names, options.times)
        figures[f"bytes per span on the wire, {names} names"] = size
    figures |= {f"gateway: {name}": value for name, value in received(options.times).items()}
    figures["ledger process: a span of a call booked, without the store"] = settled(options.times)
    report({name: round(value, 2) for name, value in figures.items()} | {"machine": machine()}, as_json=options.json)


if __name__ == "__main__":
    main()
