"""Times to live of prompt caches by kind of call, for owners who chose it: remembers the pauses of each kind, and
brings what was decided to its calls.

A kind is an owner's calls to one model, of main agents or of agents within a task.
What is remembered are sums, in memory, and no text. Used from the event loop.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from modicum.calls import Call, CallStatus, Owner
from modicum.gateway.exchange import Exchange
from modicum.gateway.live_rates import LiveRates
from modicum.gateway.optimizing import FeatureFacts
from modicum.gateway.warming.keeper import API
from modicum.gateway.warming.pings import is_billed_by_use, is_ping
from modicum.optimizers.cache_lifetimes import (
    FEWEST_PAUSES,
    LONG_S,
    LONGER,
    SHORT_S,
    SHORTER,
    WATCHED,
    DecidedTtl,
    PauseHistory,
    Ttl,
    TtlRates,
    decide_ttl,
)
from modicum.settings.optimize import CacheTtlChoice

MOST_KINDS = 1_000
_ONE_HOUR = b'"1h"'

Kind = tuple[Owner, str, str, bool]
"""Owner, provider, model, whether an agent within a task calls."""


class _KindOfCalls:
    __slots__ = ("history", "ttl")

    def __init__(self) -> None:
        self.history = PauseHistory()
        self.ttl: Ttl | None = None


class CacheLifetimes:
    """What is known of pauses, and what follows from it (`optimizing.FactSource`).

    Args:
        rates: of the day.
        wish: what an owner chose for a task; `leave` where pings keep its caches, and where it is held out.
    """

    name = "cache_ttl"

    def __init__(self, rates: LiveRates, wish: Callable[[Owner, str], CacheTtlChoice]) -> None:
        self._rates, self._wish = rates, wish
        self._kinds: OrderedDict[Kind, _KindOfCalls] = OrderedDict()

    @property
    def kinds(self) -> int:
        """Of which something is known."""
        return len(self._kinds)

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        """The rules that may act on a call; they need to know where in its conversation it stands."""
        wish = self._wish(exchange.about.owner, exchange.about.task)
        if wish == "leave" or not _can_choose(exchange):
            return None
        kind = self._kinds.get(_kind_of(exchange))
        rules = (WATCHED, SHORTER) if _ONE_HOUR in exchange.edited else (WATCHED,)
        if wish == "choose":
            rules = (*rules, LONGER)
        return FeatureFacts((DecidedTtl(None if kind is None else kind.ttl),), rules)

    def record(self, exchange: Exchange) -> None:
        """A call has ended: its conversation's pause is over, and what it costs decides for those that begin now."""
        call, place = exchange.finished, exchange.place
        if call is None or place is None or call.status is not CallStatus.OK or exchange.of(DecidedTtl) is None:
            return
        if exchange.answered_by or is_ping(exchange.about.tags) or exchange.translation is not None:
            return
        if exchange.downgraded_to or exchange.begun.model != exchange.route.model:
            return  # another model's cache
        usage = call.usage
        written = usage.cache_write_5m + usage.cache_write_1h
        cached = usage.cache_read + written
        if not cached:
            return
        key = _kind_of(exchange)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _KindOfCalls()
        self._kinds.move_to_end(key)
        if len(self._kinds) > MOST_KINDS:
            self._kinds.popitem(last=False)
        pause_s = place.seconds_since_last(exchange.timing.started_s)
        if pause_s is not None and place.cached_tokens is not None:
            kind.history.record_pause(pause_s, place.cached_tokens, cached)
        elif place.is_first:
            kind.history.record_first(written)
        if kind.history.pauses >= FEWEST_PAUSES:
            at = datetime.fromtimestamp(exchange.timing.started_s, UTC)
            kind.ttl = decide_ttl(kind.history, self._find_rates(call, at, cached))

    def _find_rates(self, call: Call, at: datetime, size: int) -> TtlRates | None:
        """None: no price is known for both times, or the model has not both."""
        from modicum.metering.prompt_cache import find_rules  # it loads numpy

        rules = find_rules(call.model, at.date())
        if rules is None or not {SHORT_S, LONG_S} <= set(rules.ttl_s):
            return None
        rates = self._rates.find(call.provider, at, size, call.model)
        if rates is None or not {"cache_read", "cache_write_5m", "cache_write_1h"}.isdisjoint(rates.fallbacks):
            return None
        return TtlRates(float(rates.cache_read), float(rates.cache_write_5m), float(rates.cache_write_1h))


def _can_choose(exchange: Exchange) -> bool:
    """Whether the API has marks with a time to live, and the call's tokens are what its owner pays for."""
    is_ours = exchange.translation is None and exchange.request.served.dialect.api.name == API
    return is_ours and is_billed_by_use(exchange)


def _kind_of(exchange: Exchange) -> Kind:
    about, route = exchange.about, exchange.route
    return about.owner, route.upstream.provider, route.model, bool(about.agent)
