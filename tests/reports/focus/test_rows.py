import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ledger.samples import EVER, START, entry
from modicum.calls import Basis, BucketCosts, Cost, Entry, Usage
from modicum.metering.price_file import Subscription
from modicum.reports.focus.columns import COLUMNS
from modicum.reports.focus.hours import parse_hours
from modicum.reports.focus.rows import Account, CreditedSaving, build_rows
from reports.focus.samples import HOUR, charge

PLAN = Subscription("Claude Max", "claude-code", Decimal(200))


def sums(rows, column, category=None):
    return sum(row[column] for row in rows if category in {None, row["ChargeCategory"]})


def test_a_charge_is_a_row_of_usage_with_its_period_price_and_names():
    (row,) = build_rows([charge(tags={"app": "shop", "key": "k1"}, region="eu")], account=Account("acct", "Acme"))

    assert row["BilledCost"] == row["EffectiveCost"] == row["ListCost"] == Decimal("0.5")
    assert (row["ListUnitPrice"], row["PricingQuantity"], row["PricingUnit"]) == (Decimal("0.0005"), 1000, "Tokens")
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-10-31T23:00:00Z", "2026-11-01T00:00:00Z")
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
    assert (row["ProviderName"], row["SubAccountId"], row["ResourceId"]) == ("Anthropic", "team:search", "key:k1")
    assert row["SkuId"] == "anthropic/opus/Cache Read Input Tokens"
    assert row["SkuPriceId"] == "anthropic/opus/Cache Read Input Tokens/standard/eu/0.0005"
    assert msgspec.json.decode(row["Tags"]) == {"app": "shop"}
    assert row["BillingAccountId"] == "acct"
    assert set(COLUMNS["1.3"]) >= set(row)


def test_an_unknown_cost_says_so_where_the_format_has_no_null():
    (row,) = build_rows([charge(None)])

    assert (row["BilledCost"], row["x_CostBasis"]) == (0, "unknown")
    assert row["ChargeDescription"].endswith("(cost unknown)")


def test_what_nobody_tagged_has_no_tags_and_no_account():
    (row,) = build_rows([charge(team="", tags={})])

    assert (row["Tags"], row["SubAccountId"], row["SubAccountType"], row["ResourceType"]) == (None, None, None, None)


def test_a_subscription_is_billed_once_a_month_and_spread_over_what_it_covers():
    covered = [charge(usd, source="claude-code") for usd in ("1", "2", "3.7")]
    later = charge("1", source="claude-code", hour=HOUR + timedelta(hours=1))
    rows = build_rows([*covered, later, charge("9")], [PLAN])

    purchases = [row for row in rows if row["ChargeCategory"] == "Purchase"]
    assert [(row["BillingPeriodStart"], row["BilledCost"], row["EffectiveCost"]) for row in purchases] == [
        ("2026-10-01T00:00:00Z", 200, 0),
        ("2026-11-01T00:00:00Z", 200, 0),
    ]
    assert sums(rows, "BilledCost") == 400 + 9
    assert sums(rows, "EffectiveCost") == 400 + 9
    assert [row["BilledCost"] for row in rows if row["x_Source"] == "claude-code" and "x_ModelId" in row] == [0] * 4
    assert sums(rows, "ListCost", "Usage") == Decimal("16.7")


def test_a_fee_over_calls_without_a_price_is_spread_by_tokens_and_one_that_has_ended_is_not_paid():
    ended = msgspec.structs.replace(PLAN, until=date(2026, 10, 1))
    unpriced = [charge(None, source="claude-code", quantity=quantity) for quantity in (1, 3)]

    rows = build_rows(unpriced, [PLAN])

    assert [row["EffectiveCost"] for row in rows] == [50, 150, 0]
    assert sums(build_rows(unpriced, [ended]), "BilledCost") == 0


def test_a_measured_saving_is_a_credit_that_changes_no_sum():
    saving = CreditedSaving("cheap", datetime(2026, 10, 5, 7, 30, tzinfo=UTC), 12.5, None, 20.0)
    rows = build_rows([charge()], savings=[saving])
    credit = rows[-1]

    assert credit["ChargeCategory"] == "Credit"
    assert (credit["x_SavingUsd"], credit["x_SavingUsdLow"], credit["x_SavingUsdHigh"]) == (Decimal("12.5"), None, 20)
    assert sums(rows, "BilledCost") == Decimal("0.5")
    assert credit["ChargePeriodStart"] == "2026-10-05T07:00:00Z"


def _odd_entries(chance):
    for number in range(80):
        parts = BucketCosts(*(Decimal(chance.randrange(10**12)) / 10**12 for _ in range(6)))
        usd = parts.total.quantize(Decimal("0.0000000001"))
        cost = chance.choice([Cost(usd, Basis.EXACT, parts, "p", "1"), Cost(usd, Basis.ESTIMATED), Cost.unknown()])
        made = entry(
            f"c{number}",
            started=START + timedelta(hours=chance.randrange(900), minutes=chance.randrange(60)),
            usage=Usage(*(chance.randrange(3) * 7 for _ in range(6))),
            model=chance.choice(["opus", "gpt"]),
            provider=chance.choice(["anthropic", ""]),
        )
        yield Entry(made.call, cost)


@pytest.mark.parametrize("seed", range(3))
def test_billed_costs_sum_to_the_bill_to_the_last_digit(seed, tmp_path):
    from modicum.ledger.opening import open_store

    store = open_store(":memory:")
    store.append(list(_odd_entries(random.Random(seed))))  # noqa: S311 - no secret
    asked = {"by": "app", "tag": "", "zone": "UTC", "where": {}} | EVER
    bill = sum(cell["cost_usd"] or 0 for cell in store.ask("bill", **asked))
    rows = build_rows(parse_hours(store.ask("charges_by_hour", **asked), ["app"]))
    store.close()

    assert sums(rows, "BilledCost") == bill
    assert any(row["ChargeCategory"] == "Adjustment" for row in rows)
    assert all(
        abs(row["ListUnitPrice"] * row["PricingQuantity"] - row["ListCost"]) < Decimal("1E-12")
        for row in rows
        if row["ChargeCategory"] == "Usage"
    )


def test_names_are_of_ascii_outside_of_json_since_the_validator_takes_no_others():
    (row,) = build_rows([charge(team="Z\u00fcrich", tags={"app": "caf\u00e9"})])

    assert row["SubAccountName"] == "Z\\xfcrich"
    assert msgspec.json.decode(row["Tags"]) == {"app": "caf\u00e9"}
