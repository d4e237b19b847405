"""What happened in the last minutes, from memory: the figures of `modicum top`."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import FAILED_ATTEMPT, CallStatus, Entry
from modicum.insights.scoping.call_choice import make_filter, parse_conditions

KEPT = timedelta(minutes=15)
MOST_CALLS = 200_000
UTC = ZoneInfo("UTC")
"""A window of minutes has no days that could begin elsewhere."""
BY = ("model", "team", "app", "user", "key", "task", "agent")


class LiveLine(msgspec.Struct, kw_only=True):
    """One row: calls that ended within the window."""

    name: str
    calls: int = 0
    calls_failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: Decimal | None = None
    """Of the calls whose cost is known; None: of none of them."""
    calls_unpriced: int = 0
    users: int = 0
    """How many different users there are; where calls name none, keys or apps."""
    first_token_seconds: float | None = None
    """Mean of the calls that have it."""


class Live(msgspec.Struct, kw_only=True):
    """The answer to `/api/live`."""

    by: str
    seconds: float
    total: LiveLine
    rows: list[LiveLine]
    chosen: list[str] = []
    """Conditions that the calls fit: `team=research`."""


class LiveWindow:
    """The newest entries, within bounds."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, Entry] = OrderedDict()

    def add(self, entries: Iterable[Entry]) -> None:
        """Takes entries in; one that comes again, grown, stands in the place of its older self."""
        for entry in entries:
            self._entries[entry.call.call_id] = entry
        while len(self._entries) > MOST_CALLS:
            self._entries.popitem(last=False)

    def live(self, by: str, seconds: float, now: datetime, named: Sequence[tuple[str, str]] = ()) -> Live:
        """The window that ends now, by model or owner, most expensive first.

        Args:
            by: model, owner part, task or agent.
            seconds: how long the window is.
            now: where it ends.
            named: conditions, as dimension and pattern; all calls where there are none.

        Raises:
            UserError: there is no such dimension.
        """
        fits = make_filter(parse_conditions(named), UTC)
        while self._entries and _end_of(next(iter(self._entries.values()))) < now - KEPT:
            self._entries.popitem(last=False)
        since = now - timedelta(seconds=seconds)
        lines: dict[str, LiveLine] = {}
        total = LiveLine(name="total")
        firsts: dict[str, list[float]] = {}
        users: dict[str, set[str]] = {}
        for entry in self._entries.values():
            if _end_of(entry) < since or not fits(entry):
                continue
            name = _name(entry, by)
            line = lines.setdefault(name, LiveLine(name=name))
            _count(entry, line)
            _count(entry, total)
            owner = entry.call.owner
            users.setdefault(name, set()).add(owner.user or owner.key or owner.app)
            if entry.call.first_token is not None and entry.call.calls_count:
                waited = (entry.call.first_token - entry.call.started).total_seconds()
                firsts.setdefault(name, []).append(waited)
        for name, present in users.items():
            lines[name].users = len(present)
        total.users = len(set().union(*users.values()))
        for name, waits in firsts.items():
            lines[name].first_token_seconds = sum(waits) / len(waits)
        every = [wait for waits in firsts.values() for wait in waits]
        total.first_token_seconds = sum(every) / len(every) if every else None
        rows = sorted(lines.values(), key=lambda line: (-(line.cost_usd or 0), -line.calls))
        chosen = [f"{dimension}={pattern}" for dimension, pattern in named]
        return Live(by=by, seconds=seconds, total=total, rows=rows, chosen=chosen)


def _count(entry: Entry, line: LiveLine) -> None:
    usage = entry.call.usage
    # As in the bill: of an attempt that failed the call goes on, and what was answered from memory is none.
    calls = 0 if FAILED_ATTEMPT in entry.call.tags else entry.call.calls_count
    line.calls += calls
    line.calls_failed += 0 if entry.call.status is CallStatus.OK else calls
    line.prompt_tokens += usage.prompt_tokens
    line.completion_tokens += usage.completion_tokens
    line.cache_read_tokens += usage.cache_read
    if entry.cost.usd is None:
        line.calls_unpriced += calls
    else:
        line.cost_usd = (line.cost_usd or Decimal(0)) + entry.cost.usd


def _end_of(entry: Entry) -> datetime:
    return entry.call.finished or entry.call.started


def _name(entry: Entry, by: str) -> str:
    call = entry.call
    return str(getattr(call if by in {"model", "task", "agent"} else call.owner, by))
