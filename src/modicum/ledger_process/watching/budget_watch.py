"""How budgets stand, asked of the ledger again and again, but never so often that its other work waits for that."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from modicum.calls import UserError
from modicum.governance.budget_raises import Raises
from modicum.governance.budgets import Budget
from modicum.insights.budgets.raises import read_raises
from modicum.insights.budgets.standing import BudgetRow, budget_rows
from modicum.ledger.calls_in_flight import calls_under_way
from modicum.ledger.store import Store

EVERY_S = 2.0
MOST_SHARE = 0.05
"""Of the ledger's time."""


class BudgetWatch:
    """Used by the ledger's thread; `rows` may be read by others.

    Args:
        journals: the folder of the gateway's journals, beside which calls under way stand.
        clock: seconds that only go forward.
    """

    def __init__(self, journals: Path, clock: Callable[[], float] = monotonic) -> None:
        self.rows: Sequence[BudgetRow] = ()
        """As they stood when they were asked for the last time."""
        self._journals, self._clock = journals, clock
        self._next_s = 0.0
        self._budgets: Sequence[Budget] = ()
        self._raises = Raises()

    def refresh(self, store: Store, budgets: Sequence[Budget]) -> None:
        """Asks anew, if it is time or other budgets hold."""
        began_s = self._clock()
        if budgets == self._budgets and began_s < self._next_s:
            return
        self._budgets = budgets
        self.rows = self._ask(store, budgets) if budgets else ()
        ended_s = self._clock()
        self._next_s = ended_s + max(EVERY_S, (ended_s - began_s) / MOST_SHARE)

    def _ask(self, store: Store, budgets: Sequence[Budget]) -> Sequence[BudgetRow]:
        with suppress(UserError):  # who reads the file for the gateway says so; the former stay
            self._raises = Raises(read_raises(self._journals.parent))
        return budget_rows(store, budgets, calls_under_way(self._journals), datetime.now(UTC), self._raises)
