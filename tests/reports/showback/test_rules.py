from datetime import date
from decimal import Decimal

from modicum.reports.showback.rules import SharedCost, ShowbackRules, SplitBy


def test_a_shared_cost_holds_from_the_month_of_its_first_day_until_its_end():
    cost = SharedCost("Hosts", Decimal(100), since=date(2026, 2, 20), until=date(2026, 4, 1))

    assert [cost.holds_in(date(2026, month, 1)) for month in (1, 2, 3, 4)] == [False, True, True, False]
    assert SharedCost("Hosts", Decimal(100)).holds_in(date(1999, 1, 1))


def test_rules_are_sentences():
    even = SharedCost("Hosts", Decimal("120.50"), split=SplitBy.EVEN)

    assert even.rule == "Hosts: $120.50 a month, divided in equal parts among those that have a name"
    assert SharedCost("Platform", of="").rule.startswith("Platform: the spend of (untagged), divided by what each")
    assert "by the list price" in ShowbackRules().subscription_rule
