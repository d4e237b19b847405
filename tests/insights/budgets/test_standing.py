from datetime import UTC, datetime, timedelta

import pytest

from ledger.samples import entry
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import NANO, Budget, LimitUnit
from modicum.insights.budgets.standing import budget_rows
from modicum.ledger.opening import open_store

NOW = datetime(2026, 6, 11, tzinfo=UTC)


@pytest.fixture
def store():
    opened = open_store(":memory:")
    opened.append([entry("a", "2", source="gateway", started=NOW - timedelta(days=1))])
    yield opened
    opened.close()


def budget(per="month", limit=10 * NANO, **fields):
    return Budget(name="b", unit=LimitUnit.USD, limit=limit, window=parse_window(per, "UTC"), **fields)


def row(store, one, under_way=()):
    (only,) = budget_rows(store, [one], under_way, NOW)
    return only


def test_the_limit_is_reached_at_the_pace_of_the_window(store):
    """Two dollars in ten days: eight more in forty, which is after the month; at a limit of four in ten days."""
    assert row(store, budget()).crossed_at is None
    assert row(store, budget(limit=4 * NANO)).crossed_at == NOW + timedelta(days=10)


def test_without_an_end_the_last_week_is_the_pace(store):
    assert row(store, budget("ever", 4 * NANO)).crossed_at == NOW + timedelta(days=7)


def test_what_is_used_up_is_reached_now_and_what_slides_has_no_pace(store):
    assert row(store, budget(limit=NANO)).crossed_at == NOW
    assert row(store, budget("7d")).crossed_at is None
    assert row(store, budget("7d")).spent == 2 * NANO


def test_calls_under_way_count_if_they_are_covered(store):
    tags = {"budget.reserved": f"{NANO}/5"}
    inside, before = (entry(tags=tags, started=NOW - timedelta(days=days)).call for days in (1, 30))

    assert row(store, budget(), [inside, before]).reserved == NANO
    assert row(store, budget(model="other"), [inside]).reserved == 0


def test_a_budget_for_each_name_has_no_row_without_one(store):
    assert budget_rows(store, [budget(team="*", model="none")], (), NOW) == []
