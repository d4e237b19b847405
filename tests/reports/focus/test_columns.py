"""The columns of an export; and one of 1.3 against its published requirement model, as far as that can be had.


The official validator brings no model of 1.3. Its rules of presence (FOCUS_Spec, requirements_model/releases/1.3,
datasets/cost_and_usage/costandusage.json, D-003 to D-076) and those of the columns that are new were read on
2026-11-30. Columns that both versions have keep their types, nulls and values; `scripts/bench focus` has them checked
by the validator in an export of 1.2: here it is held that they are the same in both.
"""

import csv
import io
from datetime import datetime
from decimal import Decimal

import pytest

from modicum.metering.price_file import Subscription
from modicum.reports.focus.columns import COLUMNS, DECIMALS, TIMES, cell_text
from modicum.reports.focus.files import write_focus_csv
from modicum.reports.focus.rows import CreditedSaving, build_rows
from reports.focus.samples import HOUR, charge

MANDATORY = {
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd"),
    *("ChargePeriodStart", "ContractedCost", "EffectiveCost", "HostProviderName", "InvoiceIssuerName", "ListCost"),
    *("PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
    "ServiceProviderName",
}
OF_WHAT_WE_SUPPORT = {
    *("ListUnitPrice", "BillingAccountType", "ConsumedQuantity", "ConsumedUnit", "SubAccountId", "SubAccountName"),
    *("SubAccountType", "PricingCategory", "ContractedUnitPrice", "PricingCurrency", "SkuId", "SkuMeter"),
    *("SkuPriceDetails", "SkuPriceId", "RegionId", "RegionName", "Tags"),
}
"""Present where prices are listed and negotiated, usage is measured, and teams, tags and regions are known."""
NOT_OF_OURS = {
    *("AvailabilityZone", "CapacityReservationId", "CapacityReservationStatus", "ContractApplied"),
    *("AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName", "AllocatedTags"),
}
"""Present only with zones, reservations, contracts of commitment and split costs, which nobody here has."""
NEW = {"HostProviderName", "ServiceProviderName"}
NO_NULL = {
    *("BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory"),
    *(
        "ChargeFrequency",
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "ContractedCost",
        "EffectiveCost",
        "InvoiceIssuerName",
    ),
    *("ListCost", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName", "ServiceProviderName"),
}
VALUES = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"", "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"", "Standard", "Dynamic", "Committed", "Other"},
    "ServiceCategory": {"AI and Machine Learning"},
    "ServiceSubcategory": {"Generative AI"},
    "BillingCurrency": {"USD"},
}
AMOUNTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")


def test_columns_stand_in_order_once_each_and_ours_last():
    for columns in COLUMNS.values():
        theirs = [name for name in columns if not name.startswith("x_")]

        assert len(set(columns)) == len(columns)
        assert list(columns[: len(theirs)]) == sorted(theirs)
        assert {*DECIMALS, *TIMES} <= set(columns)
    assert set(COLUMNS["1.3"]) - set(COLUMNS["1.2"]) == {"HostProviderName", "ServiceProviderName"}


def test_a_decimal_always_has_a_point():
    values = (Decimal(1200), Decimal("0.5000"), Decimal("0E-10"), Decimal("1E-7"), Decimal("-0.25"), None, "7")

    assert [cell_text(value) for value in values] == ["1200.0", "0.5", "0.0", "0.0000001", "-0.25", "", "7"]


def exported(version):
    """Rows of each kind, as a reader of the file gets them."""
    charges = [
        charge(provider="azure", region="eu"),
        charge(None, provider="", team="", tags={}),
        charge("1", source="claude-code"),
        charge("0.0000000001", quantity=0, meter="rounding"),
        charge(provider="http://10.0.0.7:8000", model="  a model "),
    ]
    saving = CreditedSaving("cheaper", HOUR, 12.5, 3.0, None)
    stream = io.StringIO()
    write_focus_csv(stream, build_rows(charges, [Subscription("Max", "claude-code", Decimal(200))], [saving]), version)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


@pytest.fixture(scope="module")
def rows():
    return exported("1.3")


def test_every_column_that_must_be_there_is_and_none_that_would_claim_more(rows):
    assert set(rows[0]) >= MANDATORY | OF_WHAT_WE_SUPPORT
    assert not set(rows[0]) & NOT_OF_OURS
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase", "Adjustment", "Credit"}


def test_what_both_versions_have_is_the_same_in_both(rows):
    assert [{name: row[name] for name in COLUMNS["1.2"]} for row in rows] == exported("1.2")
    assert set(COLUMNS["1.3"]) - set(COLUMNS["1.2"]) == NEW


def test_who_provides_and_hosts_is_named_in_every_row(rows):
    for row in rows:
        assert row["ServiceProviderName"] == row["ServiceProviderName"].strip() != ""
        assert row["HostProviderName"] == row["ServiceProviderName"]  # unless a caller chose another host


def test_nulls_values_types_and_periods_are_those_of_the_model(rows):
    for row in rows:
        assert all(row[name] for name in NO_NULL)
        assert all(row[name] in values for name, values in VALUES.items())
        assert all(Decimal(row[name]).is_finite() for name in AMOUNTS)
        begins, ends, month, next_month = (
            datetime.fromisoformat(row[name])
            for name in ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")
        )
        assert month <= begins < ends <= next_month
        assert all(row[name].endswith("Z") for name in row if name.endswith(("PeriodStart", "PeriodEnd")))
        assert bool(row["PricingQuantity"]) == bool(row["PricingUnit"])
