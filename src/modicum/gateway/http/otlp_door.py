"""POST /v1/traces, /v1/logs, /v1/metrics: what programs report in OpenTelemetry. A door beside gateway and importers.

Needs a modicum key, as `/outcomes` does. What a request holds of calls and outcomes is on the disk before it is
answered; the ledger process books it (`modicum.ledger.otlp.spans`). No prompt is kept. Requests are taken apart in a
thread, one at a time, which gives way to the calls under way (`otlp_bodies`).

Answers are OTLP's (https://opentelemetry.io/docs/specs/otlp/#otlphttp): what cannot be read is a partial success.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from modicum.calls import Outcome, UserError
from modicum.calls.call import NOBODY
from modicum.gateway.callers.owners import Caller, Owners
from modicum.gateway.http.client import Client
from modicum.gateway.http.otlp_bodies import JSON, PROTOBUF, Parsed, read_counters, read_logs, read_spans
from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.metrics import Metrics
from modicum.gateway.process.refusals import Refusals
from modicum.ledger.journal import Journal, NotDurable, Record
from modicum.providers.opentelemetry import otlp_protobuf

TRACES, LOGS, METRICS = "/v1/traces", "/v1/logs", "/v1/metrics"
PROFILES = "/v1development/profiles"
READERS = {TRACES: read_spans, LOGS: read_logs, METRICS: read_counters}
REJECTED = {TRACES: "rejectedSpans", LOGS: "rejectedLogRecords", METRICS: "rejectedDataPoints"}
"""How an answer in JSON calls what was not taken."""
PATHS = frozenset({*READERS, PROFILES})
RecordOutcomes = Callable[[Sequence[Outcome]], Awaitable[None]]
KEPT_REQUESTS = 500
"""That the ledger has; a request may hold hundreds of calls."""
MOST_WAITING = 16
"""Requests that wait to be taken apart."""
_pack = msgspec.msgpack.Encoder().encode


class OtlpDoor:
    """Takes what comes over OTLP: key, bounds, calls and outcomes, durable before the answer.

    Args:
        journal: the journal of this process's calls; what comes in here is kept beside it.
    """

    def __init__(self, journal: Path, metrics: Metrics, refusals: Refusals) -> None:
        self._place, self._metrics, self._refusals = spans_folder(journal.parent), metrics, refusals
        self._name = journal.stem
        self._journal: Journal | None = None
        self._thread = ThreadPoolExecutor(1, "spans")
        self._waiting = 0

    async def take(
        self,
        owners: Owners,
        method: str,
        path: str,
        headers: Mapping[bytes, bytes],
        read: Callable[[], Awaitable[bytes]],
        client: Client,
        record_outcomes: RecordOutcomes,
    ) -> None:
        """Answers when what came in is durable. The body is read once the sender is known."""
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        caller: Caller | None = None
        try:
            caller = _checked(owners, method, path, headers)
            result = await self._parse(path, caller, kind, await read())
            if result.spans:
                await self._opened().append(Record("", "spans", _pack(result.spans)))
            if result.outcomes:
                await record_outcomes(result.outcomes)
        except Refused as refusal:
            self._refusals.add(refusal.kind, NOBODY if caller is None else caller.owner)
            await _refuse(client, kind, refusal)
        except NotDurable:
            await _refuse(client, kind, Refused(503, "it could not be recorded; send it again", "unavailable"))
        else:
            self._metrics.spans_received(result.calls, len(result.spans) - result.calls, result.rejected)
            await _answer(client, path, kind, result)

    @property
    def trouble(self) -> str:
        """Why calls cannot be recorded; empty if they can, or none has come."""
        return self._journal.reason if self._journal is not None else ""

    def close(self) -> None:
        self._thread.shutdown()
        if self._journal is not None:
            self._journal.close()

    async def _parse(self, path: str, caller: Caller, kind: bytes, body: bytes) -> Parsed:
        if kind not in {PROTOBUF, JSON}:
            raise Refused(415, "OTLP comes as application/x-protobuf or application/json", "invalid_request")
        if self._waiting >= MOST_WAITING:
            raise Refused(503, "too many requests wait; send it again", "overloaded")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, READERS[path], kind, body, caller)
        finally:
            self._waiting -= 1

    def _opened(self) -> Journal:
        if self._journal is None:
            try:
                self._journal = Journal(self._place, self._name, slots=1, kept=KEPT_REQUESTS)
            except UserError:
                raise Refused(503, "the spans cannot be recorded at the moment", "unavailable") from None
        return self._journal


def spans_folder(journals: Path) -> Path:
    """Where what came in over OTLP is kept, beside the journals of calls."""
    return journals.parent / "spans"


def _checked(owners: Owners, method: str, path: str, headers: Mapping[bytes, bytes]) -> Caller:
    if path == PROFILES:
        raise Refused(404, "modicum takes traces, logs and metrics; leave profiles out", "unknown_path")
    if method != "POST":
        raise Refused(405, f"{path} takes POST", "method_not_allowed")
    if headers.get(b"content-encoding", b"identity").lower() not in {b"identity", b"gzip"}:
        raise Refused(415, "OTLP comes plain or as gzip", "invalid_request")
    caller = owners.identify(headers, b"")
    if caller.own_key is not None:
        raise Refused(401, "telemetry needs a modicum key; 'modicum key create NAME' makes one", "unknown_key")
    return caller


async def _answer(client: Client, path: str, kind: bytes, result: Parsed) -> None:
    message = "; ".join(result.reasons)
    if kind == PROTOBUF:
        body = otlp_protobuf.answer_of(result.rejected, message)
    elif result.rejected:
        partial = {REJECTED[path]: str(result.rejected), "errorMessage": message}
        body = msgspec.json.encode({"partialSuccess": partial})
    else:
        body = b"{}"
    client.prepare(200, [(b"content-type", kind)])
    await client.finish(body)


async def _refuse(client: Client, kind: bytes, refusal: Refused) -> None:
    """Answers with a refusal as `google.rpc.Status`, in the sender's encoding if it can be had."""
    code = _CODES.get(refusal.status, 3)
    try:
        body = otlp_protobuf.status_of(code, refusal.message) if kind == PROTOBUF else b""
    except UserError:
        body = b""
    if not body:
        kind, body = JSON, msgspec.json.encode({"code": code, "message": refusal.message})
    headers = [(b"content-type", kind)]
    if refusal.status == 503:
        headers.append((b"retry-after", b"5"))
    client.prepare(refusal.status, headers)
    await client.finish(body)


_CODES = {401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 503: 14}
"""https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto"""
