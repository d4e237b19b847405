"""Keeps the prompt caches of conversations warm, for owners who chose it, and accounts for what that brings them.

What is needed for a ping (the newest request of a conversation) stays in memory, within bounds, and goes when its pause
has lasted too long, when its key is revoked, or when its owner no longer wants it. Nothing is written to disk. Used
from the event loop.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from modicum.calls import Call, CallStatus, Owner
from modicum.calls.rates import Rates
from modicum.context.live_turns import LiveTurns
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.live_rates import LiveRates
from modicum.gateway.warming.pings import is_billed_by_use, is_ping, make_ping
from modicum.metering.keep_warm import MARGIN_S, best_pings
from modicum.metering.return_times import CODING_AGENTS, ReturnTimes

API = "anthropic"
MOST_CONVERSATIONS = 1_000
PRIOR_REPLIES = 500.0
"""How many replies of an owner's own weigh as much as what is known of others."""
FEWEST_PINGS = 30
"""Pings after which an owner whose net figure is not above 0 gets no more."""
LONG_S, SHORT_S = 3600.0, 300.0

SendPing = Callable[[Request], Awaitable[Call | None]]
"""Sends a ping like a call of its key: admitted, reserved, recorded. None: it was refused."""


@dataclass
class OwnerFigures:
    """What pings cost an owner, and brought."""

    pings: int = 0
    spent_usd: Decimal = Decimal(0)
    saved_usd: Decimal = Decimal(0)
    times: ReturnTimes = field(default_factory=lambda: ReturnTimes.of_gaps(()))

    @property
    def net_usd(self) -> Decimal:
        return self.saved_usd - self.spent_usd

    @property
    def is_stopped(self) -> bool:
        """Whether it does not pay here."""
        return self.pings >= FEWEST_PINGS and self.net_usd <= 0


@dataclass
class WarmConversation:
    """The newest call of a conversation, and what its pause has cost so far."""

    owner: Owner
    ping: Request | None
    """None: there will be no more pings in this pause."""
    model: str
    provider: str
    cached_tokens: int
    ttl_s: float
    answered_s: float
    due_s: float
    pings: int = 0
    place_key: int | None = None
    """Under which `LiveTurns` knows it."""

    @property
    def size_bytes(self) -> int:
        return len(self.ping.body) if self.ping is not None else 0


class CacheKeeper:
    """The conversations that are kept warm.

    Args:
        rates: of the day.
        turns: knows how conversations begin.
        wants: whether an owner chose it, and a task of his is not held out of it.
        most_bytes: of requests that are held.
    """

    def __init__(
        self, rates: LiveRates, turns: LiveTurns, wants: Callable[[Owner, str], bool], most_bytes: int
    ) -> None:
        self._rates, self._turns = rates, turns
        self.wants, self._most_bytes = wants, most_bytes
        self._conversations: OrderedDict[int, WarmConversation] = OrderedDict()
        self._held_bytes = 0
        self.figures: dict[Owner, OwnerFigures] = {}

    @property
    def held_bytes(self) -> int:
        """Of requests in memory."""
        return self._held_bytes

    @property
    def conversations(self) -> int:
        """That may get another ping."""
        return sum(one.ping is not None for one in self._conversations.values())

    def record(self, exchange: Exchange) -> None:
        """A call has ended: its conversation's pause begins."""
        call, about = exchange.finished, exchange.about
        if call is None or is_ping(about.tags) or about.agent or not self.wants(about.owner, about.task):
            return
        if exchange.downgraded_to or exchange.begun.model != exchange.route.model:
            return  # its body names another model than the one whose cache it filled
        dialect = exchange.request.served.dialect
        if dialect.api.name != API or exchange.translation is not None or exchange.answered_by:
            return
        key = self._turns.beginning(dialect, exchange.edited, about.owner.key, about.conversation)
        if key is None:
            return
        before = self._conversations.get(key)
        if before is not None:
            self._settle_pause(before, call, exchange)
            self._drop(key)
        usage = call.usage
        cached = usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
        if call.status is not CallStatus.OK or not cached or not is_billed_by_use(exchange):
            return
        from modicum.metering.prompt_cache import find_rules  # it loads numpy

        rules = find_rules(call.model, call.started.date())
        ping = make_ping(exchange) if rules is not None and cached >= rules.minimum else None
        if ping is None or len(ping.body) > self._most_bytes:
            return
        ttl_s = LONG_S if usage.cache_write_1h or (before is not None and _only_read(call, before)) else SHORT_S
        now_s = exchange.timing.finished_s
        self._add(
            key,
            WarmConversation(
                about.owner, ping, call.model, call.provider, cached, ttl_s, now_s, now_s + ttl_s - MARGIN_S
            ),
        )
        if exchange.place is not None:
            self._conversations[key].place_key = exchange.place.key
        self._find_rates(self._conversations[key], now_s)  # looked up now, so that they are there when it is due

    async def ping_due(self, now_s: float, send: SendPing) -> int:
        """Sends the pings that are due, and drops what needs none any more. How many were sent."""
        due = [(key, one) for key, one in self._conversations.items() if one.ping is not None and one.due_s <= now_s]
        sent = 0
        for key, one in due:
            if self._conversations.get(key) is not one or one.ping is None:
                continue
            if (
                now_s >= one.due_s + MARGIN_S
                or not self.wants(one.owner, "")
                or one.pings >= self._most_pings(one, now_s)
            ):
                self._end(one)  # too late, unwanted, or not worth it
                continue
            one.pings += 1
            one.due_s = now_s + one.ttl_s - MARGIN_S
            call = await send(one.ping)
            sent += 1
            if call is None:
                self._end(one)
            else:
                self._book(one, call, now_s)
        return sent

    def forget(self, is_unwanted: Callable[[WarmConversation], bool]) -> None:
        """Drops conversations, for example of a key that was revoked."""
        for key in [key for key, one in self._conversations.items() if is_unwanted(one)]:
            self._drop(key)

    def _most_pings(self, one: WarmConversation, now_s: float) -> int:
        figures, rates = self.figures.get(one.owner), self._find_rates(one, now_s)
        if rates is None or (figures is not None and figures.is_stopped):
            return 0
        times = CODING_AGENTS.scaled(PRIOR_REPLIES)
        if figures is not None:
            times += figures.times
        write = rates.cache_write_1h if one.ttl_s >= LONG_S else rates.cache_write_5m
        return best_pings(times, one.ttl_s, float(rates.cache_read), float(write))

    def _book(self, one: WarmConversation, call: Call, now_s: float) -> None:
        """What a ping cost."""
        figures, rates = self._figures_of(one.owner), self._find_rates(one, now_s)
        figures.pings += 1
        if rates is not None:
            figures.spent_usd += _cost_usd(call, rates)
        if call.usage.cache_read < one.cached_tokens // 2:
            self._end(one)  # the cache was lost: nothing is renewed
        elif one.place_key is not None:
            self._turns.renew(one.place_key, now_s)

    def _settle_pause(self, one: WarmConversation, call: Call, exchange: Exchange) -> None:
        """The next call has come: what its pause was good for."""
        gap_s = exchange.timing.started_s - one.answered_s
        figures = self._figures_of(one.owner)
        figures.times += ReturnTimes.of_gaps((max(gap_s, 0.0),))
        rates = self._find_rates(one, exchange.timing.started_s)
        if one.pings and gap_s > one.ttl_s and rates is not None:
            write = rates.cache_write_1h if one.ttl_s >= LONG_S else rates.cache_write_5m
            figures.saved_usd += min(call.usage.cache_read, one.cached_tokens) * (write - rates.cache_read)

    def _find_rates(self, one: WarmConversation, now_s: float) -> Rates | None:
        return self._rates.find(one.provider, datetime.fromtimestamp(now_s, UTC), one.cached_tokens, one.model)

    def _figures_of(self, owner: Owner) -> OwnerFigures:
        return self.figures.setdefault(owner, OwnerFigures())

    def _add(self, key: int, one: WarmConversation) -> None:
        self._conversations[key] = one
        self._held_bytes += one.size_bytes
        while len(self._conversations) > MOST_CONVERSATIONS or self._held_bytes > self._most_bytes:
            self._drop(next(iter(self._conversations)), came_back=False)

    def _drop(self, key: int, *, came_back: bool = True) -> None:
        one = self._conversations.pop(key)
        self._held_bytes -= one.size_bytes
        if not came_back:
            self._figures_of(one.owner).times += ReturnTimes.of_gaps((float("inf"),))

    def _end(self, one: WarmConversation) -> None:
        """No more pings in this pause: its request is forgotten, and when it began is not."""
        self._held_bytes -= one.size_bytes
        one.ping = None


def _only_read(call: Call, before: WarmConversation) -> bool:
    """Whether it wrote nothing, so that all stands as long as before."""
    return before.ttl_s >= LONG_S and not call.usage.cache_write_5m


def _cost_usd(call: Call, rates: Rates) -> Decimal:
    usage = call.usage
    return (
        usage.input_uncached * rates.input_uncached
        + usage.cache_read * rates.cache_read
        + usage.cache_write_5m * rates.cache_write_5m
        + usage.cache_write_1h * rates.cache_write_1h
        + (usage.output_visible + usage.output_reasoning) * rates.output_visible
    )
