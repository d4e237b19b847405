from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from modicum.calls import UserError
from modicum.insights.scoping.time_span import EVER, parse_time

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-31", "2026-01-30T23:00+00:00"),
        ("2026-07-01", "2026-06-30T22:00+00:00"),
        ("2026-01-31T12:00", "2026-01-31T11:00+00:00"),
        ("2026-01-31T12:00Z", "2026-01-31T12:00+00:00"),
        ("today", "2026-03-28T23:00+00:00"),
        ("yesterday", "2026-03-27T23:00+00:00"),
        ("7d", "2026-03-22T12:00+00:00"),
        ("24h", "2026-03-28T12:00+00:00"),
        (None, EVER.isoformat()),
    ],
)
def test_times_as_people_write_them(text, at):
    assert parse_time(text, BERLIN, EVER, NOW) == datetime.fromisoformat(at)


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "d", "99999d"])
def test_what_is_no_time_says_how_to_write_one(text):
    with pytest.raises(UserError, match="yesterday"):
        parse_time(text, BERLIN, EVER, NOW)
