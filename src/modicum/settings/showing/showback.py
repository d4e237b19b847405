"""`[showback]`: among whom the month's cost is divided, by which rules."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from modicum.calls import UserError
from modicum.insights.dimensions import BILL, NOT_OF_CALLS, TIMES, parse_dimensions
from modicum.reports.showback.rules import SharedCost, ShowbackRules, SplitBy

MOST_USD = Decimal(10**9)


class SharedCostSettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"since": "from"}
):
    """`[[showback.shared]]`, once for each cost that several share."""

    name: str
    """As the statement names it."""
    usd_per_month: Decimal | None = None
    """A fixed amount, as for the gateway's machines."""
    of: str | None = None
    """Or: whose spend is divided among the others, as a platform team's."""
    split: Literal["cost", "calls", "even", "shares"] = "cost"
    """By what each has spent itself, by calls, evenly, or by `shares`."""
    shares: dict[str, Decimal] = {}
    """With `split = "shares"`: the part of each; they sum to 1."""
    since: date | None = None
    """The first month, by any of its days."""
    until: date | None = None
    """The first day that it no longer holds."""

    def __post_init__(self) -> None:
        if (self.usd_per_month is None) == (self.of is None):
            raise ValueError(f"'{self.name:.64}': give either 'usd_per_month' or 'of'")
        amount = self.usd_per_month
        if amount is not None and not (amount.is_finite() and 0 <= amount <= MOST_USD):
            raise ValueError(f"'{self.name:.64}': 'usd_per_month' is an amount from 0 to {MOST_USD:,}")
        if (self.split == "shares") != bool(self.shares):
            raise ValueError(f"'{self.name:.64}': 'shares' and split = \"shares\" go together")
        if any(not share.is_finite() or share < 0 for share in self.shares.values()):
            raise ValueError(f"'{self.name:.64}': a share is negative, or no number")
        if self.shares and sum(self.shares.values()) != 1:
            raise ValueError(f"'{self.name:.64}': the shares sum to {sum(self.shares.values())}, and not to 1")
        if self.of is not None and self.of in self.shares:
            raise ValueError(f"'{self.name:.64}': whose spend is divided has no share of it")


class ShowbackSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[showback]` of the settings."""

    by: str = "team"
    """Among whom: `team`, `app`, `key`, `project`, `tag:client`, or two of them with a comma."""
    subscriptions: Literal["list_price", "calls", "tokens"] = "list_price"
    """By what the fee of a subscription is spread over the calls that it covers."""
    shared: tuple[SharedCostSettings, ...] = ()
    """Costs that several share: `[[showback.shared]]`, once for each."""
    codes: dict[str, str] = {}
    """Billing codes by name: `search = "CC-1001"`."""

    def __post_init__(self) -> None:
        try:
            parse_showback(self.by)
        except UserError as error:
            raise ValueError(f"'by' is wrong: {error}") from None
        names = [one.name for one in self.shared]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two shared costs are called '{doubled[0]:.64}'")


def parse_showback(by: str) -> tuple[tuple[str, str], ...]:
    """The dimensions of a statement, each with its tag.

    Raises:
        UserError: it is none, or more than two.
    """
    accepted = [name for name in BILL if name not in {*NOT_OF_CALLS, *TIMES}]
    found = parse_dimensions("statement", (by,), accepted)
    if len(found) > 2:
        raise UserError(f"--by {by}: a statement is by one dimension, or by two")
    return found


def showback_rules_of(settings: ShowbackSettings) -> ShowbackRules:
    """What checked settings say."""
    shared = tuple(
        SharedCost(one.name, one.usd_per_month, one.of, SplitBy(one.split), one.shares, one.since, one.until)
        for one in settings.shared
    )
    return ShowbackRules(SplitBy(settings.subscriptions), shared, settings.codes)
