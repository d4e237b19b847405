from datetime import UTC, datetime

from modicum.ledger.asking.figure_rows import can_be_summed, figure_rows
from modicum.ledger.rollups.day_spans import Spans

FIRST, SECOND, THIRD = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3))
TEXT = "SELECT sum(calls) FROM $figures WHERE $where"
BY_DAY = "SELECT local_time(started, $zone) FROM $figures WHERE $where"


def test_a_question_that_adds_up_nothing_stays_as_it_is():
    assert figure_rows("SELECT 1 FROM entries", {"since": FIRST}) == ("SELECT 1 FROM entries", {"since": FIRST})
    assert not can_be_summed("SELECT 1 FROM entries", {}, "UTC")


def test_entries_are_read_from_the_table_that_is_named():
    text, values = figure_rows(TEXT, {"since": FIRST, "until": THIRD}, "entries_by_time")

    assert "FROM entries_by_time WHERE started >= $since AND started < $until" in text
    assert "rollups" not in text
    assert values == {"since": FIRST, "until": THIRD}


def test_bounds_of_both_kinds_are_bound():
    text, values = figure_rows(TEXT, {}, spans=Spans(((FIRST, SECOND),), ((SECOND, THIRD),)), zone="UTC")

    assert "FROM rollups WHERE zone = $summed_zone AND ((started >= $summed_since_a" in text
    assert "FROM entries WHERE started >= $plain_since_a AND started < $plain_until_a" in text
    assert values["summed_until_a"] == values["plain_since_a"] == SECOND


def test_only_names_that_sums_keep_apart_can_be_asked_for():
    assert can_be_summed(TEXT, {"by": ["team", "model"], "where": {"user": "ann"}}, "UTC")
    assert not can_be_summed(TEXT, {"by": "team"}, "")
    assert not can_be_summed(TEXT, {"by": ["team", "task"]}, "UTC")
    assert not can_be_summed(TEXT, {"where": {"tag:feature": "chat"}}, "UTC")
    assert can_be_summed(BY_DAY, {"zone": "UTC"}, "UTC")
    assert not can_be_summed(BY_DAY, {"zone": "Europe/Berlin"}, "UTC")
    assert not can_be_summed(TEXT, {"by": "week", "zone": "Europe/Berlin"}, "UTC")
