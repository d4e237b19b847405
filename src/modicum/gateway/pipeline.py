"""The way of a call through the gateway. This is the one screen to read.

identify (before the body is read), admit, authorise, reserve, optimize, answer, record, settle. No stage calls another;
only `Pipeline.run` (with `exchanged`) knows the order.
Three promises are kept here: what a call may cost at most is reserved on its budgets before it is sent, it is noted
before that, and a reply is finished only when its usage is on the disk. Everything but the end of a stream is passed on
as it comes.
"""

from collections.abc import Mapping
from functools import partial

from modicum.gateway import meter, replies, sending
from modicum.gateway.answering import TROUBLES, Answerer, answer
from modicum.gateway.batches.door import BatchDoor
from modicum.gateway.callers.attribution import CREDENTIAL_TAG, attribution
from modicum.gateway.callers.credentials import query_key
from modicum.gateway.callers.owners import Caller
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.failures import contain_stage
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import Refused
from modicum.gateway.in_force import InForce
from modicum.gateway.optimizing import FindRoute, Optimizer
from modicum.gateway.own_tools.loop import ToolLoop
from modicum.gateway.parts import Parts
from modicum.gateway.relaying.relay import Relay
from modicum.providers.facts import DialectError
from modicum.providers.seen_requests import CHUNK_BYTES, SeenRequests


class Pipeline:
    """The stages and what they need.

    Args:
        in_force: what a reload replaces (`take_over`); a call that has begun keeps what it got.
        parts: what the process has.
        upstream: answers what nobody else has answered.
    """

    def __init__(self, in_force: InForce, parts: Parts, upstream: Answerer) -> None:
        self.in_force, self.metrics = in_force, parts.metrics
        self._late_replies = parts.late_replies
        self._readiness, self._recorder, self._upstream_calls = parts.readiness, parts.recorder, parts.upstream_calls
        self._budgets, self._limits, self._keeper = parts.budgets, parts.limits, parts.keeper
        self._lifetimes = parts.lifetimes
        self._policies, self._redactor, self._agents = parts.policies, parts.redactor, parts.agents
        self._provider_limits, self._refusals = parts.provider_limits, parts.refusals
        self.relay = Relay(parts)
        """Passes on what nobody meters."""
        self.batches = BatchDoor(parts.batches, parts.journal, self.relay, parts.budgets, parts.metrics.failed)
        self._own_tools = ToolLoop(parts)
        self._upstream, self._optimizer = upstream, Optimizer(parts.metrics, parts.rates, parts.turns)
        self._numbers, self._seen = meter.numbers(), SeenRequests()

    def take_over(self, in_force: InForce) -> None:
        """What holds from now on."""
        self.in_force = in_force

    async def run(self, request: Request, client: Client) -> None:
        """One call, from its request to the end of its reply. Raises nothing that a caller could cause."""
        if request.caller.is_plan:
            await self.run_plain(request, client)
        else:
            await self._run(request, client, self.in_force)

    async def run_plain(self, request: Request, client: Client) -> None:
        """One call of ours, or of a plan: reserved and recorded as every other, and of no feature's and no rule's
        business.
        """
        await self._run(request, client, self.in_force._replace(sources=(), rules=(), answerers=()), is_plain=True)

    async def _run(self, request: Request, client: Client, in_force: InForce, *, is_plain: bool = False) -> None:
        exchange = None
        try:
            exchange = self.admit(request, in_force)
            exchange.is_plain = is_plain
            if self._policies.is_active:
                await self._policies.authorise(exchange)
            if self._agents.is_active:
                self._agents.admit(exchange)
            if self._limits.limits_callers:
                await self._limits.admit(exchange)
            if self._budgets.is_active:
                may_downgrade = not exchange.caller.is_plan
                find_route = self._route_finder(exchange, in_force)
                await self._budgets.reserve(exchange, find_route, may_downgrade=may_downgrade)
            self._recorder.begin(exchange)
        except (Refused, DialectError) as refusal:
            if exchange is not None:
                await self.release(exchange)
            owner = exchange.about.owner if exchange is not None else request.caller.owner
            self._refusals.add(refusal.kind, owner)
            retry_after_s, more = getattr(refusal, "retry_after_s", None), getattr(refusal, "headers", ())
            dialect = request.served.dialect
            await client.refuse(dialect, refusal.status, refusal.message, refusal.kind, retry_after_s, more)
            return
        try:
            end = await self.exchanged(exchange, client, in_force)
        except (
            BaseException
        ):  # a bug of ours, or the end of the time to drain: it goes on up, and the call is on record
            try:
                replies.cut(exchange)
            finally:
                await self.end(exchange)
            raise
        try:
            if await self.end(exchange):
                await client.finish(end)
            else:
                await client.break_off(exchange.request.served.dialect)
        finally:
            self.settle(exchange)

    async def exchanged(self, exchange: Exchange, client: Client, in_force: InForce) -> bytes:
        """Request and reply, however they go. Returns the end of the reply, which waits for the journal."""
        try:
            if not exchange.upstream_dialect.is_metered:
                return await self.relay.answer(exchange, client)
            route, body = exchange.route, exchange.edited
            find_route = self._route_finder(exchange, in_force)
            self._optimizer.optimize(exchange, in_force.sources, in_force.rules, find_route)
            if self._budgets.is_active and (exchange.route is not route or exchange.edited is not body):
                await self._budgets.reserve(exchange, find_route, may_downgrade=False)
            answerers = (*in_force.answerers, self._upstream)
            ask = partial(answer, answerers, exchange, client, self.metrics.failed)
            return await self._own_tools.reply(exchange, client, ask)
        except TROUBLES as trouble:
            return replies.trouble(exchange, client, trouble)

    def _route_finder(self, exchange: Exchange, in_force: InForce) -> FindRoute:
        """Finds other ways for a call, among those that the policy leaves it."""
        return self._policies.guard(exchange, in_force.route_finder(exchange.about, exchange.number))

    def identify(self, headers: Mapping[bytes, bytes], query: bytes) -> Caller:
        """Who calls, and who pays. Asked by the door, before it reads the body: that of a stranger is not kept."""
        return self.in_force.owners.identify(headers, query_key(query))

    def admit(self, request: Request, in_force: InForce) -> Exchange:
        """Whether the call may be made, and where it goes."""
        caller = request.caller
        dialect, body, split = request.served.dialect, request.body, None
        if len(body) > CHUNK_BYTES:  # what of it came before need not be read again
            split = dialect.split(body, self._seen)
        facts = dialect.request(body if split is None else split.rest, request.path)
        caller.check_model(facts.model)
        caller.check_body(request.body)
        attribute = attribution if request.head is None else request.head.attribution
        number, about = next(self._numbers), attribute(request.headers, facts, caller.owner)
        find_route = in_force.route_finder(about, number) if dialect.has_model else in_force.upstreams.without_model
        if caller.is_plan:
            find_route = in_force.upstreams.route  # of several upstreams the first: nothing is pooled
            about.tags[CREDENTIAL_TAG] = "plan"
        route = find_route(facts.model, dialect.name)
        self._readiness.check()
        if not in_force.may_divert:
            self._upstream_calls.check(route.upstream)
        exchange = Exchange(number, request, caller, facts, about, route, self._seen, split)
        sending.check_key(exchange)
        if self._redactor.is_active:
            exchange.redactor = self._redactor
            exchange.redaction = self._redactor.of(about.owner, facts.model, route.model)
            if caller.is_plan and exchange.redaction is not None:
                message = "calls of a plan pass unchanged, and [[redaction]] of modicum.toml is about this caller"
                raise Refused(403, f"{message}; use a modicum key", "not_redactable")
        return exchange

    async def release(self, exchange: Exchange) -> None:
        """Gives back what a call holds that is not made after all."""
        if exchange.reservation is not None:
            await self._budgets.release(exchange)
        if exchange.limit_hold is not None:
            await self._limits.release(exchange)

    async def end(self, exchange: Exchange) -> bool:
        """Makes the call's record durable, and settles its budgets and limits: the caller may make its next call at
        once. False: the disk refuses.
        """
        is_durable = await self._recorder.end(exchange)
        if exchange.request.served.dialect.has_batches:
            is_durable = await self.batches.remember(exchange) and is_durable
        if exchange.limit_hold is not None:
            await self._limits.settle(exchange)
        if exchange.reservation is not None or self._budgets.is_active:
            await self._budgets.settle(exchange)
        return is_durable

    def settle(self, exchange: Exchange) -> None:
        """What can wait until the caller has its reply."""
        self._optimizer.settle(exchange)
        if self._keeper is not None and exchange.upstream_dialect.is_metered and not exchange.caller.is_plan:
            with contain_stage("keep_warm", self.metrics.failed):
                self._keeper.record(exchange)
        if self._lifetimes is not None:
            with contain_stage(self._lifetimes.name, self.metrics.failed):
                self._lifetimes.record(exchange)
        if exchange.finished is not None:
            upstream = meter.SOURCE if exchange.answered_by else exchange.route.upstream.name
            self.metrics.record_call(exchange.finished, upstream)
            if exchange.reply is not None and exchange.reply.unknown_events:
                self.metrics.unknown_events(upstream, exchange.reply.unknown_events)
            self._late_replies.remember(exchange)
            self._provider_limits.remember(exchange)
