"""Finished calls as OpenTelemetry spans, sent to a collector or a tracing service.

They are read from the journals, up to where the ledger has them, and the place is noted when the endpoint has taken
them: nothing of it is on a call's way, an endpoint that is away costs nothing but time, and after a crash some spans
are sent again, with the ids that they had. What the journal has meanwhile forgotten (20,000 records) is counted as
lost. Waiting grows from one second to one minute, or is what the endpoint asks for (`Retry-After`).

No text of a prompt or reply is in a span, as none is in the journal.
"""

import asyncio
import hashlib
import random
import sqlite3
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from functools import reduce
from importlib.metadata import version
from operator import or_
from pathlib import Path
from typing import NamedTuple

import msgspec

from modicum.calls import Call, CallStatus, Entry
from modicum.calls.containment import contain, failure_place
from modicum.calls.words.counted_nouns import number_of
from modicum.ledger import positions
from modicum.ledger.booking import book_all
from modicum.ledger.journal import SHIPPED
from modicum.ledger.journals import Journals, NotReadable, opened_journal
from modicum.ledger_process.metrics import ExportMetrics
from modicum.ledger_process.otel_endpoint import Endpoint
from modicum.metering.prices import PriceBook
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts
from modicum.outbound.unreachable import Unreachable
from modicum.providers.opentelemetry import traceparent
from modicum.providers.opentelemetry.otel import Span
from modicum.providers.opentelemetry.otel_attributes import attributes_of, operation_of
from modicum.providers.opentelemetry.otlp_protobuf import rejected_in, request_of

READER = "exported"
EVERY_S = 1.0
BATCH = 512
LONGEST_WAIT_S = 60.0
REFUSED = frozenset({400, 413, 415, 422})
"""Answers to what was sent. All others (no answer, a wrong key, a wrong path, too much at once) may be mended, so that
what waits is sent then."""
_call = msgspec.msgpack.Decoder(Call)
RunBeside = Callable[[Callable[[], "SpanBatch | None"]], Awaitable["SpanBatch | None"]]


class SpanBatch(NamedTuple):
    """Spans of a journal's records up to `done`, as the body of a request."""

    journal: Path
    done: positions.Position
    spans: int
    lost: int
    unsampled: int
    body: bytes


def stop_exporting(journals: Path) -> None:
    """When it is turned on again, it begins with the calls of that time."""
    for path in journals.glob("*.sqlite"):
        positions.forget(path, READER)


def span_of(call: Call, prices: PriceBook, endpoint: Endpoint) -> Span | None:
    """The span of a call, a child of the caller's if it had one. None: the caller does not record its trace."""
    parent = traceparent.parsed(call.tags.get(traceparent.TAG, ""))
    if parent is not None and not parent.sampled and not endpoint.unsampled:
        return None
    return Span(
        trace_id=parent.trace_id if parent is not None else _id(call, b"trace", 16),
        span_id=_id(call, b"span", 8),
        parent_id=parent.parent_id if parent is not None else "",
        name=f"{operation_of(call)} {call.model}".strip(),
        started=call.started,
        finished=call.finished,
        failed=call.status is not CallStatus.OK,
        attributes=attributes_of(_whole_entry(call, prices), endpoint.names),
    )


def _whole_entry(call: Call, prices: PriceBook) -> Entry:
    """The entry of a call with all that it cost: a span is one call, whatever other models did for it."""
    own, *others = book_all([call], prices)
    if not others:
        return own
    costs = [entry.cost for entry in (own, *others)]
    usd = [cost.usd for cost in costs if cost.usd is not None]
    total = sum(usd, Decimal(0)) if len(usd) == len(costs) else None
    basis = reduce(or_, (cost.basis for cost in costs))
    return Entry(own.call, msgspec.structs.replace(own.cost, usd=total, basis=basis, by_bucket=None))


def _id(call: Call, what: bytes, size: int) -> str:
    """The same for the same call, so that a span that is sent twice is known again."""
    return hashlib.blake2b(call.call_id.encode("utf-8", "replace"), digest_size=size, person=what).hexdigest()


class SpanExport:
    def __init__(
        self, endpoint: Endpoint, journals: Path, prices: PriceBook, log: Callable[[str], None], metrics: ExportMetrics
    ) -> None:
        self._endpoint, self._journals, self._prices = endpoint, Journals(journals), prices
        self._log, self._metrics = log, metrics
        self._size = BATCH
        self._failures = 0
        self._resource = {"service.name": endpoint.service, "service.version": version("modicum")}
        for path in journals.glob("*.sqlite"):  # what was there before is not sent; what comes later is, all of it
            if positions.read(path, READER) is None:
                with suppress(sqlite3.Error, OSError, NotReadable), opened_journal(path) as base:
                    positions.write(path, READER, positions.at(base, positions.last_confirmed(base, path, SHIPPED)))

    async def run(self, run_beside: RunBeside) -> None:
        """Sends until it is cancelled.

        Args:
            run_beside: runs something in the thread where prices may be used.
        """
        headers = {
            **self._endpoint.headers,
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            "user-agent": f"modicum/{version('modicum')}",
        }
        async with Outbound(AllowedHosts([self._endpoint.url])) as outbound:
            while True:
                with contain() as work:  # an export that fails costs no call anything
                    batch = await run_beside(self.next_batch)
                    wait_s = EVERY_S if batch is None else await self._send(outbound, batch, headers)
                if (error := work.error) is not None:
                    wait_s = self._again(f"{type(error).__name__} at {failure_place(error)}", "")
                await asyncio.sleep(wait_s)

    def close(self) -> None:
        """Once nothing runs any more in the thread that was lent to `run`."""
        self._journals.close()

    def next_batch(self) -> SpanBatch | None:
        """The next records that the ledger has, as spans; None: there are none now."""
        waiting = 0
        found: SpanBatch | None = None

        def read_new(path: Path, base: sqlite3.Connection) -> None:
            nonlocal waiting, found
            position, doubt = positions.resume(base, path, READER)
            if doubt:
                self._log(f"{path}: {doubt}. Its spans are sent from the first again, with the ids that they had")
            done, shipped = (position or positions.Position(0)).record, positions.last_confirmed(base, path, SHIPPED)
            waiting += max(shipped - done, 0)
            while found is None and done < shipped:
                found, done = self._read(path, base, done, shipped)

        self._journals.each(read_new)  # what cannot be read the shipper tells
        self._metrics.waiting.set(waiting)
        return found

    def _read(self, path: Path, base: sqlite3.Connection, done: int, shipped: int) -> tuple[SpanBatch | None, int]:
        """Some records as a batch, and how far that goes. Where none of them is a call to send, that is noted."""
        rows = base.execute(
            "SELECT seq, kind, body FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            (done, shipped, self._size),
        ).fetchall()
        first, last = (rows[0][0], rows[-1][0]) if rows else (shipped + 1, shipped)
        spans, lost, unsampled = [], first - done - 1, 0
        for _, kind, body in rows:
            if kind != "call":
                continue
            try:
                call = _call.decode(body)
            except (msgspec.DecodeError, TypeError):
                continue  # the shipper says it
            if not call.calls_count:
                continue  # no model was called: a stopped agent was answered in its place
            span = span_of(call, self._prices, self._endpoint)
            if span is None:
                unsampled += 1
            else:
                spans.append(span)
        body = b""
        if spans:
            body = zlib.compress(request_of([(self._resource, spans)], version("modicum")), 1, wbits=31)
        batch = SpanBatch(path, positions.at(base, last), len(spans), lost, unsampled, body)
        if spans:
            return batch, last
        self._mark_sent(batch)
        return None, last

    async def _send(self, outbound: Outbound, batch: SpanBatch, headers: dict[str, str]) -> float:
        """Sends a batch; returns how long to wait for the next."""
        try:
            answer = await outbound.post(self._endpoint.url, batch.body, headers)
        except Unreachable as trouble:
            if trouble.status == 413 and batch.spans > 1:
                self._size = max(batch.spans // 2, 1)
                return 0.0
            if trouble.status not in REFUSED:
                return self._again(
                    "no answer" if trouble.status is None else f"status {trouble.status}", trouble.retry_after
                )
            self._log(f"{self._endpoint.shown} refused {number_of(batch.spans, 'span')} with status {trouble.status}")
            self._metrics.dropped("refused", batch.spans)
        else:
            self._count(batch, *rejected_in(answer))
        if self._failures:
            self._failures = 0
            self._log(f"spans go to {self._endpoint.shown} again")
        self._mark_sent(batch)
        return 0.0

    def _mark_sent(self, batch: SpanBatch) -> None:
        positions.write(batch.journal, READER, batch.done)
        self._metrics.dropped("lost", batch.lost)
        self._metrics.dropped("unsampled", batch.unsampled)

    def _count(self, batch: SpanBatch, rejected: int, reason: str) -> None:
        rejected = min(max(rejected, 0), batch.spans)
        self._metrics.exported.inc(batch.spans - rejected)
        if rejected:
            self._metrics.dropped("refused", rejected)
            self._log(
                f"{self._endpoint.shown} did not take {rejected} of {number_of(batch.spans, 'span')}: {reason[:200]!a}"
            )

    def _again(self, why: str, retry_after: str) -> float:
        self._failures += 1
        self._metrics.failures.inc()
        if self._failures == 1:
            self._log(f"spans cannot be sent to {self._endpoint.shown} ({why}); they wait in the journal")
        if retry_after.isdecimal():
            return min(float(retry_after[:6]), 10 * LONGEST_WAIT_S)
        # Half of it by chance, so that many gateways do not come back at once.
        return min(EVERY_S * 2.0 ** min(self._failures, 10), LONGEST_WAIT_S) * random.uniform(0.5, 1.0)  # noqa: S311
