"""A provider to try everything with: the mock's answers behind the gateway's own paths. Needs no key and no network."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvicorn

from modicum.calls import Call, Usage
from modicum.gateway.http.paths import CALL, dialect_of, served
from modicum.gateway.http.refusal import Refused
from modicum.gateway.http.upgrades import PlainProtocol
from modicum.ledger.booking import book
from modicum.metering.prices import PriceBook
from modicum.outbound.event_loop import LOOP_NAME
from modicum.outbound.listener import bind_listener
from modicum.providers.dialect import Dialect
from modicum.providers.facts import DialectError
from modicum.providers.mock.aws_signature import signature_fault
from modicum.providers.mock.batches import MockBatches
from modicum.providers.mock.options import MockOptions, parse_options
from modicum.providers.mock.provider import JSON, MockProvider, MockReply, models
from modicum.providers.mock.recordings import recording
from modicum.providers.mock.usage_reports import MockReports, Price
from modicum.settings.addresses import host_and_port

MODELS = ("gpt-4o-mini", "gpt-5", "text-embedding-3-small", "claude-sonnet-4-6", "claude-haiku-4-5", "gemini-2.5-flash")
"""What its lists of models hold; it answers to any name."""
MOST_BODY_BYTES = 64 * 1024 * 1024

Message = MutableMapping[str, Any]


class MockApp:
    """An ASGI application. Faults, sizes and delays are asked for in `x-mock-...` headers.

    Args:
        recordings: the folder of replies that can be played back.
    """

    def __init__(self, provider: MockProvider, recordings: Path | None = None) -> None:
        self._provider, self._recordings = provider, recordings
        self._reports = MockReports(_price_of(PriceBook()))
        self._batches = MockBatches(provider)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more and len(body) < MOST_BODY_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("ascii", "replace")
        report = self._reports.answer(scope["method"], scope["path"], query, headers)
        answer, options = self._answer(scope, headers, body) if report is None else (report, MockOptions())
        if answer.is_silent:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await asyncio.sleep(options.delay_ms / 1000)
        answer.begins()
        head = [(b"content-type", answer.content_type.encode())]
        head += [(name.encode(), value.encode()) for name, value in answer.headers]
        request_id = b"req_" + secrets.token_hex(12).encode()
        head += [(b"x-request-id", request_id), (b"request-id", request_id)]
        if len(answer.parts) == 1 and not answer.breaks_off:
            head.append((b"content-length", b"%d" % len(answer.parts[0])))
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        for part in answer.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            if options.chunk_delay_ms and len(answer.parts) > 1:
                await asyncio.sleep(options.chunk_delay_ms / 1000)
        if not answer.breaks_off:  # else the server cuts the connection when we return
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _answer(self, scope: dict[str, Any], headers: dict[str, str], body: bytes) -> tuple[MockReply, MockOptions]:
        now = int(time.time())
        dialect = dialect_of(scope["path"])
        try:
            target = served(scope["method"], scope["path"], {name for name, _ in scope["headers"]})
            dialect = target.dialect
            options = parse_options(headers)
        except (Refused, DialectError) as refusal:
            error_body = dialect.error(refusal.status, refusal.message, refusal.kind)
            return MockReply(refusal.status, "application/json", (error_body,)), MockOptions()
        if target.dialect.api.is_signed and (fault := _signature_fault(scope, headers, body)):
            return MockReply(403, JSON, (dialect.error(403, fault, "unsigned"),)), options
        special = self._special(dialect, scope, body, options, now)
        if special is not None:
            return special, options
        path = f"{scope['path']}?{scope['query_string'].decode('ascii', 'replace')}"
        if target.what == CALL:
            reply = self._provider.answer(dialect, body, path, options, now)
            self._count(dialect, reply, headers, now)
            return reply, options
        if scope["method"] == "GET":
            return models(dialect, MODELS, now), options
        return self._provider.count(dialect, body, path), options

    def _count(self, dialect: Dialect, reply: MockReply, headers: dict[str, str], now: int) -> None:
        if reply.usage is not None:
            key = headers.get(dialect.api.key_header.decode(), "").removeprefix(dialect.api.key_prefix.decode())
            self._reports.count(dialect.api.name, reply.model, key, reply.usage, datetime.fromtimestamp(now, UTC))

    def _special(
        self, dialect: Dialect, scope: dict[str, Any], body: bytes, options: MockOptions, now: int
    ) -> MockReply | None:
        """What is no reply of a model and not about models: recordings, files, batches, paths that nobody meters."""
        if options.replay:
            try:
                return recording(self._recordings, options.replay)
            except DialectError as wrong:
                return MockReply(wrong.status, JSON, (dialect.error(wrong.status, wrong.message, wrong.kind),))
        found = self._batches.answer(dialect, scope["method"], scope["path"], body, options, now)
        if found is None and not dialect.is_metered:
            return MockReply(200, JSON, (b'{"object":"mock"}',))
        return found


def _price_of(prices: PriceBook) -> Price:
    """List prices, as an invoice would have them."""

    def price(provider: str, model: str, usage: Usage, at: datetime) -> Decimal | None:
        call = Call(call_id="mock", source="mock", provider=provider, model=model, started=at, usage=usage)
        return book(call, prices).cost.usd

    return price


def _signature_fault(scope: dict[str, Any], headers: dict[str, str], body: bytes) -> str:
    raw_path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("ascii", "replace")
    return signature_fault(scope["method"], raw_path.partition("?")[0], query, headers, body)


def run(address: str, recordings: Path | None = None) -> None:
    """Runs the mock provider until it is asked to stop. `recordings`: the folder of replies that can be played back.

    Raises:
        UserError: the address is taken.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            MockApp(MockProvider(str(time.time_ns()).encode()), recordings),
            http=PlainProtocol,
            loop=LOOP_NAME,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
        )
    )
    server.run(sockets=[bind_listener("--listen", *host_and_port("--listen", address))])
