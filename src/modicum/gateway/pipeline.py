"""The way of a call through the gateway. This is the one screen to read.

identify (before the body is read), admit, optimize, send, meter, journal, settle. No stage calls another; only
`Pipeline.run` (with `exchanged`) knows the order.
Two promises are kept here: a call is noted before it is sent, and a reply is finished only when its usage is on the
disk. Everything but the end of a stream is passed on as it comes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from modicum.calls import Edit
from modicum.gateway import meter, optimizing, replies, sending
from modicum.gateway.anatomy import Anatomist, counted
from modicum.gateway.attribution import attribution
from modicum.gateway.body_budget import BodyBudget
from modicum.gateway.client import Client
from modicum.gateway.credentials import query_key
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.meter import Counted
from modicum.gateway.metrics import Metrics
from modicum.gateway.outcomes import Graded
from modicum.gateway.owners import Caller, Owners
from modicum.gateway.refusal import ClientGone, Refused
from modicum.gateway.traces import Traces
from modicum.gateway.upstream_calls import UpstreamCalls
from modicum.gateway.upstreams import Upstreams
from modicum.gateway.workers import State
from modicum.ledger.calls_in_flight import NoFreeSlot
from modicum.ledger.journal import Journal, NotDurable, Record
from modicum.metering.digests import Digester
from modicum.outbound.client import Unreachable
from modicum.outbound.keepalive import Connections
from modicum.providers.facts import DialectError

T = TypeVar("T")

_pack = msgspec.msgpack.Encoder().encode


class Pipeline:
    """The stages and what they need. `owners` and `upstreams` may be replaced at any time; a call keeps what it got."""

    def __init__(
        self,
        owners: Owners,
        upstreams: Upstreams,
        journal: Journal,
        connections: Connections,
        digester: Digester | None,
        metrics: Metrics,
        upstream_calls: UpstreamCalls,
        bodies: BodyBudget,
    ) -> None:
        self.owners, self.upstreams = owners, upstreams
        self.journal, self.connections = journal, connections
        self.anatomist = Anatomist(digester, self.journal_late) if digester is not None else None
        self.metrics, self.upstream_calls, self.bodies = metrics, upstream_calls, bodies
        self.traces = Traces(journal.path, self.metrics)
        self.rules: Sequence[optimizing.Rule] = ()
        """In the order in which they are asked."""
        self.graded: Graded | None = None
        """Who wants to know of outcomes."""
        self.draining = False
        self.trouble = ""
        """What went wrong beside the journal, so that nobody new should be sent here; calls go on."""
        self._ending: set[asyncio.Future[bool]] = set()
        self._numbers = meter.numbers()

    async def run(self, request: Request, client: Client) -> None:
        """One call, from its request to the end of its reply. Raises nothing that a caller could cause."""
        try:
            exchange = self.admit(request)
        except (Refused, DialectError) as refusal:
            self.metrics.refused(refusal.kind)
            await client.refuse(request.served.dialect, refusal.status, refusal.message, refusal.kind)
            return
        try:
            end = await self.exchanged(exchange, client)
        except BaseException:  # a bug of ours, or the end of the time to drain
            try:
                replies.cut(exchange)
            finally:
                await self.journal_end(exchange)
            raise
        try:
            if await self.journal_end(exchange):
                await client.finish(end)
            else:
                await client.break_off(exchange.request.served.dialect)
        finally:
            self.settle(exchange)

    async def exchanged(self, exchange: Exchange, client: Client) -> bytes:
        """Request and reply, however they go. Returns the end of the reply, which waits for the journal."""
        try:
            self.optimize(exchange)
            if exchange.own_reply is not None:
                client.watch(exchange)
                return replies.own(exchange, exchange.own_reply, client)
            with self.upstream_calls.at(exchange.route.upstream):
                await self.send(exchange, client)
                return await self.meter(exchange, client)
        except (Refused, DialectError, Unreachable, ConnectionError, ClientGone) as trouble:
            return replies.trouble(exchange, client, trouble)

    def identify(self, headers: Mapping[bytes, bytes], query: bytes) -> Caller:
        """Who calls, and who pays. Asked by the door, before it reads the body: that of a stranger is not kept."""
        return self.owners.identify(headers, query_key(query))

    def admit(self, request: Request) -> Exchange:
        """Whether the call may be made, and where it goes. From here on it is on record. Budgets will stand here."""
        caller = request.caller
        facts = request.served.dialect.request(request.body, request.path)
        caller.check_model(facts.model)
        caller.check_body(request.body)
        route = self.upstreams.route(facts.model, request.served.dialect.name)
        if self.draining or not self.journal.healthy:
            raise Refused(503, "the gateway takes no calls at the moment; try again", "unavailable")
        if not self.rules:  # a rule may send it elsewhere, or answer it
            self.upstream_calls.check(route.upstream)
        about = attribution(request.headers, facts, caller.owner)
        exchange = Exchange(next(self._numbers), request, caller, facts, about, route)
        sending.check_key(exchange)
        exchange.begun = meter.begun_call(
            exchange.number, route.upstream.provider, route.model, about, exchange.timing.started_s
        )
        try:
            exchange.slot = self.journal.begin(meter.begun_record(exchange.begun))
        except NoFreeSlot:
            raise Refused(503, "too many calls are under way; try again", "overloaded") from None
        return exchange

    def optimize(self, exchange: Exchange) -> None:
        """What may be changed before the call is sent; and what must be, so that it can be metered."""
        if self.rules:
            optimizing.optimize(self.rules, exchange, self.metrics.failed)
        if exchange.own_reply is None:
            sending.prepare(exchange)

    async def send(self, exchange: Exchange, client: Client) -> None:
        """To the upstream; while it works, the context is taken apart."""
        client.watch(exchange)
        if self.anatomist is not None:
            asyncio.get_running_loop().call_soon(self.take_apart, exchange)
        await sending.send(
            self.connections,
            sending.passing(exchange),
            exchange.route.upstream,
            sending.target(exchange),
            own_key=exchange.caller.own_key,
            body=exchange.body,
            sent=exchange.sent,
        )

    async def meter(self, exchange: Exchange, client: Client) -> bytes:
        """Passes the reply on and takes its usage as it goes by. Returns the end, which waits for the journal."""
        streams = replies.streams(exchange)
        end = await (replies.stream(exchange, client) if streams else replies.whole(exchange, client))
        optimizing.hear(exchange, end, self.metrics.failed)
        return end

    async def journal_end(self, exchange: Exchange) -> bool:
        """Makes the call's record durable. False: the disk refuses. Counting takes time; whoever ends this call
        meanwhile does not end that.
        """
        exchange.timing.finished_s = exchange.timing.now_s()
        if _is_counted(exchange):
            return await self._journal_end(exchange)
        ending = asyncio.ensure_future(self._journal_end(exchange))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return await asyncio.shield(ending)

    async def _journal_end(self, exchange: Exchange) -> bool:
        usage = await self._usage(exchange)
        edits = await self._edits(exchange) if exchange.edits else ()
        exchange.finished = call = meter.finished_call(exchange, usage, edits)
        context = counted(exchange.context)
        exchange.late_context = context is None and exchange.context is not None
        record = Record(exchange.number, "call", _pack(call), None if context is None else _pack(context))
        try:
            await self.journal.finish(exchange.slot, record)
        except NotDurable:
            return False
        return True

    def settle(self, exchange: Exchange) -> None:
        """What can wait until the caller has its reply. Reservations will be given back here."""
        if exchange.finished is not None:
            upstream = exchange.route.upstream.name if exchange.own_reply is None else meter.SOURCE
            self.metrics.ended(exchange.finished, upstream)

    def take_apart(self, exchange: Exchange) -> None:
        """A failure here costs the call its anatomy and nothing else."""
        assert self.anatomist is not None  # noqa: S101 - asked by `send`
        try:
            self.anatomist.take(exchange)
        except Exception:  # noqa: BLE001 - the one place where what is optional may fail
            self.metrics.failed("anatomy")

    def journal_late(self, exchange: Exchange) -> None:
        context = counted(exchange.context)
        if context is not None:
            self.journal.add(Record(exchange.number, "context", _pack(context)))

    async def _usage(self, exchange: Exchange) -> Counted:
        """As the provider counted, or estimated in the thread that counts tokens. If that fails, nobody has counted."""
        if exchange.reply is not None and exchange.reply.usage_final:
            return meter.exact(exchange.reply)
        try:
            return await self._counted(meter.estimated, exchange)
        except Exception:  # noqa: BLE001 - a call is on record whatever happens to its figures
            self.metrics.failed("usage")
            return meter.UNCOUNTED

    async def _edits(self, exchange: Exchange) -> tuple[Edit, ...]:
        """What rules changed, with its tokens. A failure costs the call these and nothing else."""
        try:
            return await self._counted(meter.counted_edits, exchange)
        except Exception:  # noqa: BLE001 - as in `place`
            self.metrics.failed("edits")
            return ()

    async def _counted(self, count: Callable[[Exchange], T], exchange: Exchange) -> T:
        """In the thread that counts tokens."""
        thread = self.anatomist.thread if self.anatomist is not None else None
        return await asyncio.get_running_loop().run_in_executor(thread, count, exchange)

    @property
    def state(self) -> State:
        """How this process is."""
        if self.draining:
            return State.DRAINING
        if not self.journal.healthy:
            return State.NOT_RECORDING
        return State.TROUBLED if self.trouble else State.READY

    @property
    def unready(self) -> str:
        """Why this process is not ready, as far as that is its own affair."""
        return f"the journal cannot be written: {self.journal.reason}" if self.journal.reason else self.trouble

    def gauge(self) -> None:
        """Brings up to date what is measured only when somebody asks."""
        self.metrics.under_way.set(self.journal.calls_under_way)
        self.metrics.waiting.set(self.journal.records_waiting)
        self.metrics.healthy.set(self.journal.healthy)
        self.upstream_calls.gauge(self.upstreams)
        self.metrics.bodies_held.set(self.bodies.held_bytes)
        self.metrics.bodies_limit.set(self.bodies.most_bytes)

    def close(self) -> None:
        self.traces.close()
        if self.anatomist is not None:
            self.anatomist.close()


def _is_counted(exchange: Exchange) -> bool:
    return exchange.reply is not None and exchange.reply.usage_final and not exchange.edits
