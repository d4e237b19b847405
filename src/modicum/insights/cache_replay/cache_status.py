"""Which conversations' prompt caches are warm now, how long they stay so, and what the next turn costs."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from modicum.calls import Call, CallStatus, Tier, Usage
from modicum.metering.prices import PriceBook
from modicum.metering.prompt_cache import find_rules

SHORT_S, LONG_S = 300.0, 3600.0


class CacheUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one call read from a prompt cache and wrote to it."""

    conversation: str
    task: str
    agent: str
    provider: str
    model: str
    tier: Tier
    region: str
    at: datetime
    """When its reply ended, or when it began where nobody knows the end."""
    usage: Usage

    @property
    def cached_tokens(self) -> int:
        """What stands in the cache behind it."""
        return self.usage.cache_read + self.usage.cache_write_5m + self.usage.cache_write_1h

    @classmethod
    def of_call(cls, call: Call) -> "CacheUse":
        return cls(
            conversation=call.conversation or call.task,
            task=call.task,
            agent=call.agent,
            provider=call.provider,
            model=call.model,
            tier=call.tier,
            region=call.charges.region,
            at=call.finished or call.started,
            usage=call.usage,
        )

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "CacheUse":
        """From a row of `cache_newest`."""
        names = ("conversation", "task", "agent", "provider", "model", "region")
        buckets = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h")
        return cls(
            **{name: row[name] for name in names},
            tier=Tier(row["tier"]),
            at=(row["finished"] or row["started"]).replace(tzinfo=UTC),
            usage=Usage(**{bucket: row[bucket] for bucket in buckets}),
        )


class CacheState(msgspec.Struct, frozen=True, kw_only=True):
    """The prompt cache of one conversation, as the rules of its provider say it stands."""

    conversation: str
    task: str
    agent: str
    model: str
    cached_tokens: int
    ttl_s: float
    age_s: float
    """Since the newest call, which renewed it."""
    is_warm: bool
    left_s: float
    """Until it is cold; 0: it is."""
    warm_usd: float | None
    """What the next turn pays for these tokens while the cache is warm. None: no price is known."""
    cold_usd: float | None
    """What it pays once the cache is cold: they are written again."""

    @property
    def lost_usd(self) -> float | None:
        """What a cold cache costs the next turn more."""
        return None if self.warm_usd is None or self.cold_usd is None else self.cold_usd - self.warm_usd


def uses_of(calls: Iterable[Call]) -> list[CacheUse]:
    """The calls that used a prompt cache and went well."""
    uses = [CacheUse.of_call(call) for call in calls if call.status is CallStatus.OK and call.calls_count == 1]
    return [use for use in uses if use.cached_tokens and use.conversation]


def cache_states(uses: Iterable[CacheUse], now: datetime, prices: PriceBook) -> list[CacheState]:
    """The state of every conversation's cache, the one that was used last first."""
    newest: dict[tuple[str, str], CacheUse] = {}
    ttl_s: dict[tuple[str, str], float] = {}
    for use in sorted(uses, key=lambda one: one.at):
        key = use.conversation, use.model
        newest[key] = use
        # What only read renewed what was written before, for as long as that was written.
        ttl_s[key] = _written_for_s(use) or ttl_s.get(key) or _usual_ttl_s(use)
    states = [_state(use, ttl_s[key], now, prices) for key, use in newest.items()]
    return sorted(states, key=lambda state: state.age_s)


def _written_for_s(use: CacheUse) -> float | None:
    if use.usage.cache_write_5m:
        return SHORT_S
    return LONG_S if use.usage.cache_write_1h else None


def _usual_ttl_s(use: CacheUse) -> float:
    rules = find_rules(use.model, use.at.date())
    return float(rules.ttl_s[0]) if rules is not None else SHORT_S


def _state(use: CacheUse, ttl_s: float, now: datetime, prices: PriceBook) -> CacheState:
    age_s = max((now - use.at).total_seconds(), 0.0)
    rates = prices.rates(use.provider, use.model, now, use.tier, use.usage.prompt_tokens, use.region)
    rules = find_rules(use.model, now.date())
    write = None
    if rates is not None:
        bills_writes = rules is None or not rules.is_implicit
        write = rates.input_uncached
        if bills_writes:
            write = rates.cache_write_1h if ttl_s >= LONG_S else rates.cache_write_5m
    return CacheState(
        conversation=use.conversation,
        task=use.task,
        agent=use.agent,
        model=use.model,
        cached_tokens=use.cached_tokens,
        ttl_s=ttl_s,
        age_s=age_s,
        is_warm=age_s < ttl_s,
        left_s=max(ttl_s - age_s, 0.0),
        warm_usd=None if rates is None else float(use.cached_tokens * rates.cache_read),
        cold_usd=None if write is None else float(use.cached_tokens * write),
    )
