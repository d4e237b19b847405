"""How the price of a model changed: every date that the list, our corrections or the user's own file know."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import msgspec

from modicum.calls import Tier
from modicum.calls.rates import RateSteps
from modicum.metering.prices import PriceBook

SLOT = timedelta(minutes=30)
"""Prices by the clock begin at full and half hours."""
WEEK_SLOTS = 7 * 48
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class PricePeriod(msgspec.Struct, frozen=True):
    """A price and the time for which it held."""

    since: datetime | None
    """None: as long as the list goes back."""
    until: datetime | None
    """The first moment at which it no longer holds; None: it holds."""
    hours: str
    """Where prices vary by the clock, the hours of the week in UTC; empty: all."""
    steps: RateSteps


def find_periods(prices: PriceBook, provider: str, model: str, lane: Tier, now: datetime) -> list[PricePeriod]:
    """All prices of a model in one lane up to now, oldest first; neighbours that are equal are one."""
    cuts = sorted(cut for cut in set(_changes(prices, provider, model, lane, now)) if cut < now)
    found: list[PricePeriod] = []
    for since, until in pairwise((None, *cuts, None)):
        start = since or (until or now) - 7 * (2 * 24) * SLOT
        for hours, steps in _by_hours(prices, (provider, model, lane), start, until):
            found.append(PricePeriod(since, until, hours, steps))
    return _without_repeats(found)


def _changes(prices: PriceBook, provider: str, model: str, lane: Tier, now: datetime) -> Iterator[datetime]:
    listed = prices.find_listed(provider, model, now, lane)
    if listed is not None:
        variants = listed.model.price_variants or ()
        conditional = listed.model.prices if isinstance(listed.model.prices, list) else ()
        for priced in (*conditional, *variants):
            day = getattr(priced.constraint, "start_date", None)
            if day is not None:
                yield _first_moment(day)
        for note in prices.price_notes(listed.query):
            yield from (moment for moment in (note.since, note.until) if moment is not None)
    for own in prices.price_file.prices if prices.price_file is not None else ():
        yield from (_first_moment(day) for day in (own.since, own.until) if day is not None)


def _first_moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _by_hours(
    prices: PriceBook, query: tuple[str, str, Tier], start: datetime, until: datetime | None
) -> list[tuple[str, RateSteps]]:
    """The different prices of a week from `start`, each with its hours."""
    provider, model, lane = query
    slots: list[tuple[RateSteps, list[datetime]]] = []
    for number in range(WEEK_SLOTS):
        moment = start + number * SLOT
        if until is not None and moment >= until:
            break
        steps = prices.steps(provider, model, moment, lane)
        mine = next((moments for same, moments in slots if same == steps), None)
        if mine is None:
            slots.append((steps, [moment]))
        else:
            mine.append(moment)
    if len(slots) == 1:
        return [("", slots[0][0])]
    return [(_format_hours(moments), steps) for steps, moments in slots]


def _format_hours(moments: Sequence[datetime]) -> str:
    """`Mon-Fri 01:00-04:00 06:00-10:00, Sat-Sun 00:00-24:00`."""
    days: dict[int, list[int]] = {}
    for moment in moments:
        days.setdefault(moment.weekday(), []).append(moment.hour * 60 + moment.minute)
    by_ranges: dict[str, list[int]] = {}
    for day in sorted(days):
        by_ranges.setdefault(_format_ranges(sorted(days[day])), []).append(day)
    return ", ".join(f"{_format_days(numbers)} {ranges}" for ranges, numbers in by_ranges.items())


def _format_ranges(minutes: Sequence[int]) -> str:
    step = int(SLOT.total_seconds()) // 60
    starts = [minute for minute in minutes if minute - step not in minutes]
    ends = [minute + step for minute in minutes if minute + step not in minutes]
    return " ".join(f"{_clock(start)}-{_clock(end)}" for start, end in zip(starts, ends, strict=True))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _format_days(days: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return " ".join(DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs)


def _without_repeats(periods: Sequence[PricePeriod]) -> list[PricePeriod]:
    """Neighbours that differ in nothing but their dates are one."""
    lots: list[list[PricePeriod]] = []
    for period in periods:
        if lots and lots[-1][0].since == period.since:
            lots[-1].append(period)
        else:
            lots.append([period])
    kept: list[list[PricePeriod]] = []
    for lot in lots:
        if kept and [(one.hours, one.steps) for one in kept[-1]] == [(one.hours, one.steps) for one in lot]:
            kept[-1] = [msgspec.structs.replace(one, until=lot[0].until) for one in kept[-1]]
        else:
            kept.append(lot)
    return [period for lot in kept for period in lot]
