"""Blocks of five hours and weeks of a subscription: what was used in each, and what the open one comes to.

It is a fold of minutes: sums over the calls of one source that began in the same minute, which a ledger gives by SQL
and logs by `sum_minutes`. Costs are list prices: a subscription charges a fee, so they say how much of it was used.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import Basis, Entry, UserError
from modicum.metering.plan_windows import BLOCK_S, find_block_starts

Minute = Mapping[str, Any]
"""`minute` (UTC), `source`, `calls`, `calls_unpriced`, `prompt_tokens`, `completion_tokens`, `cost_usd`, `cost_basis`:
a row of the question `spend_by_minute`."""
RECENT = timedelta(hours=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What an open window comes to until it ends: between what it would be at two paces.

    Attributes:
        usd_at_pace_of_window: if it goes on as it did since the window began.
        usd_at_recent_pace: if it goes on as in the last hour.
        limit_at: when the limit is reached at the faster of the two; None: not in this window, or no limit is known.
    """

    usd_at_pace_of_window: Decimal
    usd_at_recent_pace: Decimal
    limit_at: datetime | None = None


class PlanWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One block or week of one source.

    Attributes:
        calls_unpriced: no price is known for them: they are in no sum of dollars.
        basis: the weakest of the costs in the sum.
        share_of_limit: of the limit that the user gave; None: none was given.
        forecast: of a window that is open now.
    """

    source: str
    begins: datetime
    ends: datetime
    first_call: datetime
    last_call: datetime
    calls: int
    calls_unpriced: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None
    basis: Basis
    is_open: bool
    share_of_limit: float | None = None
    forecast: Forecast | None = None


def sum_minutes(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The rows of the question `spend_by_minute`, from entries."""
    rows: dict[tuple[datetime, str, Basis], dict[str, Any]] = {}
    for entry in entries:
        call = entry.call
        if call.source.endswith("-usage"):
            continue
        minute = call.started.replace(second=0, microsecond=0)
        empty = {
            "minute": minute,
            "source": call.source,
            "cost_basis": entry.cost.basis,
            **dict.fromkeys(("calls", "calls_unpriced", "prompt_tokens", "completion_tokens"), 0),
            "cost_usd": None,
        }
        row = rows.setdefault((minute, call.source, entry.cost.basis), empty)
        row["calls"] += call.calls_count
        row["prompt_tokens"] += call.usage.prompt_tokens
        row["completion_tokens"] += call.usage.completion_tokens
        if entry.cost.usd is None:
            row["calls_unpriced"] += call.calls_count
        else:
            row["cost_usd"] = (row["cost_usd"] or Decimal(0)) + entry.cost.usd
    return sorted(rows.values(), key=lambda row: (row["source"], row["minute"], row["cost_basis"]))


def list_blocks(minutes: Iterable[Minute], now: datetime, limit_usd: Decimal | None = None) -> list[PlanWindow]:
    """The blocks of each source, in order. `limit_usd`: what a block may use, if the user knows."""
    found = [
        _window(source, begins, begins + timedelta(seconds=BLOCK_S), own, now, limit_usd)
        for source, rows in _by_source(minutes).items()
        for begins, own in _cut_blocks(rows)
    ]
    return sorted(found, key=lambda one: (one.begins, one.source))


def list_weeks(
    minutes: Iterable[Minute],
    now: datetime,
    week: tuple[int, int, int],
    zone: ZoneInfo,
    limit_usd: Decimal | None = None,
) -> list[PlanWindow]:
    """The weeks of each source. `week`: weekday, hour and minute at which a week begins, in `zone`."""
    found = []
    for source, rows in _by_source(minutes).items():
        weeks: dict[datetime, list[Minute]] = {}
        for row in rows:
            weeks.setdefault(begin_of_week(row["minute"], week, zone), []).append(row)
        for begins, own in weeks.items():
            # In a week with a change of clocks the next one begins an hour sooner or later.
            ends = begin_of_week(begins + timedelta(days=7, hours=12), week, zone)
            found.append(_window(source, begins, ends, own, now, limit_usd))
    return sorted(found, key=lambda one: (one.begins, one.source))


def begin_of_week(at: datetime, week: tuple[int, int, int], zone: ZoneInfo) -> datetime:
    """When the week began in which that time lies, in UTC."""
    weekday, hour, minute = week
    local = at.astimezone(zone)
    day = local.date() - timedelta(days=(local.weekday() - weekday) % 7)
    for date in (day, day - timedelta(days=7)):
        begins = datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone).astimezone(UTC)
        if begins <= at:
            return begins
    raise AssertionError("a week has seven days")


def parse_week(text: str) -> tuple[int, int, int]:
    """Weekday, hour and minute from `thu 14:00` or `mon`.

    Raises:
        UserError: it is none.
    """
    day, _, clock = text.strip().lower().partition(" ")
    hour, _, minute = (clock.strip() or "0:00").partition(":")
    if day[:3] in WEEKDAYS and hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60:
        return WEEKDAYS.index(day[:3]), int(hour), int(minute)
    raise UserError(f"'{text}' is no beginning of a week; write 'thu 14:00', as your plan's page says it")


def largest(windows: Sequence[PlanWindow]) -> Decimal | None:
    """The most that a window that has ended used; None: none has."""
    return max((one.cost_usd for one in windows if not one.is_open and one.cost_usd is not None), default=None)


def _by_source(minutes: Iterable[Minute]) -> dict[str, list[Minute]]:
    found: dict[str, list[Minute]] = {}
    for row in minutes:
        found.setdefault(row["source"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row["minute"])
    return found


def _cut_blocks(rows: Sequence[Minute]) -> list[tuple[datetime, list[Minute]]]:
    starts = find_block_starts(row["minute"].timestamp() for row in rows)
    blocks: list[tuple[datetime, list[Minute]]] = [(datetime.fromtimestamp(at, UTC), []) for at in starts]
    place = 0
    for row in rows:
        while place + 1 < len(blocks) and row["minute"] >= blocks[place + 1][0]:
            place += 1
        blocks[place][1].append(row)
    return blocks


def _window(
    source: str, begins: datetime, ends: datetime, rows: Sequence[Minute], now: datetime, limit_usd: Decimal | None
) -> PlanWindow:
    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    usd = sum(costs, Decimal(0)) if costs else None
    basis = Basis.EXACT if costs else Basis.UNKNOWN
    for row in rows:
        if row["cost_usd"] is not None:
            basis |= Basis(row["cost_basis"])
    is_open = begins <= now < ends
    return PlanWindow(
        source=source,
        begins=begins,
        ends=ends,
        first_call=rows[0]["minute"],
        last_call=rows[-1]["minute"],
        calls=sum(int(row["calls"]) for row in rows),
        calls_unpriced=sum(int(row["calls_unpriced"] or 0) for row in rows),
        prompt_tokens=sum(int(row["prompt_tokens"] or 0) for row in rows),
        completion_tokens=sum(int(row["completion_tokens"] or 0) for row in rows),
        cost_usd=usd,
        basis=basis,
        is_open=is_open,
        share_of_limit=float(usd / limit_usd) if limit_usd and usd is not None else None,
        forecast=_forecast(rows, begins, ends, now, limit_usd) if is_open and usd is not None else None,
    )


def _forecast(
    rows: Sequence[Minute], begins: datetime, ends: datetime, now: datetime, limit_usd: Decimal | None
) -> Forecast:
    spent = sum((row["cost_usd"] or Decimal(0) for row in rows), Decimal(0))
    since = max(begins, now - RECENT)
    recent = sum((row["cost_usd"] or Decimal(0) for row in rows if row["minute"] >= since), Decimal(0))
    left = _seconds(ends - now)
    pace = spent / max(_seconds(now - begins), Decimal(60))
    recent_pace = recent / max(_seconds(now - since), Decimal(60))
    faster = max(pace, recent_pace)
    limit_at = None
    if limit_usd is not None and faster and spent + faster * left >= limit_usd:
        limit_at = now + timedelta(seconds=float(max(limit_usd - spent, Decimal(0)) / faster))
    return Forecast(
        usd_at_pace_of_window=spent + pace * left, usd_at_recent_pace=spent + recent_pace * left, limit_at=limit_at
    )


def _seconds(span: timedelta) -> Decimal:
    return Decimal(str(span.total_seconds()))
