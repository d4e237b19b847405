"""Which part of a time is answered from days that were summed, and which from entries.

Every entry lies in a slot of a quarter of an hour. A slot that an entry came to, left, or grew in is *touched*, until
its day has been summed; so whatever lies outside the days of touched slots is in the sums, or is empty.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

SLOT_S = 900
"""Days of every zone of today begin at a quarter of an hour of UTC."""
MOST_PLAIN = 8
"""Parts of a time that are read from entries: each is a search of its own."""

_LAST_SLOT = 281_558_111
"""Of the year 9999; its last microseconds are rounded into the next one."""

Span = tuple[datetime, datetime]
"""From a moment until before another, in UTC."""


class Spans(NamedTuple):
    """How the time of a question is divided."""

    summed: tuple[Span, ...] = ()
    plain: tuple[Span, ...] = ()


def slot_of(moment: datetime) -> int:
    """The number of the quarter of an hour since 1970 in which a moment lies."""
    return int(moment.timestamp() // SLOT_S)


def day_of_slot(slot: int, zone: str) -> Span | None:
    """The day of the zone in which a slot lies; None: it lies in two, as in times when zones went by the sun, or
    at an end of the calendar, as the year 1 of clocks that were never set.
    """
    begins = _time_of(slot)
    day = _day_or_none(begins, zone)
    return day if day is not None and begins + timedelta(seconds=SLOT_S - 1) < day[1] else None


@lru_cache(maxsize=4096)
def day_of(moment: datetime, zone: str) -> Span:
    """The day of the zone in which a moment lies.

    Raises:
        OverflowError: at the ends of the calendar.
    """
    local = moment.astimezone(ZoneInfo(zone))
    begins = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = (begins.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=begins.tzinfo)
    return begins.astimezone(UTC), following.astimezone(UTC)


def slots_within(day: Span) -> tuple[int, int]:
    """The first slot that lies in a day, and the first one behind those that do."""
    begins, ends = day[0].timestamp(), day[1].timestamp()
    return int(-(-begins // SLOT_S)), int(ends // SLOT_S)


def touched_days(slots: Iterable[int], zone: str) -> list[Span]:
    """The days of touched slots, in order, as few spans: those that border each other are one."""
    days: set[Span] = set()
    for slot in slots:
        begins = _time_of(slot)
        last = begins + timedelta(seconds=SLOT_S - 1)
        for moment in (begins, last):
            day = _day_or_none(moment, zone) or _end_of_calendar(moment)
            days.add(day)
            if day[1] <= moment:  # clocks were put back over midnight: it came twice, and this is the hour between
                days.add((begins, last + timedelta(seconds=1)))
    return _joined(sorted(days))


def last_days(
    slots: Iterable[int], zone: str, ended_before: datetime, most: int, can_be_summed: Callable[[Span], bool]
) -> list[Span]:
    """The last days that have one of these slots, ended before a moment and can be summed, the latest first."""
    days: list[Span] = []
    for slot in sorted(slots, reverse=True):
        day = day_of_slot(slot, zone)
        if day is not None and day[1] <= ended_before and day not in days[-1:] and can_be_summed(day):
            days.append(day)
            if len(days) >= most:
                break
    return days


def divide(since: datetime, until: datetime, touched: Sequence[Span], zone: str) -> Spans:
    """Divides a time into what is summed and what is read from entries: days that were touched, and days of which it
    has a part.

    Args:
        since: where it begins.
        until: before what it ends.
        touched: as `touched_days` gives them.
        zone: in which days were summed.
    """
    if since >= until:
        return Spans(plain=((since, until),))
    parts = [*touched]
    for edge in (since, until):
        day = _day_or_none(edge, zone)
        if day is not None and day[0] < edge:
            parts.append(day)
    plain = [
        (max(since, begins), min(until, ends))
        for begins, ends in _joined(sorted(parts))
        if begins < until and ends > since
    ]
    while len(plain) > MOST_PLAIN:  # what lies between the two nearest is read from entries, too
        nearest = min(range(1, len(plain)), key=lambda at: plain[at][0] - plain[at - 1][1])
        plain[nearest - 1 : nearest + 1] = [(plain[nearest - 1][0], plain[nearest][1])]
    summed, begins = [], since
    for span in plain:
        if begins < span[0]:
            summed.append((begins, span[0]))
        begins = span[1]
    if begins < until:
        summed.append((begins, until))
    return Spans(tuple(summed), tuple(plain))


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for begins, ends in spans:
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((begins, ends))
    return joined


def _day_or_none(moment: datetime, zone: str) -> Span | None:
    """None: the moment is an end of the calendar, and stands for "ever" or "never"."""
    try:
        return day_of(moment, zone)
    except OverflowError:
        return None


def _end_of_calendar(moment: datetime) -> Span:
    """What is read from entries around a moment whose day has no beginning or no end."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    two_days = timedelta(days=2)
    return (first, first + two_days) if moment - first < two_days else (last - two_days, last)


def _time_of(slot: int) -> datetime:
    return datetime.fromtimestamp(min(slot, _LAST_SLOT) * SLOT_S, UTC)
