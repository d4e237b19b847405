from datetime import date
from decimal import Decimal

from modicum.calls import Basis
from modicum.insights.money.currency import Currency
from modicum.metering.price_file import Subscription
from modicum.reports.showback.amounts import convert_statement
from modicum.reports.showback.rules import ShowbackRules
from modicum.reports.showback.statement import UsageLine, build_statement

MONTH = date(2026, 11, 1)
PLUS = Subscription("Plus", "codex", Decimal(20))
LINES = [
    UsageLine("gateway", "a", 2, 1, Decimal(30), Basis.EXACT, 0),
    UsageLine("codex", "b", 1, 1, Decimal(5), Basis.EXACT, 0),
]


def convert(rates, fees=()):
    cells = [("gateway", "a", "2026-11-02", 10), ("gateway", "a", "2026-11-20", 20), ("codex", "b", "2026-11-20", 5)]
    daily = [
        {"name": f"{source}\x1f{name}\x1f{day}", "cost_usd": Decimal(usd), "is_report": 0}
        for source, name, day, usd in cells
    ]
    return convert_statement(
        build_statement(LINES, MONTH, ShowbackRules(), fees), daily, Currency("EUR", tuple(rates)), MONTH
    )


OCTOBER, LATE = (date(2026, 10, 1), Decimal("0.9")), (date(2026, 11, 15), Decimal("0.8"))


def test_use_is_converted_at_the_rate_of_its_day_and_fees_at_that_of_the_first():
    assert convert([OCTOBER, LATE]) == {"a": Decimal("25.0"), "b": Decimal("4.0")}
    assert convert([OCTOBER, LATE], [PLUS]) == {"a": Decimal("25.0"), "b": Decimal("18.0")}


def test_without_a_rate_there_is_no_amount():
    assert convert([LATE]) == {"a": None, "b": Decimal("4.0")}
    assert convert([LATE], [PLUS])["b"] is None
