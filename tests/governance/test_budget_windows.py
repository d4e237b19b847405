from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.governance.budget_windows import BudgetWindow, Period, parse_window

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Asia/Kolkata")
ZONES += ("Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut", "Africa/Casablanca", "Pacific/Chatham")
MOMENTS = st.datetimes(datetime(2005, 1, 2), datetime(2037, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
CALENDAR = st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH])


@given(CALENDAR, st.sampled_from(ZONES), MOMENTS, st.floats(0, 0.999_999))
def test_windows_follow_each_other_without_gap_or_overlap(period, zone, at, share):
    window = BudgetWindow(period, zone)
    span = window.span_at(at)

    assert span.start <= at < span.end
    assert window.span_at(span.start) == span
    assert window.span_at(span.start + (span.end - span.start) * share) == span
    assert window.span_at(span.end).start == span.end
    assert window.span_at(span.start - timedelta(microseconds=1)).end == span.start
    assert (span.end - span.start).total_seconds() <= window.longest_s


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_day_is_the_calendars_day_of_its_zone(zone, at):
    span = BudgetWindow(Period.DAY, zone).span_at(at)
    local = ZoneInfo(zone)

    assert span.start.astimezone(local).date() == at.astimezone(local).date()
    assert (span.end - timedelta(microseconds=1)).astimezone(local).date() == at.astimezone(local).date()


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (5, 1, 24)])
def test_the_days_on_which_clocks_change_are_shorter_and_longer(month, day, hours):
    noon = datetime(2026, month, day, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    span = BudgetWindow(Period.DAY, "Europe/Berlin").span_at(noon)

    assert span.end - span.start == timedelta(hours=hours)


def test_a_day_that_a_zone_skipped_is_no_window():
    """Samoa had no 30 December 2011."""
    window = BudgetWindow(Period.DAY, "Pacific/Apia")
    before = window.span_at(datetime(2011, 12, 29, 12, tzinfo=ZoneInfo("Pacific/Apia")))

    assert window.span_at(before.end).start == before.end == datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert before.end.astimezone(ZoneInfo("Pacific/Apia")).day == 31


def test_weeks_begin_on_monday_and_months_on_the_first():
    at = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)

    assert BudgetWindow(Period.WEEK).span_at(at)[:2] == (
        datetime(2026, 2, 23, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    )
    month = BudgetWindow(Period.MONTH, "Europe/Berlin").span_at(at)
    assert month.start == datetime(2026, 2, 28, 23, tzinfo=UTC)  # in Berlin it is March
    assert month.end == datetime(2026, 3, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize("text", ["hour", "day", "week", "month", "ever", "90m", "5h", "7d"])
def test_a_window_is_written_as_it_is_read(text):
    assert parse_window(text, "UTC").text == text


@pytest.mark.parametrize("text", ["", "0h", "-5h", "5", "5y", "1e9d", "999999d", "fortnight", "5h "])
def test_what_is_no_window(text):
    assert parse_window(text, "UTC") is None


def test_what_slides_ends_now_and_what_lasts_for_ever_does_not_end():
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert parse_window("5h", "UTC").span_at(at).start == at - timedelta(hours=5)
    assert parse_window("ever", "UTC").span_at(at).end is None


@pytest.mark.parametrize("per", ["hour", "day", "week", "month"])
def test_the_window_before_ends_where_this_one_begins_also_where_clocks_change(per):
    window = parse_window(per, "Europe/Berlin")
    for day in (datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)):
        span = window.span_at(day)
        before = window.span_before(span)

        assert before.end == span.start
        assert before == window.span_at(before.start)


@pytest.mark.parametrize("per", ["ever", "5h"])
def test_what_does_not_begin_anew_has_no_window_before(per):
    window = parse_window(per, "UTC")

    assert window.span_before(window.span_at(datetime(2026, 1, 1, tzinfo=UTC))) is None
