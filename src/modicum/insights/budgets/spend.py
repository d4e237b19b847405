"""What a budget's calls have cost, from the ledger: for a gateway that starts, and for who asks how budgets stand."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from modicum.governance.budgets import Amounts, Budget, LimitUnit, fits_model
from modicum.governance.energy_rate import EnergyRate
from modicum.governance.energy_rates import rate_of
from modicum.governance.worst_case import ceiling, nano_usd
from modicum.ledger.rows import Row
from modicum.ledger.store import Store
from modicum.state.memory import SLOTS

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
    provider: str = ""
    tokens: tuple[int, int, int] | None = None
    """Of the prompt, computed and read from a cache, and of the reply; None: nobody has counted them."""
    reserved_millijoules: int = 0
    """Of all of them together."""


EACH_FIELDS = ("team", "app", "user", "key", "task", "tag_value")


def find_spend(
    store: Store,
    scope: dict[str, str],
    since: datetime,
    until: datetime,
    slot_s: float = WHOLE_S,
    counted_in: str = "",
) -> Sequence[BudgetSpend]:
    """What was spent within a span.

    Args:
        store: the ledger.
        scope: the fields of `EACH_FIELDS` and `tag`: a name, `*` for each apart, or nothing for all.
        since: when the span begins.
        until: when it ends; not included.
        slot_s: amounts are summed by slots of so many seconds.
        counted_in: calls with this text in the tag `COUNTED_TAG` are left out; empty: none.
    """
    rows = store.ask("budget_spend", since=since, until=until, slot_s=slot_s, counted_in=counted_in, **scope)
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
        row["provider"],
        _tokens(row),
        int(row["reserved_millijoules"]),
    )


def _tokens(row: Row) -> tuple[int, int, int] | None:
    if not row["is_counted"]:
        return None
    return int(row["computed_tokens"]), int(row["cached_tokens"]), int(row["generated_tokens"])


class FormerSpend(NamedTuple):
    """One of a budget's sums, or a part of it."""

    instance: tuple[str, ...]
    age_s: float
    amount: int
    calls_unknown: int = 0
    """Calls that it says nothing of: nobody knows their amount, and nothing was reserved for them."""


def former_spend(
    store: Store, budget: Budget, since: datetime, until: datetime, counted_in: str = ""
) -> list[FormerSpend]:
    """What a budget's calls cost that began within a span, by its own sums. A call whose cost nobody knows counts with
    what was reserved for it; one that is counted elsewhere (`COUNTED_TAG`) does not.
    """
    slot_s = budget.window.sliding_s / SLOTS or WHOLE_S
    scope = {name: getattr(budget, name) for name in EACH_FIELDS} | {"tag": budget.tag}
    sums: dict[tuple[tuple[str, ...], float], tuple[int, int]] = {}
    for spend in find_spend(store, scope, since, until, slot_s, counted_in):
        if budget.model and not fits_model(budget.model, spend.model):
            continue
        place = spend.instance, spend.age_s
        amount, unknown = sums.get(place, (0, 0))
        more = _amounts(spend, budget.energy).in_unit(budget.unit) or 0
        sums[place] = amount + more, unknown + _count_unknown(spend, budget)
    return [FormerSpend(*place, amount, unknown) for place, (amount, unknown) in sums.items()]


def _amounts(spend: BudgetSpend, energy: Sequence[EnergyRate]) -> Amounts:
    text, count = spend.reserved
    drawn = _drawn(spend, energy)
    millijoules = spend.reserved_millijoules if drawn is None else drawn
    if text:
        reserved = Amounts.parse(text)
        usd, tokens = reserved.nano_usd or 0, reserved.effective_tokens or 0
        return Amounts(usd * count, tokens * count, spend.calls, millijoules)
    return Amounts(nano_usd(spend.usd), ceiling(Decimal(spend.effective_tokens)), spend.calls, millijoules)


def _drawn(spend: BudgetSpend, energy: Sequence[EnergyRate]) -> int | None:
    """By the rates, in thousandths of a joule; None: tokens or rates are not known."""
    rate = rate_of(energy, spend.provider, spend.model)
    if spend.tokens is None or rate is None:
        return None
    computed, cached, generated = spend.tokens
    return rate.millijoules(calls=spend.calls, computed=computed, cached=cached, generated=generated)


def _count_unknown(spend: BudgetSpend, budget: Budget) -> int:
    if budget.unit is LimitUnit.CALLS:
        return 0
    if budget.unit is LimitUnit.JOULES:
        is_known = spend.reserved_millijoules or _drawn(spend, budget.energy) is not None
        return 0 if is_known else spend.calls
    return 0 if spend.reserved[0] else spend.calls_unpriced
