"""What a history of calls would have spent within the windows of budgets, call by call in order of time."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from modicum.governance.budget_windows import Period
from modicum.governance.budgets import Amounts, Budget, BudgetVerdict, Spender, Standing, decide

_Sum = tuple[str, tuple[str, ...], datetime | None]


class SpentWindows:
    """Counts as the gateway does, but by what calls cost in fact: nothing is reserved."""

    def __init__(self, budgets: Sequence[Budget]) -> None:
        self._budgets = tuple(budgets)
        self._spent: dict[_Sum, int] = {}
        self._sliding: dict[_Sum, deque[tuple[datetime, int]]] = {}

    def decide(self, call: Spender, at: datetime, amounts: Amounts) -> BudgetVerdict:
        """What would have become of a call; it is counted where it would have been made."""
        covering = [
            (budget, (budget.identity, instance, self._start(budget, at)))
            for budget in self._budgets
            if (instance := budget.instance_of(call)) is not None
        ]
        standings = [Standing(budget, self._level(budget, place, at), 0) for budget, place in covering]
        verdict = decide(standings, amounts)
        if not verdict.is_refusal:
            for budget, place in covering:
                self._add(budget, place, at, amounts.in_unit(budget.unit) or 0)
        return verdict

    def _start(self, budget: Budget, at: datetime) -> datetime | None:
        return None if budget.window.period is Period.SLIDING else budget.window.span_at(at).start

    def _level(self, budget: Budget, place: _Sum, at: datetime) -> int:
        if budget.window.period is Period.SLIDING:
            calls = self._sliding.get(place, deque[tuple[datetime, int]]())
            begins = at - timedelta(seconds=budget.window.sliding_s)
            while calls and calls[0][0] <= begins:
                self._spent[place] -= calls.popleft()[1]
        return self._spent.get(place, 0)

    def _add(self, budget: Budget, place: _Sum, at: datetime, amount: int) -> None:
        self._spent[place] = self._spent.get(place, 0) + amount
        if budget.window.period is Period.SLIDING:
            self._sliding.setdefault(place, deque()).append((at, amount))
