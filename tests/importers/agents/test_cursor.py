import sqlite3
from contextlib import closing

from importers.fixture_pairs import cases_of, read
from modicum.ledger.booking import book
from modicum.metering.prices import PriceBook


def test_overlapping_exports_are_booked_once(tmp_path):
    text = cases_of("cursor")[1].read_text()
    (tmp_path / "may.csv").write_text(text)
    (tmp_path / "all.csv").write_text(text)

    calls, _ = read([tmp_path])

    assert len({call.call_id for call in calls}) == 6


def test_a_plan_has_no_price_and_what_was_charged_has_the_one_that_was_charged():
    calls, _ = read([cases_of("cursor")[1]])

    costs = [book(call, PriceBook()).cost for call in calls]

    assert [str(cost.usd) for cost in costs[:3]] == ["0.15", "None", "0"]
    assert costs[3].price_source == "genai-prices"
    assert str(costs[4].usd) == "1024.50"


def test_the_database_of_chats_says_where_the_counts_are(tmp_path):
    path = tmp_path / "state.vscdb"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")

    calls, problems = read([path])

    assert calls == []
    assert "Export CSV" in problems[0]
