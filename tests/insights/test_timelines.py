from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from insights.planted import START, WRITE, Conversation, history_of, said, user
from modicum.calls import Outcome, Usage
from modicum.insights.timelines import build_cache_timeline, list_days


def outcome(task, value):
    return Outcome(outcome_id=task, task=task, name="resolved", value=value, time=START)


def test_a_task_counts_on_the_day_on_which_it_began():
    late = Conversation("a", start=START + timedelta(hours=23, minutes=59, seconds=50)).call(user("do", 1000))
    late.call(said("a"), after=60)
    other = Conversation("b").call(user("do", 500))

    first, second = list_days(history_of(late, other, outcomes=[outcome("a", 1.0), outcome("b", 0.0)]))

    assert (first.date, first.calls, first.tasks_with_outcome, first.outcome_value) == ("2026-02-03", 2, 2, 1.0)
    assert (second.date, second.cache_read, second.cache_write) == ("2026-02-04", 1000, 20)
    assert second.tasks_with_outcome == 0
    assert first.output == 60


def test_days_are_those_of_the_zone_also_where_its_clocks_are_set():
    spring = datetime(2026, 3, 8, tzinfo=UTC)
    hours = (4.5, 5.5, 27.5, 28.5)  # UTC: 23:30 the day before, 00:30, 23:30 and 00:30 in New York
    calls = [Conversation(str(hour), start=spring + timedelta(hours=hour)).call(user("do", 1)) for hour in hours]

    found = list_days(history_of(*calls), ZoneInfo("America/New_York"))

    assert [(day.date, day.calls) for day in found] == [("2026-03-07", 1), ("2026-03-08", 2), ("2026-03-09", 1)]


def test_the_task_whose_cache_was_lost_at_the_greatest_cost():
    calm = Conversation("calm").call(user("do", 9000)).call(said("a"))
    paused = Conversation("paused").call(user("do", 4000))
    paused.call(said("a"), after=1200, usage=Usage(0, 0, 4020, 0, 30)).call(said("b"))
    changed = Conversation("changed").call(user("do", 3000)).call(said("a"), usage=Usage(0, 0, 3020, 0, 30))

    found = build_cache_timeline(history_of(calm, paused, changed))

    assert found.task == "paused"
    assert found.written_again_usd == pytest.approx(4020 * WRITE)
    assert [call.lost for call in found.calls] == ["", "a pause of 20 minutes", ""]
    assert found.calls[1].minutes == pytest.approx(20, abs=0.1)


def test_where_no_cache_is_lost_there_is_nothing_to_show():
    assert build_cache_timeline(history_of(Conversation().call(user("do", 9000)).call(said("a")))) is None
