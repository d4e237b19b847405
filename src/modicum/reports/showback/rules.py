"""By which rules a month's cost is divided."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

UNTAGGED = "(untagged)"
"""How calls without a name are shown. They are never spread over the others."""


class SplitBy(StrEnum):
    """What divides an amount."""

    COST = "cost"
    """What each has spent itself."""
    LIST_PRICE = "list_price"
    """What the calls of each would cost by the list."""
    CALLS = "calls"
    TOKENS = "tokens"
    EVEN = "even"
    """Equal parts among those that have a name."""
    SHARES = "shares"
    """Parts that somebody wrote down."""


_WORDS = {
    SplitBy.COST: "by what each spent itself, untagged calls included",
    SplitBy.LIST_PRICE: "by the list price of the calls that it covers",
    SplitBy.CALLS: "by calls",
    SplitBy.TOKENS: "by tokens",
    SplitBy.EVEN: "in equal parts among those that have a name",
    SplitBy.SHARES: "by the shares of the settings",
}


class SharedCost(NamedTuple):
    """A cost that several share: a fixed amount a month, or the spend of one name."""

    name: str
    usd_per_month: Decimal | None = None
    of: str | None = None
    split: SplitBy = SplitBy.COST
    shares: Mapping[str, Decimal] = {}
    since: date | None = None
    until: date | None = None

    def holds_in(self, month: date) -> bool:
        """Whether it is divided in that month (its first day)."""
        return (self.since is None or self.since.replace(day=1) <= month) and (self.until is None or month < self.until)

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        what = f"${self.usd_per_month:,f} a month" if self.of is None else f"the spend of {self.of or UNTAGGED}"
        return f"{self.name}: {what}, divided {_WORDS[self.split]}"


class ShowbackRules(NamedTuple):
    """All of them."""

    subscriptions: SplitBy = SplitBy.LIST_PRICE
    shared: tuple[SharedCost, ...] = ()
    codes: Mapping[str, str] = {}
    """Billing codes by name."""

    @property
    def subscription_rule(self) -> str:
        """How fees are spread, as a sentence."""
        return f"the fee of a subscription is divided {_WORDS[self.subscriptions]}, within its month"
