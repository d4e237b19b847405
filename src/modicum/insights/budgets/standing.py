"""How budgets stand now: spent, from the ledger; reserved by calls under way; left, and when that is used up."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from modicum.calls import Call
from modicum.governance.budget_raises import Raises, raised_to
from modicum.governance.budget_windows import Period, WindowSpan
from modicum.governance.budgets import RESERVED_TAG, Amounts, Budget, Spender
from modicum.insights.budgets.spend import former_spend
from modicum.ledger.store import Store

RECENT = timedelta(days=7)
"""How far back a budget without an end is looked at for its pace."""


NO_RAISES = Raises()


class BudgetRow(msgspec.Struct, kw_only=True):
    """One of a budget's sums. Amounts are as the budget counts (`LimitUnit.scale`)."""

    budget: Budget
    instance: tuple[str, ...] = ()
    """The names that have this sum to themselves."""
    spent: int = 0
    reserved: int = 0
    """What calls under way may cost at most."""
    resets: datetime | None = None
    """When it begins anew; None: never, or it slides."""
    raised_until: datetime | None = None
    """Until when it is raised; None: its limit is that of the settings."""
    carried: int = 0
    """How much of its limit was left over of the window before."""
    calls_unknown: int = 0
    """Calls that are in none of these sums: nobody knows what they cost, or drew."""
    crossed_at: datetime | None = None
    """When the limit is reached at the pace so far; None: not before it begins anew, or nobody can say."""

    @property
    def left(self) -> int:
        return max(self.budget.limit - self.spent - self.reserved, 0)

    @property
    def left_share(self) -> float:
        """Of the limit; 0 where the limit is."""
        return self.left / self.budget.limit if self.budget.limit else 0.0


def budget_rows(
    store: Store, budgets: Sequence[Budget], under_way: Iterable[Call], now: datetime, raises: Raises = NO_RAISES
) -> list[BudgetRow]:
    """A row for each sum of each budget, those with the most spent first. A budget in which nothing was spent has one,
    unless it is one for each name.

    Args:
        store: the ledger.
        budgets: the budgets.
        under_way: calls that run, with what is reserved for them among their tags.
        now: the moment that is looked at.
        raises: what people have approved.
    """
    calls = list(under_way)
    return [row for budget in budgets for row in _rows_of(store, budget, calls, now, raises)]


def _rows_of(store: Store, budget: Budget, under_way: Sequence[Call], now: datetime, raises: Raises) -> list[BudgetRow]:
    span = budget.window.span_at(now)
    before = budget.window.span_before(span) if budget.most_carried else None
    former: dict[tuple[str, ...], int] = {}
    for spend in () if before is None else former_spend(store, budget, before.start, span.start):
        former[spend.instance] = former.get(spend.instance, 0) + spend.amount
    rows: dict[tuple[str, ...], BudgetRow] = {}

    def row(instance: tuple[str, ...]) -> BudgetRow:
        if instance not in rows:
            raised = raised_to(budget, raises.limit_of(budget, instance, now))
            ends = (one.until for one in raises.in_force(budget, now, instance) if one.limit == raised.limit)
            until = max((end for end in ends if end is not None), default=None)
            carried = 0 if before is None else budget.carried(former.get(instance, 0))
            whole = raised_to(raised, raised.limit + carried)
            rows[instance] = BudgetRow(
                budget=whole, instance=instance, resets=span.end, raised_until=until, carried=carried
            )
        return rows[instance]

    for spend in former_spend(store, budget, span.start, now):
        row(spend.instance).spent += spend.amount
        row(spend.instance).calls_unknown += spend.calls_unknown
    for call in under_way:
        instance = budget.instance_of(Spender(call.owner, call.model, call.task, call.tags))
        if instance is not None and span.covers(call.started):
            reserved = Amounts.parse(call.tags.get(RESERVED_TAG, ""))._replace(calls=1)
            row(instance).reserved += reserved.in_unit(budget.unit) or 0
    if not rows and "*" not in (budget.team, budget.app, budget.user, budget.key, budget.task, budget.tag_value):
        row(())
    _set_crossing(store, rows, budget, span, now)
    return sorted(rows.values(), key=lambda one: (-one.spent - one.reserved, one.instance))


def _set_crossing(
    store: Store, rows: dict[tuple[str, ...], BudgetRow], budget: Budget, span: WindowSpan, now: datetime
) -> None:
    """A straight line from the beginning of the window, or from a week ago where it has none. What slides has none."""
    if budget.window.period is Period.SLIDING:
        return
    since = span.start
    pace = {instance: one.spent for instance, one in rows.items()}
    if span.end is None:
        since, pace = now - RECENT, {}
        for spend in former_spend(store, budget, since, now):
            pace[spend.instance] = pace.get(spend.instance, 0) + spend.amount
    passed_s = (now - since).total_seconds()
    for instance, one in rows.items():
        if one.left == 0:
            one.crossed_at = now
        elif (spent := pace.get(instance, 0)) and passed_s > 0:
            lasts_s = one.left * passed_s / spent
            if span.end is None or now + timedelta(seconds=min(lasts_s, 1e9)) < span.end:
                one.crossed_at = now + timedelta(seconds=min(lasts_s, 1e9))
