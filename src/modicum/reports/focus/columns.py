"""The columns of an export by version of FOCUS, in the order in which they are written, and what each holds.

Names and rules are those of the specification (https://focus.finops.org, versions of 2025-05-29 and 2025-12-04).
Columns that begin with `x_` are ours and come last, as it asks.
"""

from decimal import Decimal
from typing import Any

Row = dict[str, Any]
"""A row by column: text, Decimal, or None. Times are text."""

DECIMALS = (
    "BilledCost",
    "ConsumedQuantity",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "ListCost",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "x_CallCount",
    "x_SavingUsd",
    "x_SavingUsdHigh",
    "x_SavingUsdLow",
)
TIMES = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
_BOTH = (
    *(name for name in DECIMALS if not name.startswith("x_")),
    *TIMES,
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "CommitmentDiscountStatus",
    "ConsumedUnit",
    "InvoiceId",
    "InvoiceIssuerName",
    "PricingCategory",
    "PricingCurrency",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
)
_OURS = (
    "x_CallCount",
    "x_CostBasis",
    "x_ModelId",
    "x_PriceSource",
    "x_SavingUsd",
    "x_SavingUsdHigh",
    "x_SavingUsdLow",
    "x_Source",
    "x_TokenType",
)
COLUMNS = {
    "1.2": (*sorted(_BOTH), *_OURS),
    "1.3": (*sorted((*_BOTH, "HostProviderName", "ServiceProviderName")), *_OURS),
}
"""1.3 names the provider in two columns more, and keeps those of 1.2, which it deprecates."""


def cell_text(value: Any) -> str:
    """A value as a cell: decimals always with a point, since readers guess a column's type from it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0") + ("0" if text.rstrip("0").endswith(".") else "") if "." in text else f"{text}.0"
    return str(value)
