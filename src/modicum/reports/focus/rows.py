"""Hourly charges, subscriptions and savings as rows of FOCUS.

- A call that a subscription covers was not billed: its row has a billed cost of 0, the list price as list cost, and its
  share of the fee as effective cost. The fee is a purchase, billed once a month, whose own effective cost is 0.
- A cost that is unknown has no null in FOCUS: the amounts are 0 and `x_CostBasis` is `unknown`, so whoever sums must
  look at it. It is counted for whoever exports.
- What costs by bucket lack to the costs of their calls, since each was rounded, is an adjustment of its month: so the
  sum is the bill's to the last digit.
- A measured saving is a credit of amount 0, since nobody credited anything: the amount is in `x_SavingUsd`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple

import msgspec

from modicum.calls import Basis
from modicum.insights.money.splitting import split_exactly
from modicum.metering.price_file import Subscription
from modicum.reports.focus.columns import Row
from modicum.reports.focus.hours import HourlyCharge
from modicum.reports.focus.meters import COUNT_UNIT, meter_of, seller_of

ZERO = Decimal(0)
CURRENCY = "USD"
JSON_COLUMNS = frozenset({"SkuPriceDetails", "Tags"})
_DIGITS = 20
"""Of a unit price that is a quotient with no end."""


class Account(NamedTuple):
    """Whose bill it is."""

    account_id: str = "local"
    name: str = "Local metering"


LOCAL = Account()


class CreditedSaving(NamedTuple):
    """What a change saved by its hold-out, in dollars; None: not known."""

    name: str
    since: datetime
    usd: float | None
    low_usd: float | None
    high_usd: float | None


def build_rows(
    hours: Sequence[HourlyCharge],
    subscriptions: Sequence[Subscription] = (),
    savings: Iterable[CreditedSaving] = (),
    account: Account = LOCAL,
) -> list[Row]:
    """All rows of an export, in order of time within each kind.

    Args:
        hours: what was charged.
        subscriptions: flat fees. One is paid in each month in which it holds and covers a call.
        savings: measured by experiments.
        account: whose bill it is.
    """
    shares, fees = _spread_fees(hours, subscriptions)
    rounding: dict[tuple[datetime, str], Decimal] = {}
    rows = []
    for place, charge in enumerate(hours):
        if not charge.quantity:
            key = _month(charge.hour), charge.provider
            if charge.usd is not None and place not in shares:
                rounding[key] = rounding.get(key, ZERO) + charge.usd
        else:
            rows.append(_usage(charge, shares.get(place), account))
    rows += [_purchase(fee, month, provider, account) for fee, month, provider in fees]
    rows += [_adjustment(month, provider, usd, account) for (month, provider), usd in rounding.items() if usd]
    return [_in_ascii(row) for row in (*rows, *(_credit(saving, account) for saving in savings))]


def _in_ascii(row: Row) -> Row:
    """The validator takes names of ASCII alone, outside of JSON: other letters are written as JSON writes them."""
    return {
        name: value.encode("ascii", "backslashreplace").decode()
        if isinstance(value, str) and not value.isascii() and name not in JSON_COLUMNS
        else value
        for name, value in row.items()
    }


def _spread_fees(
    hours: Sequence[HourlyCharge], subscriptions: Sequence[Subscription]
) -> tuple[dict[int, Decimal], list[tuple[Subscription, datetime, str]]]:
    """The share of fees of each covered charge, by its place; and the fees that are paid, with month and provider.

    A fee is divided by the list price of what it covers in the month; where none is known, by quantity.
    """
    covered: dict[tuple[str, datetime], list[int]] = {}
    for place, charge in enumerate(hours):
        covered.setdefault((charge.source, _month(charge.hour)), []).append(place)
    shares: dict[int, Decimal] = {}
    fees = []
    for fee in subscriptions:
        for (source, month), places in covered.items():
            if source != fee.source or not fee.is_paid_in(month.date()):
                continue
            fees.append((fee, month, hours[places[0]].provider))
            shown = [place for place in places if hours[place].quantity]
            weights = [hours[place].usd or ZERO for place in shown]
            if not any(weights):
                weights = [Decimal(hours[place].quantity) for place in shown]
            for place, share in zip(shown, split_exactly(fee.usd_per_month, weights), strict=True):
                shares[place] = shares.get(place, ZERO) + share
            for place in places:
                shares.setdefault(place, ZERO)
    return shares, fees


def _usage(charge: HourlyCharge, share: Decimal | None, account: Account) -> Row:
    """`share`: of the fees of subscriptions that cover it; None: none does."""
    meter, seller = meter_of(charge.meter), seller_of(charge.provider)
    quantity, usd = Decimal(charge.quantity), charge.usd or ZERO
    price = _unit_price(usd, quantity)
    sku = f"{charge.provider or 'unknown'}/{charge.model or 'unknown'}/{meter.name}"
    key = charge.tags.get("key")
    details = {
        "x_ModelDeveloper": seller,
        "x_ModelId": charge.model,
        "x_ServiceTier": charge.tier,
        "x_TokenType": meter.name,
    }
    unknown = "" if charge.usd is not None else " (cost unknown)"
    tags = {name: value for name, value in charge.tags.items() if name != "key"}
    return {
        **_frame(account, charge.hour, charge.hour + timedelta(hours=1), seller),
        **_costs(ZERO if share is not None else usd, usd if share is None else share, usd, price),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{charge.model} {meter.name}{unknown}",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": quantity,
        "ConsumedUnit": meter.unit,
        "PricingCategory": "Standard",
        "PricingQuantity": quantity,
        "PricingUnit": meter.unit,
        "RegionId": charge.region or None,
        "RegionName": charge.region or None,
        "ResourceId": f"key:{key}" if key else None,
        "ResourceName": key,
        "ResourceType": "API key" if key else None,
        "SkuId": sku,
        "SkuMeter": meter.name,
        "SkuPriceDetails": _json(details),
        "SkuPriceId": "/".join(filter(None, (sku, charge.tier, charge.region, f"{price.normalize():f}"))),
        "SubAccountId": f"team:{charge.team}" if charge.team else None,
        "SubAccountName": charge.team or None,
        "SubAccountType": "Team" if charge.team else None,
        "Tags": _json(tags) if tags else None,
        "x_CallCount": Decimal(charge.calls),
        "x_CostBasis": (charge.basis if charge.usd is not None else Basis.UNKNOWN).value,
        "x_ModelId": charge.model,
        "x_PriceSource": charge.price_source or None,
        "x_Source": charge.source,
        "x_TokenType": meter.name,
    }


def _purchase(fee: Subscription, month: datetime, provider: str, account: Account) -> Row:
    sku = f"subscription/{fee.name}"
    return {
        **_frame(account, month, _next_month(month), seller_of(provider)),
        **_costs(fee.usd_per_month, ZERO, fee.usd_per_month, fee.usd_per_month),
        "ChargeCategory": "Purchase",
        "ChargeDescription": f"{fee.name}, a month",
        "ChargeFrequency": "Recurring",
        "PricingCategory": "Standard",
        "PricingQuantity": Decimal(1),
        "PricingUnit": COUNT_UNIT,
        "ServiceName": fee.name,
        "SkuId": sku,
        "SkuMeter": "Subscription",
        "SkuPriceId": f"{sku}/{fee.usd_per_month.normalize():f}",
        "x_CostBasis": Basis.EXACT.value,
        "x_Source": fee.source,
    }


def _adjustment(month: datetime, provider: str, usd: Decimal, account: Account) -> Row:
    return {
        **_frame(account, month, _next_month(month), seller_of(provider)),
        **_costs(usd, usd, usd, None),
        "ChargeCategory": "Adjustment",
        "ChargeDescription": "Rounding of costs by meter, and costs without a quantity",
        "ChargeFrequency": "One-Time",
        "x_CostBasis": Basis.EXACT.value,
    }


def _credit(saving: CreditedSaving, account: Account) -> Row:
    hour = saving.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return {
        **_frame(account, hour, hour + timedelta(hours=1), "modicum"),
        **_costs(ZERO, ZERO, ZERO, None),
        "ChargeCategory": "Credit",
        "ChargeDescription": f"Saving of {saving.name}, measured by its hold-out: on no invoice",
        "ChargeFrequency": "One-Time",
        "x_CostBasis": (Basis.UNKNOWN if saving.usd is None else Basis.ESTIMATED).value,
        "x_SavingUsd": _decimal(saving.usd),
        "x_SavingUsdHigh": _decimal(saving.high_usd),
        "x_SavingUsdLow": _decimal(saving.low_usd),
    }


def _frame(account: Account, begins: datetime, ends: datetime, seller: str) -> Row:
    month = _month(begins)
    return {
        "BillingAccountId": account.account_id,
        "BillingAccountName": account.name,
        "BillingAccountType": "Organization",
        "BillingCurrency": CURRENCY,
        "BillingPeriodEnd": _time(_next_month(month)),
        "BillingPeriodStart": _time(month),
        "ChargePeriodEnd": _time(ends),
        "ChargePeriodStart": _time(begins),
        "HostProviderName": seller,
        "InvoiceIssuerName": seller,
        "PricingCurrency": CURRENCY,
        "ProviderName": seller,
        "PublisherName": seller,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": f"{seller} API",
        "ServiceProviderName": seller,
        "ServiceSubcategory": "Generative AI",
    }


def _costs(billed: Decimal, effective: Decimal, at_list: Decimal, price: Decimal | None) -> Row:
    return {
        "BilledCost": billed,
        "ContractedCost": at_list,
        "ContractedUnitPrice": price,
        "EffectiveCost": effective,
        "ListCost": at_list,
        "ListUnitPrice": price,
        "PricingCurrencyContractedUnitPrice": price,
        "PricingCurrencyEffectiveCost": effective,
        "PricingCurrencyListUnitPrice": price,
    }


def _unit_price(usd: Decimal, quantity: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        return usd / quantity if quantity else ZERO


def _month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next_month(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(round(float(value), 8)))


def _json(names: Mapping[str, str]) -> str:
    return msgspec.json.encode(names, order="sorted").decode()
