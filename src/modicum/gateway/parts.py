"""What one gateway process has, beside the settings: made once at its start, and handed to whoever needs it."""

from typing import NamedTuple

from modicum.context.live_turns import LiveTurns
from modicum.gateway.budgets.budgeting import Budgeting
from modicum.gateway.callers.agent_guard import AgentGuard
from modicum.gateway.http.body_budget import BodyBudget
from modicum.gateway.http.otlp_door import OtlpDoor
from modicum.gateway.late_replies import LateReplies
from modicum.gateway.limits.limiting import Limiting
from modicum.gateway.limits.provider_limits import ProviderLimits
from modicum.gateway.live_rates import LiveRates
from modicum.gateway.policies.authorising import Authorising
from modicum.gateway.process.metrics import Metrics
from modicum.gateway.process.readiness import Readiness
from modicum.gateway.process.refusals import Refusals
from modicum.gateway.recording import Recorder
from modicum.gateway.redaction.redacting import Redactor
from modicum.gateway.upstream_calls import UpstreamCalls
from modicum.gateway.upstreams import Upstreams
from modicum.gateway.warming.keeper import CacheKeeper
from modicum.gateway.warming.lifetimes import CacheLifetimes
from modicum.ledger.batches import BatchFile
from modicum.ledger.journal import Journal
from modicum.outbound.keepalive import Connections


class Parts(NamedTuple):
    journal: Journal
    metrics: Metrics
    connections: Connections
    upstream_calls: UpstreamCalls
    bodies: BodyBudget
    readiness: Readiness
    recorder: Recorder
    otlp_door: OtlpDoor
    late_replies: LateReplies
    rates: LiveRates
    budgets: Budgeting
    limits: Limiting
    provider_limits: ProviderLimits
    policies: Authorising
    agents: AgentGuard
    refusals: Refusals
    redactor: Redactor
    batches: BatchFile
    turns: LiveTurns | None
    """None: calls of one conversation may go to other processes, so that nobody here knows where one stands."""
    keeper: CacheKeeper | None = None
    """Keeps caches warm; None as above."""
    lifetimes: CacheLifetimes | None = None
    """Remembers pauses, for times to live; None as above."""

    def update_gauges(self, upstreams: Upstreams) -> None:
        """Brings up to date what is measured only when somebody asks."""
        metrics = self.metrics
        metrics.book_calls()
        metrics.under_way.set(self.journal.calls_under_way)
        metrics.waiting.set(self.journal.records_waiting)
        metrics.healthy.set(self.journal.healthy)
        self.upstream_calls.gauge(upstreams)
        self.provider_limits.gauge(metrics)
        if self.keeper is not None:
            every = self.keeper.figures.values()
            metrics.warm_pings.set(sum(one.pings for one in every))
            metrics.warm_spent_usd.set(float(sum(one.spent_usd for one in every)))
            metrics.warm_saved_usd.set(float(sum(one.saved_usd for one in every)))
        metrics.bodies_held.set(self.bodies.held_bytes)
        metrics.bodies_limit.set(self.bodies.most_bytes)

    async def close(self) -> None:
        """Everything but the metrics; the journal last."""
        await self.connections.close()
        self.otlp_door.close()
        self.recorder.close()
        self.rates.close()
        await self.budgets.close()
        self.batches.close()
        self.journal.close()
