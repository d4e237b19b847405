from datetime import date
from decimal import Decimal

import pytest

from modicum.calls import UserError
from modicum.insights.money.currency import Currency, convert_cells, parse_currency
from modicum.ledger.asking.several_dimensions import BETWEEN

DATED = Currency("EUR", ((date(2026, 1, 1), Decimal("0.9")), (date(2026, 2, 1), Decimal("0.8"))))


def cell(day, usd, calls=2, unpriced=0):
    cost = None if usd is None else Decimal(usd)
    return {"name": f"big{BETWEEN}{day}", "cost_usd": cost, "calls": calls, "calls_unpriced": unpriced}


def test_a_rate_holds_from_its_day():
    assert [DATED.rate_on(date(2026, 1, 31)), DATED.rate_on(date(2026, 2, 1))] == [Decimal("0.9"), Decimal("0.8")]
    assert DATED.rate_on(date(2025, 12, 31)) is None


def test_each_day_is_converted_at_its_rate():
    rows = convert_cells([cell("2026-01-31", "10"), cell("2026-02-01", "10"), cell("2026-02-02", None, 3, 3)], DATED)

    assert [(row["name"], row["cost_usd"], row["calls_unpriced"]) for row in rows] == [
        ("big", Decimal("9.0"), 0),
        ("big", Decimal("8.0"), 0),
        ("big", None, 3),
    ]


def test_a_day_without_a_rate_has_no_amount_and_none_is_invented():
    (row,) = convert_cells([cell("2025-12-31", "10")], DATED)

    assert (row["cost_usd"], row["calls_unpriced"]) == (None, 2)
    assert convert_cells([cell("2025-12-31", "0")], DATED)[0]["cost_usd"] == 0


def test_one_rate_is_for_all_days():
    assert parse_currency("eur=0.92") == Currency("EUR", ((date.min, Decimal("0.92")),))


@pytest.mark.parametrize("text", ["EUR", "EUR=", "EUR=0", "EUR=-1", "EURO=1", "EUR=1e3", "=1", "EUR=nan"])
def test_what_is_no_rate_is_answered_with_one(text):
    with pytest.raises(UserError, match=r"write EUR=0\.92"):
        parse_currency(text)
