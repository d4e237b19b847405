"""What has changed since an earlier export: rows that correct it, so that both together are what one would be now.

Calls come late, grow, and are priced anew; an export that finance has taken in is not taken back. A correction has the
period of the charge that it corrects, and the difference as its amounts.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from modicum.calls import UserError
from modicum.reports.focus.columns import COLUMNS, Row, cell_text
from modicum.reports.spreadsheet import csv_cell

AMOUNTS = (
    "BilledCost",
    "ConsumedQuantity",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "PricingCurrencyEffectiveCost",
    "PricingQuantity",
    "x_CallCount",
)
"""What is summed; all else says what a row is about."""
_Key = tuple[str, ...]


def correct(earlier: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]], version: str) -> list[Row]:
    """The rows that turn one export into the other, with `ChargeClass` set to `Correction`.

    Args:
        earlier: rows of the export that was sent, with its own corrections, as text or decimals.
        now: rows as they would be sent now.
        version: of FOCUS.

    Raises:
        UserError: an earlier row has an amount that is none, or lacks a column.
    """
    names = [name for name in COLUMNS[version] if name not in AMOUNTS and name != "ChargeClass"]
    before, sums_before = _sum_rows(earlier, names)
    after, sums_after = _sum_rows(now, names)
    rows = []
    for key in dict.fromkeys((*after, *before)):
        old, new = sums_before.get(key), sums_after.get(key)
        change = [_difference(new, old, place) for place in range(len(AMOUNTS))]
        if any(change):
            row = after.get(key) or before[key]
            rows.append({**row, **dict(zip(AMOUNTS, change, strict=True)), "ChargeClass": "Correction"})
    return rows


def _difference(new: list[Decimal | None] | None, old: list[Decimal | None] | None, place: int) -> Decimal | None:
    now = new[place] if new is not None else None
    before = old[place] if old is not None else None
    return None if now is None and before is None else (now or Decimal(0)) - (before or Decimal(0))


def _sum_rows(
    rows: Iterable[Mapping[str, Any]], names: list[str]
) -> tuple[dict[_Key, Row], dict[_Key, list[Decimal | None]]]:
    shown: dict[_Key, Row] = {}
    sums: dict[_Key, list[Decimal | None]] = {}
    for number, row in enumerate(rows, 1):
        key = tuple(str(csv_cell(cell_text(_value(row, name)))) for name in names)  # as the file has it
        shown.setdefault(key, {name: row.get(name) for name in row})
        amounts = [_amount(row, name, number) for name in AMOUNTS]
        former = sums.get(key)
        sums[key] = amounts if former is None else [_add(one, two) for one, two in zip(former, amounts, strict=True)]
    return shown, sums


def _value(row: Mapping[str, Any], name: str) -> Any:
    """A number with the same places, however it was written."""
    value = row.get(name)
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    return value


def _amount(row: Mapping[str, Any], name: str, number: int) -> Decimal | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        amount = Decimal(value)
    except (InvalidOperation, TypeError):
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise UserError(f"row {number} of the earlier export: {name} is '{value!s:.40}', no amount")
    return amount


def _add(one: Decimal | None, two: Decimal | None) -> Decimal | None:
    return two if one is None else one if two is None else one + two
