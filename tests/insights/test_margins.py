from decimal import Decimal

import msgspec

from modicum.insights.margins import margin_of
from modicum.insights.yields import build


def line(**changes):
    total = build([], "resolved", "model").total
    return msgspec.structs.replace(total, **changes)


def test_worth_less_cost_is_the_margin():
    margin = margin_of(line(name="n", outcomes=3.0, cost_usd=Decimal("1.5"), calls_unpriced=0), Decimal("0.25"))

    assert (margin.worth_usd, margin.cost_usd, margin.margin_usd) == (Decimal("0.75"), Decimal("1.5"), Decimal("-0.75"))


def test_a_cost_that_is_known_in_part_gives_no_margin():
    margin = margin_of(line(name="n", outcomes=3.0, cost_usd=Decimal("1.5"), calls_unpriced=1), Decimal(1))

    assert (margin.worth_usd, margin.cost_usd, margin.margin_usd) == (Decimal(3), None, None)
