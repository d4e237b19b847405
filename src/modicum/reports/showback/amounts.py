"""What the rows of a statement are in another currency: use at the rate of each day, fees and shared costs at that of
the first day of the month. Where a rate is missing there is no amount.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from modicum.insights.money.currency import Currency
from modicum.ledger.asking.several_dimensions import BETWEEN
from modicum.reports.showback.statement import Statement

RULE = "use is converted at the rate of its day, fees and shared costs at that of the first day of the month"


def convert_statement(
    statement: Statement, daily: Iterable[Mapping[str, Any]], currency: Currency, month: date
) -> dict[str, Decimal | None]:
    """The total of each name in that currency.

    Args:
        statement: in dollars.
        daily: cells of a bill by source, by what the statement is by, and last by day.
        currency: with its rates.
        month: its first day.
    """
    first = currency.rate_on(month)
    found: dict[str, Decimal | None] = {}
    for row in statement.rows:
        rest = row.subscription_usd + row.shared_usd
        found[row.name] = rest * first if first is not None else None if rest else Decimal(0)
    cells = list(daily)
    for cell in [cell for cell in cells if not cell["is_report"]] or cells:
        source, _, rest_of_name = str(cell["name"]).partition(BETWEEN)
        name, _, day = rest_of_name.rpartition(BETWEEN)
        if source in statement.covered or not cell["cost_usd"]:
            continue
        rate, sum_so_far = currency.rate_on(date.fromisoformat(day)), found[name]
        found[name] = None if rate is None or sum_so_far is None else sum_so_far + cell["cost_usd"] * rate
    return found
