from datetime import date
from decimal import Decimal

from modicum.reports.forecast.daily_series import read_daily_series, sum_series


def row(day, name="a", usd="2", is_report=0, **fields):
    known = None if usd is None else Decimal(usd)
    told = {"day": day, "name": name, "cost_usd": known, "is_report": is_report, "calls_unpriced": 0}
    return told | {"prompt_tokens": 10, "cache_read_tokens": 4} | fields


def test_days_without_calls_are_zeros_up_to_the_last_one():
    rows = [row("2026-02-01"), row("2026-02-03", usd=None, calls_unpriced=5), row("2026-02-03", "b"), row("2026-02-09")]

    found = read_daily_series(rows, date(2026, 2, 4))

    assert found["a"].usd == [2, 0, 0, 0]
    assert found["a"].calls_unpriced == 5
    assert (found["b"].first, found["b"].usd) == (date(2026, 2, 1), [0, 0, 2, 0])
    whole = sum_series(found.values())
    assert (whole.usd, whole.prompt_tokens, whole.cache_read_tokens) == ([2, 0, 2, 0], [10, 0, 20, 0], [4, 0, 8, 0])


def test_reports_are_left_out_where_there_are_calls():
    assert read_daily_series([row("2026-02-01"), row("2026-02-01", is_report=1)], date(2026, 2, 1))["a"].usd == [2]
    assert read_daily_series([row("2026-02-01", is_report=1)], date(2026, 2, 1))["a"].usd == [2]
    assert read_daily_series([row("2026-02-09")], date(2026, 2, 4)) == {}
    assert sum_series([]) is None
