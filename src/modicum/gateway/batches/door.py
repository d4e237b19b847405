"""Batches through the gateway: who asked for one is remembered on disk, and its results are booked while they pass."""

import asyncio
import sqlite3
from time import time
from typing import Any

import msgspec

from modicum.calls import Basis, Call, CallStatus, Tier
from modicum.calls.caveats import SUM_OF_BATCH
from modicum.gateway import meter, sending
from modicum.gateway.batches.results import COUNTED, BatchResults
from modicum.gateway.budgets.budgeting import Budgeting
from modicum.gateway.callers.attribution import attribution
from modicum.gateway.callers.own_keys import check_upstream
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.failures import Failed, contain_stage
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import Refused
from modicum.gateway.relaying.relay import Relay, pass_back, refusing
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.ledger.batches import BatchFile, BegunBatch
from modicum.ledger.journal import Journal, NotDurable, Record
from modicum.outbound.keepalive import Answer
from modicum.providers.batches.dialect import BatchPaths
from modicum.providers.batches.facts import BatchFacts, BatchTarget
from modicum.providers.facts import RequestFacts
from modicum.providers.unmetered.dialect import path_name

OK = 200
MOST_OBJECT_BYTES = 16 * 1024 * 1024
_pack = msgspec.msgpack.Encoder().encode


class BatchDoor:
    """The batches of one gateway process. Used from its event loop; the file is asked in threads.

    Args:
        failed: counts the failures of what is optional.
    """

    def __init__(self, file: BatchFile, journal: Journal, relay: Relay, budgets: Budgeting, failed: Failed) -> None:
        self._file, self._journal, self._relay, self._budgets, self._failed = file, journal, relay, budgets, failed

    async def remember(self, exchange: Exchange) -> bool:
        """Remembers a batch that was asked for, before its reply is finished. False: the disk refuses."""
        reply, call = exchange.reply, exchange.finished
        if reply is None or not reply.pending or call is None:
            return True
        batch = BegunBatch(reply.reply_id, exchange.number, exchange.route.upstream.name, call)
        try:
            await asyncio.to_thread(self._file.add, batch)
        except sqlite3.Error:
            return False
        return True

    async def aside(self, upstreams: Upstreams, request: Request, client: Client) -> None:
        """What is asked of batches and files, but for a new batch: passed on, and what it tells is booked."""
        target, dialect = request.served.batch, request.served.dialect
        assert target is not None  # noqa: S101 - whoever calls has looked
        assert isinstance(dialect, BatchPaths)  # noqa: S101 - no other has such targets
        async with refusing(request, client):
            if not target.is_batch and not target.is_results:
                request.caller.check_model(path_name(request.path))
            batch_id = target.subject
            if target.is_file and batch_id:
                batch_id = await asyncio.to_thread(self._file.batch_of, batch_id)
            begun = await asyncio.to_thread(self._file.find, batch_id) if batch_id else None
            upstream = upstreams.named(begun.upstream if begun is not None else "", dialect.name)
            if request.caller.own_key is not None:
                check_upstream(request.caller.own_key, upstream)
            if target.is_batch:
                await self._pass_object(request, upstream, client, begun)
            elif target.is_results and (batch_id or await self._holds_results(request, upstream, target, dialect)):
                first = begun.call if begun is not None else _of_reader(request, upstream)
                number = begun.number if begun is not None else ""
                results = BatchResults(self._journal, dialect, batch_id or target.subject, first, number)
                await self._pass_results(request, upstream, client, results, first)
            else:
                await self._relay.pass_through(request, upstream, client)

    async def _pass_object(
        self, request: Request, upstream: Upstream, client: Client, begun: BegunBatch | None
    ) -> None:
        """A batch's object: its files of results are remembered; the sum of its usage stands until they are read."""
        answer = await self._relay.send(request, upstream)
        body = await answer.rest(MOST_OBJECT_BYTES)
        facts = _batch_facts(request, answer, body)
        if facts is not None:
            try:
                for file in facts.files:
                    await asyncio.to_thread(self._file.add_file, file, facts.batch_id)
                if begun is not None and facts.usage is not None:
                    call = _counted(begun.call, facts)
                    await self._journal.append(Record(begun.number, "call", _pack(call)))
                    await self._budgets.reconcile(call)
                await self._book_inline(request, upstream, begun, facts, body)
            except (sqlite3.Error, NotDurable):
                raise _not_recorded() from None
        client.prepare(answer.status, sending.passes_back(answer))
        await client.finish(body)

    async def _book_inline(
        self, request: Request, upstream: Upstream, begun: BegunBatch | None, facts: BatchFacts, body: bytes
    ) -> None:
        """Books the results that stand in a batch's own object.

        Raises:
            NotDurable: the disk refuses.
        """
        dialect = request.served.dialect
        assert isinstance(dialect, BatchPaths)  # noqa: S101 - no other has such targets
        if not (lines := dialect.shape.inline_results(_object(body))):
            return
        first = begun.call if begun is not None else _of_reader(request, upstream)
        number = begun.number if begun is not None else ""
        results = BatchResults(self._journal, dialect, facts.batch_id, first, number)
        await results.take(lines)
        await results.end()
        await self._reconcile(results, first)

    async def _pass_results(
        self, request: Request, upstream: Upstream, client: Client, results: BatchResults, first: Call
    ) -> None:
        answer = await self._relay.send(request, upstream)
        if answer.status != OK:
            await client.finish(await pass_back(answer, client))
            return
        await client.start(answer.status, sending.passes_back(answer))
        try:
            while piece := await answer.chunk():
                await results.take(piece)
                await client.pass_on(piece)
            await results.end()
        except NotDurable:
            raise ConnectionError("a record is not on the disk") from None
        await self._reconcile(results, first)
        await client.finish(b"")

    async def _reconcile(self, results: BatchResults, first: Call) -> None:
        with contain_stage("budgets", self._failed):
            whole = msgspec.structs.replace(first, model=results.model or first.model, usage=results.usage)
            await self._budgets.reconcile(_exact(whole))

    async def _holds_results(
        self, request: Request, upstream: Upstream, target: BatchTarget, dialect: BatchPaths
    ) -> bool:
        """Whether a file that nobody has named here holds the results of a batch, as its provider says."""
        if not target.is_file:
            return True
        about_file = Request(
            request.served._replace(target=f"/files/{target.subject}"),
            request.path,
            b"",
            request.caller,
            request.headers,
            request.passing,
            b"",
        )
        answer = await self._relay.send(about_file, upstream)
        body = await answer.rest(MOST_OBJECT_BYTES)
        return answer.status == OK and dialect.shape.is_result_file(_object(body))


def _batch_facts(request: Request, answer: Answer, body: bytes) -> BatchFacts | None:
    dialect = request.served.dialect
    assert isinstance(dialect, BatchPaths)  # noqa: S101 - no other has such targets
    return dialect.shape.facts(_object(body)) if answer.status == OK else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _counted(first: Call, facts: BatchFacts) -> Call:
    """A batch's record with the sum of its calls, which are priced as if they were one."""
    assert facts.usage is not None  # noqa: S101 - whoever calls has looked
    call = msgspec.structs.replace(
        first,
        model=facts.model or first.model,
        usage=facts.usage,
        charges=first.charges.with_caveats(SUM_OF_BATCH),
        revision=meter.REVISION + COUNTED,
    )
    return _exact(call)


def _exact(call: Call) -> Call:
    return msgspec.structs.replace(
        call, usage_basis=Basis.EXACT, output_basis=Basis.EXACT, tier=Tier.BATCH, status=CallStatus.OK
    )


def _of_reader(request: Request, upstream: Upstream) -> Call:
    """The names of who reads the results of a batch that was not asked for here."""
    about = attribution(request.headers, RequestFacts(model=""), request.caller.owner)
    return meter.begun_call("", upstream.provider, "", about, time())


def _not_recorded() -> Refused:
    return Refused(503, "this reply could not be recorded, so it is withheld; try again", "not_recorded")
