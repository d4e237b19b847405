"""Warns, once each time, when outcomes begin to cost more than their budget, and when they no longer do."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import monotonic

from modicum.governance.outcome_budgets import OutcomeBudget, OutcomeRuling
from modicum.insights.budgets.outcome_standing import outcome_budget_rows
from modicum.ledger.store import Store

EVERY_S = 600.0


class OutcomeAlerts:
    """`log` takes a line on each change."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._next = 0.0
        self._above: set[tuple[str, str]] = set()

    def check(self, store: Store, budgets: Sequence[OutcomeBudget]) -> None:
        """Looks at the ledger, if it is time again. What nobody can say changes nothing."""
        if not budgets or monotonic() < self._next:
            return
        self._next = monotonic() + EVERY_S
        for row in outcome_budget_rows(store, budgets, datetime.now(UTC)):
            place = row.budget.outcome, row.name
            of = f" of {row.name}" if row.name else ""
            limit = f"${row.budget.limit_usd:,.2f} for one {row.budget.outcome}{of}"
            if row.verdict.ruling is OutcomeRuling.ABOVE and place not in self._above:
                self._above.add(place)
                self._log(f"outcome budget crossed: {limit}: {row.verdict.why}")
            elif row.verdict.ruling is OutcomeRuling.WITHIN and place in self._above:
                self._above.discard(place)
                self._log(f"outcome budget kept again: {limit}")
