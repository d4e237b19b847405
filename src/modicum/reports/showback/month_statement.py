"""The statement of a month from a ledger: what is asked, and how it becomes the document that verb and console show."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from modicum.insights.money.currency import Currency
from modicum.insights.scoping.months import Month
from modicum.insights.scoping.persons import PersonRule, group_persons
from modicum.ledger.rows import Row
from modicum.metering.price_file import Subscription
from modicum.reports.showback.amounts import RULE, convert_statement
from modicum.reports.showback.rules import ShowbackRules
from modicum.reports.showback.statement import build_statement, parse_usage_lines, statement_document

Ask = Callable[..., Sequence[Row]]
"""Asks a question of the ledger, as `Store.ask` does."""


def month_statement(
    ask: Ask,
    month: Month,
    dimensions: Sequence[tuple[str, str]],
    zone: ZoneInfo,
    rules: ShowbackRules,
    subscriptions: Sequence[Subscription],
    persons: PersonRule,
    currency: Currency | None = None,
) -> dict[str, Any] | None:
    """The document of a statement; None: there was no call in that month.

    Args:
        ask: of the ledger.
        month: which.
        dimensions: what it is by, each with its tag.
        zone: in which it was cut.
        rules: how costs are divided.
        subscriptions: flat fees.
        persons: who is shown by name.
        currency: beside dollars.
    """
    by, tags = ("source", *(one for one, _ in dimensions)), ("", *(tag for _, tag in dimensions))
    span = {"zone": zone.key, "since": month.since, "until": month.until, "where": {}}
    cells = group_persons(ask("bill", by=by, tag=tags, **span), by, persons)
    if not cells:
        return None
    statement = build_statement(parse_usage_lines(cells), month.first, rules, subscriptions)
    typed = ",".join(f"tag:{tag}" if one == "tag" else one for one, tag in dimensions)
    document = statement_document(statement, month.first, typed, zone.key, rules)
    if currency is not None:
        daily = group_persons(ask("bill", by=(*by, "day"), tag=(*tags, ""), **span), [*by, "day"], persons)
        amounts = convert_statement(statement, daily, currency, month.first)
        for row in document["rows"]:
            row["amount"] = amounts[row["name"]]
        known = [amount for amount in amounts.values() if amount is not None]
        document["total"]["amount"] = sum(known, Decimal(0)) if len(known) == len(amounts) else None
        document["currency"] = {"name": currency.name, "rule": RULE}
    return document
