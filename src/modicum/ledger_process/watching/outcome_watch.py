"""Which outcomes cost more than their budget, asked of the ledger every ten minutes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from modicum.governance.alerts import OutcomeState
from modicum.governance.outcome_budgets import OutcomeBudget, OutcomeRuling
from modicum.insights.budgets.outcome_standing import outcome_budget_rows
from modicum.ledger.store import Store
from modicum.ledger_process.watching.question_timer import QuestionTimer

EVERY_S = 600.0


class OutcomeWatch:
    """Filled by the ledger's thread; `above` may be read by others."""

    def __init__(self) -> None:
        self.above: Sequence[OutcomeState] = ()
        """Those that cost more. What nobody can say is as it was."""
        self._timer = QuestionTimer()

    def check(self, store: Store, budgets: Sequence[OutcomeBudget]) -> None:
        """Looks at the ledger, if it is time again."""
        if not budgets:
            self.above = ()
            return
        if not self._timer.is_due(EVERY_S):
            return
        states = {(one.outcome, one.name): one for one in self.above}
        for row in outcome_budget_rows(store, budgets, datetime.now(UTC)):
            place = row.budget.outcome, row.name
            if row.verdict.ruling is OutcomeRuling.ABOVE:
                states[place] = OutcomeState(*place, row.budget.limit_usd, row.verdict.why)
            elif row.verdict.ruling is OutcomeRuling.WITHIN:
                states.pop(place, None)
        self.above = list(states.values())
