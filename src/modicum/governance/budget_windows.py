"""When a budget begins anew: calendar windows in a zone, windows that slide, and the whole life of what is counted."""

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

HOUR = timedelta(hours=1)


class Period(StrEnum):
    HOUR = "hour"
    """From one full hour of UTC to the next, in every zone."""
    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"
    EVER = "ever"
    """Never begins anew."""
    SLIDING = "sliding"
    """The last so many seconds, at every moment."""


class WindowSpan(NamedTuple):
    """From when until when a window lasts, in UTC; the end is not within."""

    start: datetime
    end: datetime | None
    """None: it does not end; of a sliding window there is no moment at which all is free again."""

    def covers(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTH = re.compile(r"([1-9][0-9]{0,4})(m|h|d)")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}


class BudgetWindow(msgspec.Struct, frozen=True):
    period: Period
    zone: str = "UTC"
    """In which days, weeks and months are cut."""
    sliding_s: int = 0
    """How long a sliding window is."""

    def span_at(self, at: datetime) -> WindowSpan:
        """The window that a moment (with a zone) lies in. Windows follow each other without gap or overlap."""
        if self.period is Period.EVER:
            return WindowSpan(LONG_AGO, None)
        if self.period is Period.SLIDING:
            return WindowSpan(at.astimezone(UTC) - timedelta(seconds=self.sliding_s), None)
        if self.period is Period.HOUR:
            start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            return WindowSpan(start, start + HOUR)
        zone = ZoneInfo(self.zone)
        first, following = self._days(at.astimezone(zone).date())
        return WindowSpan(_midnight(first, zone), _midnight(following, zone))

    def span_before(self, span: WindowSpan) -> WindowSpan | None:
        """The window before one of these; None: there is none, as windows do not follow each other."""
        if self.period in {Period.EVER, Period.SLIDING}:
            return None
        return self.span_at(span.start - timedelta(microseconds=1))

    @property
    def longest_s(self) -> float:
        """How long it may last; infinite where it does not end."""
        if self.period is Period.SLIDING:
            return self.sliding_s
        days = {Period.HOUR: 1 / 24, Period.DAY: 2, Period.WEEK: 8, Period.MONTH: 32}.get(self.period)
        return float("inf") if days is None else days * 86_400

    @property
    def text(self) -> str:
        """As the settings write it."""
        if self.period is not Period.SLIDING:
            return self.period.value
        unit = next(unit for unit in ("d", "h", "m") if self.sliding_s % _SECONDS[unit] == 0)
        return f"{self.sliding_s // _SECONDS[unit]}{unit}"

    def _days(self, day: date) -> tuple[date, date]:
        """The first day of the window, and that of the next one."""
        if self.period is Period.DAY:
            return day, day + timedelta(days=1)
        if self.period is Period.WEEK:
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=7)
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)


def parse_window(text: str, zone: str) -> BudgetWindow | None:
    """`hour`, `day`, `week`, `month`, `ever`, or a length that slides: `90m`, `5h`, `7d`. None: it is none of these."""
    if text in {"hour", "day", "week", "month", "ever"}:
        return BudgetWindow(Period(text), zone)
    length = _LENGTH.fullmatch(text)
    if length is None:
        return None
    return BudgetWindow(Period.SLIDING, zone, int(length[1]) * _SECONDS[length[2]])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins: the first of two midnights; where clocks skip it, the moment of the skip."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
