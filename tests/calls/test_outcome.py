from datetime import UTC, datetime, timedelta, timezone

import pytest

from modicum.calls.outcome import checked_time


def test_a_time_within_reason_is_taken_as_it_is():
    berlin = timezone(timedelta(hours=2))

    assert checked_time(datetime(2026, 7, 1, 12, tzinfo=UTC)) == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert checked_time(datetime(2026, 7, 1, 14, tzinfo=berlin)) == datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("year", [1, 1969, 2201, 9999])
def test_a_time_at_the_ends_of_the_calendar_is_refused(year):
    with pytest.raises(ValueError, match="1970"):
        checked_time(datetime(year, 6, 1, tzinfo=UTC))
