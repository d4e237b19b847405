"""A calendar month in somebody's zone."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from modicum.calls import UserError

_MONTH = re.compile(r"(\d{4})-(\d{2})")


class Month(NamedTuple):
    """Its first day, and its bounds in UTC, the end not included."""

    first: date
    since: datetime
    until: datetime

    @property
    def days(self) -> int:
        """How many it has."""
        return (next_month(self.first) - self.first).days


def parse_month(text: str, zone: ZoneInfo) -> Month:
    """The month that `2026-11` names.

    Raises:
        UserError: it names none.
    """
    found = _MONTH.fullmatch(text.strip())
    if found is None or not 1 <= int(found[2]) <= 12 or not 1900 <= int(found[1]) < 2300:
        raise UserError(f"'{text:.40}' is no month; write 2026-11")
    return month_of(date(int(found[1]), int(found[2]), 1), zone)


def month_of(day: date, zone: ZoneInfo) -> Month:
    """The month of a day."""
    first = day.replace(day=1)
    return Month(first, _midnight(first, zone), _midnight(next_month(first), zone))


def next_month(first: date) -> date:
    """The first day of the month after that of a day."""
    return (first.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(first: date) -> date:
    """The first day of the month before that of a day."""
    return (first.replace(day=1) - timedelta(days=1)).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
