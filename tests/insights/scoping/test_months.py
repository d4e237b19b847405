from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from modicum.calls import UserError
from modicum.insights.scoping.months import month_before, month_of, next_month, parse_month


def test_a_month_begins_and_ends_at_midnight_in_its_zone():
    march = parse_month("2026-03", ZoneInfo("Europe/Berlin"))

    assert march.since == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert march.until == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert march.days == 31


def test_months_follow_each_other_over_the_year():
    assert next_month(date(2026, 12, 31)) == date(2027, 1, 1)
    assert month_before(date(2026, 1, 15)) == date(2025, 12, 1)
    assert month_of(date(2028, 2, 29), ZoneInfo("UTC")).days == 29


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-00", "november", "2026-11-01", "99999-01", "0001-01"])
def test_what_is_no_month_says_how_one_is_written(text):
    with pytest.raises(UserError, match="is no month; write 2026-11"):
        parse_month(text, ZoneInfo("UTC"))
