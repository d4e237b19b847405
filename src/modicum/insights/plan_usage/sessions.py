"""Sessions of agents as they run: what each spent today, how full its context is, and until when its cache is warm."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from modicum.calls import Basis, Call, Entry
from modicum.insights.plan_usage.windows import PlanWindow, list_blocks, sum_minutes

SHORT, LONG = timedelta(minutes=5), timedelta(hours=1)
CACHED_FOR_AN_HOUR = frozenset({"anthropic", "aws", "google"})
"""Who lets a caller choose between five minutes and an hour, as the log shows it."""


class LiveSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session, the one that called last first.

    Attributes:
        context_tokens: of the last call of its main agent: what the next turn reads, or writes anew.
        warm_until: of the prompt cache, by the last call; None: nothing was cached, or nobody knows for how long.
    """

    session: str
    source: str
    project: str
    model: str
    calls: int
    cost_usd: Decimal | None
    basis: Basis
    calls_unpriced: int
    context_tokens: int
    last_call: datetime
    warm_until: datetime | None


class LiveView(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal shows now.

    Attributes:
        since: from when on calls are counted: midnight.
        blocks: of subscriptions, those that are open.
    """

    now: datetime
    since: datetime
    calls: int
    cost_usd: Decimal | None
    basis: Basis
    calls_unpriced: int
    sessions: list[LiveSession]
    blocks: list[PlanWindow]


def view_sessions(entries: Iterable[Entry], now: datetime, midnight: datetime, active: timedelta) -> LiveView:
    """The sessions that called within `active`.

    Args:
        entries: of the last day, so that a block which began yesterday is whole.
        now: the time.
        midnight: since when it is today.
        active: how long ago the last call of a session may be.
    """
    rows = [entry for entry in entries if entry.call.started <= now and not entry.call.source.endswith("-usage")]
    today = [entry for entry in rows if entry.call.started >= midnight]
    by_session: dict[tuple[str, str], list[Entry]] = {}
    for entry in rows:
        by_session.setdefault((entry.call.source, entry.call.task), []).append(entry)
    sessions = [
        _view_session(own, midnight)
        for own in by_session.values()
        if max(entry.call.started for entry in own) >= now - active
    ]
    usd, basis, unpriced = _sum(today)
    return LiveView(
        now=now,
        since=midnight,
        calls=sum(entry.call.calls_count for entry in today),
        cost_usd=usd,
        basis=basis,
        calls_unpriced=unpriced,
        sessions=sorted(sessions, key=lambda one: (one.last_call, one.session), reverse=True),
        blocks=[one for one in list_blocks(sum_minutes(rows), now) if one.is_open],
    )


def _view_session(own: Sequence[Entry], midnight: datetime) -> LiveSession:
    today = [entry for entry in own if entry.call.started >= midnight]
    last = max(own, key=lambda entry: entry.call.started).call
    main = [entry.call for entry in own if not entry.call.agent] or [last]
    newest = max(main, key=lambda call: call.started)
    usd, basis, unpriced = _sum(today)
    return LiveSession(
        session=last.task,
        source=last.source,
        project=newest.project,
        model=newest.model,
        calls=sum(entry.call.calls_count for entry in today),
        cost_usd=usd,
        basis=basis,
        calls_unpriced=unpriced,
        context_tokens=newest.usage.prompt_tokens,
        last_call=last.started,
        warm_until=_warm_until([call for call in main if call.model == newest.model and call.agent == newest.agent]),
    )


def _warm_until(calls: Sequence[Call]) -> datetime | None:
    """By the last call and the longest time that this conversation asks for."""
    last = max(calls, key=lambda call: call.started)
    usage = last.usage
    if last.provider not in CACHED_FOR_AN_HOUR or not usage.cache_read + usage.cache_write_5m + usage.cache_write_1h:
        return None
    is_long = any(call.usage.cache_write_1h for call in calls)
    return (last.finished or last.started) + (LONG if is_long else SHORT)


def _sum(entries: Sequence[Entry]) -> tuple[Decimal | None, Basis, int]:
    known = [entry.cost for entry in entries if entry.cost.usd is not None]
    basis = Basis.EXACT if known else Basis.UNKNOWN
    for cost in known:
        basis |= cost.basis
    unpriced = sum(entry.call.calls_count for entry in entries if entry.cost.usd is None)
    return (sum((cost.usd or Decimal(0) for cost in known), Decimal(0)) if known else None), basis, unpriced
