"""How budgets on the cost of an outcome stand now, from the ledger."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from modicum.calls import Basis
from modicum.governance.outcome_budgets import OutcomeBudget, OutcomeSpend, OutcomeVerdict, judge_cost
from modicum.insights.dimensions import YIELD, parse_dimension
from modicum.insights.yields import YieldLine, build
from modicum.ledger.store import Store


class OutcomeBudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of a budget's sums."""

    budget: OutcomeBudget
    name: str
    """Whose sum, where the budget is one for each name; empty: of all tasks."""
    spend: OutcomeSpend
    verdict: OutcomeVerdict


def outcome_budget_rows(store: Store, budgets: Sequence[OutcomeBudget], now: datetime) -> list[OutcomeBudgetRow]:
    """A row for each sum of each budget, the dearest first. A budget of all tasks has one whatever the ledger holds."""
    return [row for budget in budgets for row in _rows_of(store, budget, now)]


def _rows_of(store: Store, budget: OutcomeBudget, now: datetime) -> list[OutcomeBudgetRow]:
    by, tag = parse_dimension("outcome", budget.by or "team", YIELD)
    since = budget.window.span_at(now).start
    zone = budget.window.zone
    cells = store.ask("yield", by=by, tag=tag, zone=zone, since=since, until=now, outcome=budget.outcome)
    built = build(cells, budget.outcome, by)
    lines = built.rows if budget.by else [built.total]
    rows = []
    for line in lines:
        spend = spend_of(line)
        if budget.by and not spend.tasks and not spend.tasks_without_outcome:
            continue  # calls outside any task only
        name = line.name if budget.by else ""
        rows.append(OutcomeBudgetRow(budget=budget, name=name, spend=spend, verdict=judge_cost(budget, spend)))
    return rows


def spend_of(line: YieldLine) -> OutcomeSpend:
    """What a line of a yield says of the cost of its outcomes."""
    each = line.cost_per_outcome_usd
    return OutcomeSpend(
        tasks=each.tasks,
        outcomes=line.outcomes,
        cost_usd=float(line.cost_usd or 0),
        usd_each=each.value,
        low=each.low,
        high=each.high,
        no_interval=each.no_interval,
        caution=each.caution,
        is_lower_bound=Basis.LOWER_BOUND in line.cost_usd_by_basis,
        tasks_unpriced=line.tasks - each.tasks,
        tasks_without_outcome=line.tasks_without_outcome,
        cost_without_outcome_usd=float(line.cost_without_outcome_usd or 0),
    )
