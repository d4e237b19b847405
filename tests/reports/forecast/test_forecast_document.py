from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger.samples import START, entry
from modicum.calls import Owner
from modicum.insights.scoping.persons import PersonRule
from modicum.reports.forecast.forecast_document import forecast_document

UTC = ZoneInfo("UTC")
NOBODY = PersonRule(frozenset())


def test_a_forecast_is_of_all_and_by_name(store):
    days = [entry(f"c{n}", "2", owner=Owner("a"), started=START + timedelta(days=n)) for n in range(40)]
    store.append([*days, entry("late", "1", owner=Owner("b"), started=START + timedelta(days=39))])

    found = forecast_document(store.ask, ("team", ""), UTC, date(2026, 3, 15), NOBODY)

    assert (found["month"], found["total"]["days_left"], found["total"]["spent_usd"]) == ("2026-03", 17, 29)
    assert [row["name"] for row in found["rows"]] == ["a", "b"]
    assert found["rows"][0]["expected_usd"] == pytest.approx(28 + 34, rel=0.05)
    assert found["total"]["low_usd"] < found["total"]["expected_usd"] < found["total"]["high_usd"]


def test_without_a_call_before_today_there_is_none(store):
    store.append([entry("c1", "2")])

    assert forecast_document(store.ask, ("team", ""), UTC, START.date(), NOBODY) is None
