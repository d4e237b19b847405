from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.samples import START, entry
from modicum.calls import Owner
from modicum.insights.money.currency import parse_currency
from modicum.insights.scoping.months import parse_month
from modicum.insights.scoping.persons import PersonRule
from modicum.reports.showback.month_statement import month_statement
from modicum.reports.showback.rules import ShowbackRules

UTC = ZoneInfo("UTC")
FEBRUARY, MARCH = parse_month("2026-02", UTC), parse_month("2026-03", UTC)
NOBODY = PersonRule(frozenset())
RULES = ShowbackRules()


def test_a_statement_is_of_its_month_by_owner_and_tag(store):
    acme = {"client": "acme"}
    entries = [
        entry("c1", "1", owner=Owner("search"), tags=acme),
        entry("c2", "2", owner=Owner("search")),
        entry("c3", "4", owner=Owner("ads"), tags=acme, started=START + timedelta(days=20)),
        entry("later", "9", started=START + timedelta(days=40)),
    ]
    store.append(entries)
    both, euro = (("team", ""), ("tag", "client")), parse_currency("EUR=0.5")

    found = month_statement(store.ask, FEBRUARY, both, UTC, RULES, [], NOBODY, euro)

    assert found["by"] == "team,tag:client"
    assert {row["name"]: (row["total_usd"], row["amount"]) for row in found["rows"]} == {
        "ads\x1facme": (4, 2),
        "search\x1facme": (1, Decimal("0.5")),
        "search\x1f": (2, 1),
    }
    assert (found["total"]["total_usd"], found["total"]["amount"]) == (7, Decimal("3.5"))


def test_persons_are_groups_and_a_month_without_calls_has_no_statement(store):
    store.append([entry(f"c{n}", "1", owner=Owner(user=f"u{n}")) for n in range(6)])

    found = month_statement(store.ask, FEBRUARY, (("user", ""),), UTC, RULES, [], NOBODY)

    assert [row["name"] for row in found["rows"]] == ["(6 other persons)"]
    assert month_statement(store.ask, MARCH, (("user", ""),), UTC, RULES, [], NOBODY) is None
