"""What a budget's calls have cost, from the ledger: for a gateway that starts, and for who asks how budgets stand."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from modicum.ledger.rows import Row
from modicum.ledger.store import Store

WHOLE_S = 1e12
"""A slot that everything lies in."""


class BudgetSpend(msgspec.Struct, frozen=True):
    """What was spent in one of a budget's sums."""

    instance: tuple[str, ...]
    """The names that have a sum of their own, in the order of `EACH_FIELDS`: those that the budget divides by."""
    model: str
    age_s: float
    """How long ago at least, at the end of the span that was asked for."""
    usd: Decimal
    effective_tokens: float
    calls: int
    calls_unpriced: int
    reserved: tuple[str, int]
    """Of calls whose cost is unknown: what was reserved for each, as their records say it, and how many they are."""


EACH_FIELDS = ("team", "app", "user", "key", "task", "tag_value")


def find_spend(
    store: Store, scope: dict[str, str], since: datetime, until: datetime, slot_s: float = WHOLE_S
) -> Sequence[BudgetSpend]:
    """What was spent within a span.

    Args:
        store: the ledger.
        scope: the fields of `EACH_FIELDS` and `tag`: a name, `*` for each apart, or nothing for all.
        since: when the span begins.
        until: when it ends; not included.
        slot_s: amounts are summed by slots of so many seconds.
    """
    rows = store.ask("budget_spend", since=since, until=until, slot_s=slot_s, **scope)
    return [_spend(row, scope, slot_s) for row in rows]


def _spend(row: Row, scope: dict[str, str], slot_s: float) -> BudgetSpend:
    return BudgetSpend(
        tuple(row[f"each_{name}"] for name in EACH_FIELDS if scope[name] == "*"),
        row["model"],
        max(row["slot"], 0) * slot_s,
        row["usd"] or Decimal(0),
        row["weighed_tokens"] or 0.0,
        int(row["calls"]),
        int(row["calls_unpriced"]),
        (row["reserved"], int(row["entry_count"])),
    )
