"""What the budgets of a call have left: worked out when somebody asks, since of most calls nobody does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from modicum.gateway.budgets.covering import CoveringBudget
from modicum.gateway.budgets.replies import left_text
from modicum.governance.budgets import NANO, LimitUnit, Standing, tightest
from modicum.state.counters import Level


def standings_of(sums: Sequence[CoveringBudget], levels: Sequence[Level], now: datetime) -> list[Standing]:
    """How budgets stand, by the levels of their counters; further levels are of failed attempts elsewhere."""
    standings = []
    for one, level in zip(sums, levels, strict=False):
        opens_in_s = level.frees_in_s
        if one.span.end is not None:
            opens_in_s = max((one.span.end - now).total_seconds(), 0.0)
        standings.append(Standing(one.budget, level.spent, level.reserved, opens_in_s, one.kept_back))
    return standings


class BudgetsLeft:
    """Of one call.

    Args:
        sums: that it counts in.
        levels: how their counters stood.
        held: what the call has reserved since.
    """

    __slots__ = ("_held", "_levels", "_sums")

    def __init__(self, sums: Sequence[CoveringBudget], levels: Sequence[Level], held: Sequence[int] = ()) -> None:
        self._sums, self._levels, self._held = sums, levels, held

    def text(self) -> str:
        """Of the tightest, as the reply's header says it; empty: there is none."""
        levels = self._levels
        if self._held:
            levels = [
                Level(level.spent, level.reserved + amount, level.frees_in_s)
                for level, amount in zip(levels, self._held, strict=False)
            ]
        held = zip(self._sums, levels, strict=False)
        standings = [Standing(one.budget, level.spent, level.reserved, None, one.kept_back) for one, level in held]
        least = tightest(standings)
        if least is None:
            return ""
        place = next(number for number, one in enumerate(standings) if one is least)
        (whole,) = standings_of([self._sums[place]], [levels[place]], datetime.now(UTC))  # when it opens, too
        return left_text(whole)

    def usd(self) -> Decimal | None:
        """The least of what those in dollars have for the call; None: there is none."""
        standings = standings_of(self._sums, self._levels, datetime.now(UTC))
        dollars = [one.left for one in standings if one.budget.unit is LimitUnit.USD]
        return Decimal(min(dollars)) / NANO if dollars else None
