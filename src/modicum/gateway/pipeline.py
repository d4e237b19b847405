"""The way of a call through the gateway. This is the one screen to read.

identify (before the body is read), admit, authorise, reserve, optimize, answer, record, settle. No stage calls another;
only `Pipeline.run` (with `exchanged`) knows the order.
Three promises are kept here: what a call may cost at most is reserved on its budgets before it is sent, it is noted
before that, and a reply is finished only when its usage is on the disk. Everything but the end of a stream is passed on
as it comes.
"""

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial

from modicum.calls.rule import Rule
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
from modicum.gateway.in_force import CallPlan, InForce, plan_calls, plan_plain_calls
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
        self.metrics, self._upstream = parts.metrics, upstream
        self.take_over(in_force)
        self._late_replies = parts.late_replies
        self._readiness, self._recorder, self._upstream_calls = parts.readiness, parts.recorder, parts.upstream_calls
        self._budgets, self._limits = parts.budgets, parts.limits
        self._policies, self._redactor, self._agents = parts.policies, parts.redactor, parts.agents
        self._provider_limits, self._refusals = parts.provider_limits, parts.refusals
        self.relay = Relay(parts)
        """Passes on what nobody meters."""
        self.batches = BatchDoor(parts.batches, parts.journal, self.relay, parts.budgets, parts.metrics.failed)
        self._own_tools = ToolLoop(parts)
        self._optimizer = Optimizer(parts.metrics, parts.rates, parts.turns)
        self._numbers, self._seen = meter.numbers(), SeenRequests()

    def take_over(self, in_force: InForce) -> None:
        """What holds from now on."""
        self.in_force = in_force
        self._plan, self._plain = plan_calls(in_force, self._upstream), plan_plain_calls(in_force, self._upstream)

    def run(self, request: Request, client: Client) -> Awaitable[None]:
        """One call, from its request to the end of its reply. Raises nothing that a caller could cause."""
        return self._run(request, client, self._plain if request.caller.is_plan else self._plan)

    def run_plain(self, request: Request, client: Client) -> Awaitable[None]:
        """One call of ours, or of a plan: reserved and recorded as every other, and of no feature's and no rule's
        business.
        """
        return self._run(request, client, self._plain)

    async def _run(self, request: Request, client: Client, plan: CallPlan) -> None:
        exchange = None
        try:
            exchange = self.admit(request, plan)
            if self._policies.is_active:
                await self._policies.authorise(exchange)
            if self._agents.is_active:
                self._agents.admit(exchange)
            if self._limits.limits_callers:
                await self._limits.admit(exchange)
            if self._budgets.is_active:
                may_downgrade = not exchange.caller.is_plan
                find_route = self._route_finder(exchange, plan)
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
            end = await self.exchanged(exchange, client, plan)
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
            self.settle(exchange, plan)

    async def exchanged(self, exchange: Exchange, client: Client, plan: CallPlan) -> bytes:
        """Request and reply, however they go. Returns the end of the reply, which waits for the journal."""
        try:
            if not exchange.upstream_dialect.is_metered:
                return await self.relay.answer(exchange, client)
            if plan.may_be_changed and (rules := self._optimizer.rules_for(exchange, plan.sources, plan.rules)):
                await self._optimize(exchange, plan, rules)
            if plan.answerers or exchange.features:
                ask = partial(answer, (*plan.answerers, plan.upstream), exchange, client, self.metrics.failed)
                return await self._own_tools.reply(exchange, client, ask)
            end = await plan.upstream.answer(exchange, client)
        except TROUBLES as trouble:
            return replies.trouble(exchange, client, trouble)
        assert end is not None  # noqa: S101 - the upstream's part
        return end

    async def _optimize(self, exchange: Exchange, plan: CallPlan, rules: Sequence[Rule]) -> None:
        """Runs the rules; what the call may cost is reserved anew where they have changed it."""
        route, body, find_route = exchange.route, exchange.edited, self._route_finder(exchange, plan)
        self._optimizer.optimize(exchange, rules, find_route)
        if self._budgets.is_active and (exchange.route is not route or exchange.edited is not body):
            await self._budgets.reserve(exchange, find_route, may_downgrade=False)

    def _route_finder(self, exchange: Exchange, plan: CallPlan) -> FindRoute:
        """Finds other ways for a call, among those that the policy leaves it."""
        return self._policies.guard(exchange, plan.in_force.route_finder(exchange.about, exchange.number))

    def identify(self, headers: Mapping[bytes, bytes], query: bytes) -> Caller:
        """Who calls, and who pays. Asked by the door, before it reads the body: that of a stranger is not kept."""
        return self.in_force.owners.identify(headers, query_key(query))

    def admit(self, request: Request, plan: CallPlan | None = None) -> Exchange:
        """Whether the call may be made, and where it goes. Without a plan: that of most calls."""
        caller, plan = request.caller, self._plan if plan is None else plan
        dialect, body, split, seen = request.served.dialect, request.body, None, self._seen.of(caller.owner)
        if len(body) > CHUNK_BYTES:  # what of it came before need not be read again
            split = dialect.split(body, seen)
        facts = dialect.request(body if split is None else split.rest, request.path)
        if caller.models:
            caller.check_model(facts.model)
            caller.check_body(request.body)
        attribute = attribution if request.head is None else request.head.attribution
        number, about = next(self._numbers), attribute(request.headers, facts, caller.owner)
        upstreams = plan.in_force.upstreams
        find_route: FindRoute = upstreams.route
        if caller.is_plan:  # of several upstreams the first: nothing is pooled
            about.tags[CREDENTIAL_TAG] = "plan"
        elif not dialect.has_model:
            find_route = upstreams.without_model
        elif upstreams.has_weights:
            find_route = plan.in_force.route_finder(about, number)
        route = find_route(facts.model, dialect.name)
        self._readiness.check()
        if not plan.may_divert:
            self._upstream_calls.check(route.upstream)
        exchange = Exchange(number, request, caller, facts, about, route, seen, split)
        exchange.is_plain = plan.is_plain
        if caller.own_key is not None:
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
        if exchange.reservation is not None:
            await self._budgets.count_if_unknown(exchange)
        is_durable = await self._recorder.end(exchange)
        if exchange.request.served.dialect.has_batches:
            is_durable = await self.batches.remember(exchange) and is_durable
        if exchange.limit_hold is not None:
            await self._limits.settle(exchange)
        if exchange.reservation is not None or self._budgets.is_active:
            await self._budgets.settle(exchange)
        return is_durable

    def settle(self, exchange: Exchange, plan: CallPlan) -> None:
        """What can wait until the caller has its reply."""
        keeper, lifetimes = plan.in_force.keeper, plan.in_force.lifetimes
        if exchange.place is not None:
            self._optimizer.settle(exchange)
        if keeper is not None and exchange.upstream_dialect.is_metered and not exchange.caller.is_plan:
            with contain_stage("keep_warm", self.metrics.failed):
                keeper.record(exchange)
        if lifetimes is not None:
            with contain_stage(lifetimes.name, self.metrics.failed):
                lifetimes.record(exchange)
        if exchange.finished is not None:
            upstream = meter.SOURCE if exchange.answered_by else exchange.route.upstream.name
            self.metrics.record_call(exchange.finished, upstream)
            if exchange.reply is not None and exchange.reply.unknown_events:
                self.metrics.unknown_events(upstream, exchange.reply.unknown_events)
            self._late_replies.remember(exchange)
            self._provider_limits.remember(exchange)
