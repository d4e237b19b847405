from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.samples import EVER, entry
from modicum.calls import Basis, UserError
from modicum.insights.plan_usage.windows import (
    begin_of_week,
    largest,
    list_blocks,
    list_weeks,
    parse_week,
    sum_minutes,
)
from modicum.ledger.opening import open_store

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 2, 3, 10, 20, tzinfo=UTC)


def minute(hours, usd, source="claude-code", calls=1):
    return {
        "minute": AT + timedelta(hours=hours),
        "source": source,
        "cost_basis": Basis.LOWER_BOUND,
        "calls": calls,
        "calls_unpriced": 0 if usd else calls,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "cost_usd": Decimal(usd) if usd else None,
    }


ROWS = [minute(0, "1"), minute(1, "2"), minute(4.5, "3"), minute(4.7, "4"), minute(12, None), minute(0, "9", "codex")]


def test_blocks_are_of_one_source_and_begin_at_the_full_hour():
    now = AT + timedelta(hours=30)
    blocks = [one for one in list_blocks(ROWS, now) if one.source == "claude-code"]

    assert [(one.begins.hour, one.calls, one.cost_usd) for one in blocks] == [
        (10, 3, Decimal(6)),
        (15, 1, Decimal(4)),
        (22, 1, None),
    ]
    assert blocks[0].basis is Basis.LOWER_BOUND
    assert (blocks[2].basis, blocks[2].calls_unpriced) == (Basis.UNKNOWN, 1)
    assert not any(one.is_open or one.forecast for one in blocks)
    assert largest(list_blocks(ROWS, now)) == 9


def test_an_open_block_is_forecast_at_two_paces():
    now = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)

    (block,) = list_blocks(ROWS[:2], now, Decimal(4))

    assert block.is_open
    assert block.share_of_limit == 0.75
    assert block.forecast.usd_at_pace_of_window == Decimal("7.5")  # 3 in two of five hours
    assert block.forecast.usd_at_recent_pace == Decimal(9)  # 2 in the last hour, three are left
    assert block.forecast.limit_at == now + timedelta(minutes=30)
    assert list_blocks(ROWS[:2], now, Decimal(100))[0].forecast.limit_at is None


def test_weeks_begin_where_the_plan_says_and_follow_the_clocks():
    week = parse_week("thu 14:00")
    assert begin_of_week(datetime(2026, 2, 5, 12, 59, tzinfo=UTC), week, BERLIN) == datetime(
        2026, 1, 29, 13, tzinfo=UTC
    )
    assert begin_of_week(datetime(2026, 2, 5, 13, 0, tzinfo=UTC), week, BERLIN) == datetime(2026, 2, 5, 13, tzinfo=UTC)
    summer = [{**minute(0, "1"), "minute": datetime(2026, 3, 27, tzinfo=UTC)}]

    (found,) = list_weeks(summer, AT, week, BERLIN)

    assert found.ends - found.begins == timedelta(days=7) - timedelta(hours=1)


@pytest.mark.parametrize("text", ["", "someday", "mon 24:00", "mon 7:60", "thu x", "13:00"])
def test_what_is_no_week_is_answered_with_one(text):
    with pytest.raises(UserError, match="write 'thu 14:00'"):
        parse_week(text)


calls = st.builds(
    entry,
    st.integers(0, 99).map("c{}".format),
    st.sampled_from([None, "0.5", "1.25"]),
    source=st.sampled_from(["claude-code", "codex", "openai-usage"]),
    started=st.datetimes(datetime(2026, 2, 1), datetime(2026, 2, 3), timezones=st.just(UTC)),  # noqa: DTZ001 - zone given beside
)


@settings(max_examples=8, deadline=None)
@given(st.lists(calls, max_size=12, unique_by=lambda one: one.call.call_id))
def test_ledger_and_logs_give_the_same_windows_and_these_sum_to_the_whole(entries):
    store = open_store(":memory:")
    store.append(entries)
    rows = store.ask("spend_by_minute", where={}, **EVER)
    store.close()

    assert list_blocks(rows, AT) == list_blocks(sum_minutes(entries), AT)
    counted = [one for one in entries if one.call.source != "openai-usage"]
    assert sum(one.calls for one in list_weeks(rows, AT, (0, 0, 0), BERLIN)) == len(counted)
    assert sum(one.cost_usd or 0 for one in list_blocks(rows, AT)) == sum(one.cost.usd or 0 for one in counted)
