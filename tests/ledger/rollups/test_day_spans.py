from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from modicum.ledger.rollups.day_spans import (
    MOST_PLAIN,
    SLOT_S,
    Spans,
    day_of,
    day_of_slot,
    divide,
    last_days,
    slot_of,
    slots_within,
    touched_days,
)

BERLIN = "Europe/Berlin"


def at(day, hour=0, minute=0, month=3):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def every(day):
    return True


def test_a_day_is_as_long_as_its_zone_says():
    assert day_of(at(10, 12), BERLIN) == (at(9, 23), at(10, 23))
    assert day_of(at(29, 12), BERLIN) == (at(28, 23), at(29, 22))  # 23 hours: clocks are put forward
    assert day_of(at(29, 22), BERLIN)[0] == at(29, 22)
    assert day_of(at(10, 12), "Asia/Kathmandu") == (at(9, 18, 15), at(10, 18, 15))


def test_a_day_whose_midnight_does_not_exist_begins_at_the_first_moment_of_it():
    # Beirut put its clocks forward at midnight: 29 March 2026 began at 1 o'clock, which is 22:00 UTC of the day before.
    begins, ends = day_of(at(29, 12), "Asia/Beirut")

    assert begins == at(28, 22)
    assert day_of(begins - timedelta(seconds=1), "Asia/Beirut")[1] == begins
    assert ends == at(29, 21)


@pytest.mark.parametrize(
    "zone", ["UTC", BERLIN, "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"]
)
def test_days_of_a_year_follow_each_other_and_are_made_of_whole_slots(zone):
    moment = at(1, month=1)
    for _ in range(370):
        begins, ends = day_of(moment, zone)
        assert begins <= moment < ends
        assert day_of(ends, zone)[0] == ends
        first, behind = slots_within((begins, ends))
        assert (behind - first) * SLOT_S == (ends - begins).total_seconds()
        assert day_of_slot(first, zone) == day_of_slot(behind - 1, zone) == (begins, ends)
        moment = ends


def test_a_slot_of_the_time_of_the_sun_lies_in_two_days_and_in_none_of_its_own():
    slot = slot_of(day_of(datetime(1880, 5, 5, 12, tzinfo=UTC), BERLIN)[0])

    assert day_of_slot(slot, BERLIN) is None
    assert len(touched_days([slot], BERLIN)) == 1  # two days that border each other


def test_days_that_border_each_other_are_one_span():
    slots = [slot_of(at(day, hour)) for day, hour in ((3, 1), (3, 20), (4, 0), (7, 5))]

    assert touched_days(slots, "UTC") == [(at(3), at(5)), (at(7), at(8))]


def test_the_last_days_that_have_ended_come_first():
    slots = [slot_of(at(day, hour)) for day, hour in ((3, 1), (3, 20), (4, 0), (7, 5), (9, 1))]

    assert last_days(slots, "UTC", at(9, 12), 2, every) == [(at(7), at(8)), (at(4), at(5))]
    assert last_days(slots, "UTC", at(8) - timedelta(seconds=1), 9, every) == [(at(4), at(5)), (at(3), at(4))]
    assert last_days(slots, "UTC", at(9), 2, lambda day: day[0] != at(4)) == [(at(7), at(8)), (at(3), at(4))]


def test_an_hour_between_two_midnights_is_touched_too():
    between = datetime(2006, 10, 29, 2, 45, tzinfo=UTC)  # 23:15; at 2:30 it was midnight for the first time

    assert any(begins <= between < ends for begins, ends in touched_days([slot_of(between)], "America/St_Johns"))


def test_what_is_touched_or_cut_is_read_from_entries():
    touched = [(at(3), at(5)), (at(28), at(29))]

    assert divide(at(1), at(10), touched, "UTC") == Spans(((at(1), at(3)), (at(5), at(10))), ((at(3), at(5)),))
    assert divide(at(1, 6), at(9, 12), [], "UTC") == Spans(((at(2), at(9)),), ((at(1, 6), at(2)), (at(9), at(9, 12))))
    assert divide(at(4, 6), at(4, 8), touched, "UTC") == Spans((), ((at(4, 6), at(4, 8)),))
    assert divide(at(5), at(5), touched, "UTC") == Spans((), ((at(5), at(5)),))


def test_the_ends_of_the_calendar_cut_no_day():
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert divide(first, last, [], "Asia/Tokyo").summed[0][0] == first


@pytest.mark.parametrize("zone", ["UTC", BERLIN, "America/New_York", "Asia/Tokyo"])
def test_calls_at_the_ends_of_the_calendar_are_read_from_entries(zone):
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    slots = [slot_of(first), slot_of(last), slot_of(at(3))]

    spans = divide(first, last, touched_days(slots, zone), zone)
    for moment in (first, last - timedelta(seconds=1), at(3)):
        assert any(begins <= moment < ends for begins, ends in spans.plain)
    assert len(last_days(slots, zone, at(20), 9, every)) <= 2


def test_many_parts_are_joined_where_they_are_nearest():
    touched = [(at(day), at(day + 1)) for day in (1, 3, 6, 9, 12, 15, 18, 21, 24, 27)]
    spans = divide(at(1), at(30), touched, "UTC")

    assert len(spans.plain) == MOST_PLAIN
    assert spans.plain[0] == (at(1), at(7))
    ordered = sorted([*spans.summed, *spans.plain])
    assert ordered[0][0] == at(1)
    assert ordered[-1][1] == at(30)
    assert all(one[1] == other[0] for one, other in pairwise(ordered))
