import csv
import io

import pytest


@pytest.fixture
def day(modicum, transcripts):
    """The day after the last one of a ledger that is filled."""
    modicum("import", transcripts, "--no-anatomy")
    last = str(modicum("bill", "--by", "day", "--json").json["rows"][-1]["name"])
    return f"{last[:8]}28"


def test_a_forecast_is_printed_or_says_what_it_lacks(day, modicum):
    document = modicum("forecast", "--on", day, "--by", "source", "--json").json
    rows = list(csv.DictReader(io.StringIO(modicum("forecast", "--on", day, "--by", "source", "--csv").out)))
    printed = modicum("forecast", "--on", day, "--by", "source").out

    assert document["month"] == day[:7] == rows[0]["month"]
    assert document["total"]["spent_usd"] > 0
    assert float(rows[0]["spent_usd"]) == document["rows"][0]["spent_usd"]
    assert "nine months of ten are to end" in printed


def test_what_cannot_be_forecast_is_one_line(modicum):
    empty, wrong, by = modicum("forecast"), modicum("forecast", "--on", "may"), modicum("forecast", "--by", "day")

    assert [one.status for one in (empty, wrong, by)] == [2, 2, 2]
    assert "holds no calls of the 180 days" in empty.err
    assert "write a day, as 2026-11-10" in wrong.err
